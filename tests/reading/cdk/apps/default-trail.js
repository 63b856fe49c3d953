// A trail with everything left to the CDK's defaults.
const { App, Stack } = require('aws-cdk-lib');
const { Trail } = require('aws-cdk-lib/aws-cloudtrail');

module.exports = (props) => {
  const app = new App(props);
  const stack = new Stack(app, 'Audit');
  new Trail(stack, 'Trail');
  return app;
};
