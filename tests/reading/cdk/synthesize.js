// Synthesizes the apps into cloud assemblies: node synthesize.js OUT_FOLDER
const fs = require('fs');
const path = require('path');

// What the CDK's command line asks for, unless an app is to be made without it.
const asked = { 'aws:cdk:enable-path-metadata': true, 'aws:cdk:enable-asset-metadata': true };
const out = process.argv[2];

function tidy(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) tidy(file);
    else if (entry.name === 'validation-report.json') fs.rmSync(file);
    else if (entry.name.endsWith('.metadata.json')) {
      const known = JSON.parse(fs.readFileSync(file)); // where in whose file a construct was made is left out
      for (const name in known) known[name] = known[name].filter((item) => item.type === 'aws:cdk:logicalId');
      fs.writeFileSync(file, JSON.stringify(known, null, 2));
    } else if (entry.name === 'manifest.json') {
      const manifest = JSON.parse(fs.readFileSync(file));
      delete manifest.artifacts['aws-cdk-lib/feature-flag-report'];
      fs.writeFileSync(file, JSON.stringify(manifest, null, 2));
    }
  }
}

for (const file of fs.readdirSync(path.join(__dirname, 'apps')).sort()) {
  const name = path.basename(file, '.js');
  const outdir = path.join(out, name);
  const context = name.endsWith('-bare') ? {} : asked;
  fs.rmSync(outdir, { recursive: true, force: true });
  require(path.join(__dirname, 'apps', file))({ outdir, context, analyticsReporting: false, treeMetadata: false }).synth();
  tidy(outdir);
}
