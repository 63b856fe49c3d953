// A trail that delivers into the bucket of another stack.
const { App, Stack } = require('aws-cdk-lib');
const { Trail } = require('aws-cdk-lib/aws-cloudtrail');
const { Bucket } = require('aws-cdk-lib/aws-s3');

module.exports = (props) => {
  const app = new App(props);
  const bucket = new Bucket(new Stack(app, 'Logs'), 'LogBucket');
  new Trail(new Stack(app, 'Audit'), 'Trail', { bucket, trailName: 'audit' });
  return app;
};
