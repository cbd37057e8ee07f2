#!/bin/sh
# Makes the committed browser modules from the lock file: build.sh TARGET. The same lock file gives the same bytes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
target=$(cd "$1" && pwd)

if ! command -v npm >/dev/null; then
  if [ "$(id -u)" != 0 ]; then
    echo "npm is missing; as root: apt-get install -y --no-install-recommends nodejs npm" >&2
    exit 1
  fi
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$here/.npmrc" "$here/package.json" "$here/package-lock.json" "$here/build.mjs" "$here/entries" "$work/"
cd "$work"
npm ci --ignore-scripts --silent
node build.mjs "$target"
