#!/usr/bin/env bash
# Scans terraform/ for risky settings, offline. Checkov gets an environment of its own (about 200 MB), made when missing:
# its dependencies do not fit beside ours.
set -euo pipefail
cd "$(dirname "$0")/../.."

lock=requirements/checkov.lock
tools=build/checkov

if ! cmp -s "$lock" "$tools/$(basename "$lock")"; then
    echo "Installing checkov into $tools (under a minute) ..."
    rm -rf "$tools"
    "${PYTHON:-python3.11}" -m venv "$tools"
    "$tools/bin/pip" install -qq --disable-pip-version-check --require-hashes --no-deps -r "$lock"
    cp "$lock" "$tools"
fi

# Without --skip-download it asks its maker for more rules, and waits for the answer.
cd terraform
exec "../$tools/bin/checkov" --directory . --config-file .checkov.yaml --skip-download "$@"
