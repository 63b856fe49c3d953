// An organization's trail with a key and a log group, in a known account and Region.
const { App, Stack } = require('aws-cdk-lib');
const { Trail } = require('aws-cdk-lib/aws-cloudtrail');
const { Key } = require('aws-cdk-lib/aws-kms');

module.exports = (props) => {
  const app = new App(props);
  const env = { account: '111122223333', region: 'eu-west-1' };
  const stack = new Stack(app, 'Audit', { env });
  new Trail(stack, 'Trail', {
    isOrganizationTrail: true,
    orgId: 'o-1234567890',
    trailName: 'organization',
    sendToCloudWatchLogs: true,
    encryptionKey: new Key(stack, 'Key', { enableKeyRotation: true }),
  });
  return app;
};
