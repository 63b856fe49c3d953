// A trail of one Region, without global service events and log file validation.
const { App, Stack } = require('aws-cdk-lib');
const { Trail } = require('aws-cdk-lib/aws-cloudtrail');

module.exports = (props) => {
  const app = new App(props);
  const stack = new Stack(app, 'Audit');
  new Trail(stack, 'Trail', {
    isMultiRegionTrail: false,
    includeGlobalServiceEvents: false,
    enableFileValidation: false,
  });
  return app;
};
