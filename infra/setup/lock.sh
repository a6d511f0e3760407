#!/usr/bin/env bash
# Writes requirements/*.lock from pyproject.toml: every published hash, no addresses.
# Versions already locked stay; `make lock ARGS=--upgrade` takes the newest that the ranges admit and
# that the world has had a week to look at.
set -euo pipefail

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3.11}" -m venv "$tools"
"$tools/bin/pip" install -qq uv==0.13.8

compile() {
    UV_CUSTOM_COMPILE_COMMAND="make lock" "$tools/bin/uv" pip compile --quiet --no-config \
        --universal --python-version 3.11 --generate-hashes --annotation-style line \
        --exclude-newer "7 days" \
        "$@"
}

compile pyproject.toml --extra dev --extra google --extra s3 --output-file requirements/dev.lock "$@"
# What runs is a part of what is developed with, at the same versions.
compile pyproject.toml --extra google --constraint requirements/dev.lock --output-file requirements/run.lock "$@"
# A tool with an environment of its own: infra/setup/checkov.sh.
echo "checkov~=3.3" | compile - --output-file requirements/checkov.lock "$@"
