#!/bin/sh
# Builds trailguard-hook.zip, the package of the CloudFormation Hook, in the working directory.
#
#   build.sh REQUIREMENT [ARCHITECTURE] [PYTHON] [FILE…]
#
# REQUIREMENT is what pip installs: trailguard==VERSION, a wheel, or a folder with its source. ARCHITECTURE is arm64 or
# x86_64, PYTHON a version such as 3.13; both as in the parameters of `trailguard init --hook`. Each FILE is put into the
# package: a .trailguard.yaml, a baseline, a folder with rules or with a snapshot.
set -eu
umask 022
requirement=$1
architecture=${2:-arm64}
python=${3:-3.13}
shift "$(($# < 3 ? $# : 3))"
case $architecture in
  arm64) platform=manylinux2014_aarch64 ;;
  x86_64) platform=manylinux2014_x86_64 ;;
  *) echo "build.sh: $architecture is not arm64 or x86_64" >&2; exit 2 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The source is built here, whatever it is; its dependencies are taken ready-made for Lambda's platform.
python3 -m pip wheel --quiet --no-deps --wheel-dir "$work/wheel" "$requirement"
python3 -m pip install --quiet --no-compile --target "$work/package" --only-binary=:all: \
  --implementation cp --python-version "$python" --platform "$platform" "$work"/wheel/*.whl
rm -rf "$work/package/bin"
for file in "$@"; do
  cp -R "$file" "$work/package/"
done
# Lambda cannot keep what it compiles, and would compile everything at each cold start.
if "python$python" -c "" 2>/dev/null; then
  "python$python" -m compileall -q --invalidation-mode unchecked-hash "$work/package"
else
  echo "build.sh: no python$python is here to compile for, so that cold starts take longer" >&2
fi
python3 -c "import shutil, sys; shutil.make_archive(sys.argv[1], 'zip', sys.argv[2])" trailguard-hook "$work/package"
echo "trailguard-hook.zip: $(($(wc -c <trailguard-hook.zip) / 1000)) kB"
