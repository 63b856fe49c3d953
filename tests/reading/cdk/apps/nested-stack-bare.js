// The nested stack as an app makes it that is not run by the CDK's command line: without paths in the Metadata.
module.exports = require('./nested-stack.js');
