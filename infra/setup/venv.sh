#!/usr/bin/env bash
# Makes .venv from scratch with exactly what requirements/dev.lock lists, every file checked by hash.
set -euo pipefail

python=${PYTHON:-python3.11}

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
if [ "$version" != 3.11 ]; then
    echo "Reelmint runs on Python 3.11, but '$python' is: $version." >&2
    echo "Install Python 3.11 (Debian: apt-get install python3.11-venv) or name it: make setup PYTHON=/path/to/python3.11" >&2
    exit 1
fi

echo "Installing Python packages into .venv (about half a minute) ..."
rm -rf .venv
"$python" -m venv .venv
# The lock is complete, so nothing is resolved here.
.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.lock
touch .venv/ready
