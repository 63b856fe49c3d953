// The bucket is in a nested stack; the trail in the parent gets its name from the nested stack's outputs.
const { App, NestedStack, Stack } = require('aws-cdk-lib');
const { Trail } = require('aws-cdk-lib/aws-cloudtrail');
const { Bucket } = require('aws-cdk-lib/aws-s3');

module.exports = (props) => {
  const app = new App(props);
  const stack = new Stack(app, 'Platform');
  const bucket = new Bucket(new NestedStack(stack, 'Logs'), 'LogBucket');
  new Trail(stack, 'Trail', { bucket });
  return app;
};
