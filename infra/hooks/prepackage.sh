#!/bin/sh
# Builds the package here and lays it out where azd takes it from; docs/package.md says why not in
# Azure. prepackage.ps1 is the same for Windows.
set -eu
cd "$(dirname "$0")/../.."

fail() {
  echo "prepackage: $*" >&2
  exit 1
}

make --no-print-directory package || fail "make package says above why there is no package"
rm -rf dist/app
python3 -m zipfile -e dist/proactive-bot.zip dist/app || fail "the package could not be unpacked"
# Without such a file, which says what stays out, azd leaves out all compiled modules.
: >dist/app/.funcignore
