#!/usr/bin/env bash
# Makes tests/reading/cdk/assemblies anew from tests/reading/cdk/apps: installs the CDK from npm into a temporary folder (needs Node.js).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/apps" "$here/package.json" "$here/synthesize.js" "$work"
(cd "$work" && npm install --silent --no-audit --no-fund)
node "$work/synthesize.js" "${1:-$here/assemblies}"
