#!/usr/bin/env bash
# Refuses, in words, a machine that cannot build the studio.
set -euo pipefail

major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
if [ "$major" -lt 20 ] || ! command -v npm >/dev/null; then
    echo "The studio in web/ is built with Node.js 20 or newer and npm; found: $(node --version 2>/dev/null || echo none)." >&2
    exit 1
fi
