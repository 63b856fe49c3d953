// The same stack in two stages, of which one records one Region only.
const { App, Stack, Stage } = require('aws-cdk-lib');
const { Trail } = require('aws-cdk-lib/aws-cloudtrail');

module.exports = (props) => {
  const app = new App(props);
  for (const [name, region, isMultiRegionTrail] of [['Test', 'eu-central-1', false], ['Prod', 'eu-west-1', true]]) {
    const stage = new Stage(app, name, { env: { account: '111122223333', region } });
    new Trail(new Stack(stage, 'Audit'), 'Trail', { isMultiRegionTrail });
  }
  return app;
};
