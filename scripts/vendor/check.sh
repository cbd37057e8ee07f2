#!/bin/sh
# Rebuilds the browser modules in a temporary folder: they must be the committed ones, byte for byte.
set -eu
cd "$(dirname "$0")/../.."
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
scripts/vendor/build.sh "$fresh"
diff -r "$fresh" handover/web/static/vendor || {
  echo "handover/web/static/vendor is not what scripts/vendor/package-lock.json makes; run: make vendor" >&2
  exit 1
}
