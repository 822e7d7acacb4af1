#!/bin/sh
# Installs node_modules when it does not match package-lock.json, and sees to it that node_modules/.bin/node is Node 24:
# everything else runs on that one, whatever the machine has.
set -eu
cd "$(dirname "$0")/.."

stamp=node_modules/.installed-package-lock.json
node=node_modules/.bin/node

is_node_24() {
  case "$("$node" --version 2>/dev/null)" in v24.*) return 0 ;; *) return 1 ;; esac
}

if cmp -s package-lock.json "$stamp" && is_node_24; then
  exit 0
fi
if ! command -v npm >/dev/null; then
  echo 'There is no npm. Install Node.js 20 or newer with npm (https://nodejs.org).' >&2
  exit 1
fi
echo 'Installing npm packages ...' >&2
npm ci --no-audit --no-fund --loglevel=error >&2

# The package `node` fetches its binary in an install script. Where those are switched off, this does the same.
if ! is_node_24 && [ -f node_modules/node/installArchSpecificPackage.js ]; then
  echo 'Fetching Node 24 ...' >&2
  (cd node_modules/node && mkdir -p bin && node installArchSpecificPackage.js >&2) || true
  ln -sf ../node/bin/node "$node"
fi
if ! is_node_24; then
  echo "$node is not Node 24. Does this machine (or its C library) have no build of it? Install Node 24 and link it there." >&2
  exit 1
fi
cp package-lock.json "$stamp"
