// A trail in a nested stack; its bucket is in the parent.
const { App, NestedStack, Stack } = require('aws-cdk-lib');
const { Trail } = require('aws-cdk-lib/aws-cloudtrail');
const { Bucket } = require('aws-cdk-lib/aws-s3');

module.exports = (props) => {
  const app = new App(props);
  const stack = new Stack(app, 'Platform');
  const bucket = new Bucket(stack, 'LogBucket');
  const audit = new NestedStack(stack, 'Audit');
  new Trail(audit, 'Trail', { bucket, trailName: 'audit' });
  return app;
};
