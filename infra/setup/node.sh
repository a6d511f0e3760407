#!/usr/bin/env bash
# Refuses, in words, a machine that cannot build the studio.
set -euo pipefail

is_new='const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'
if ! node -e "$is_new" 2>/dev/null || ! command -v npm >/dev/null; then
    echo "The studio in web/ is built with Node.js 20.19 or newer and npm; found: $(node --version 2>/dev/null || echo none)." >&2
    exit 1
fi
