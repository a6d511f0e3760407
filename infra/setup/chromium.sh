#!/usr/bin/env bash
# Makes a browser available for the end-to-end tests: Debian's Chromium where there is one, else Playwright's own.
set -euo pipefail

[ -x /usr/bin/chromium ] && exit 0

root=
[ "$(id -u)" = 0 ] || root="sudo -n"
if command -v apt-get >/dev/null && $root true 2>/dev/null; then
    echo "Installing Chromium for the end-to-end tests ..."
    export DEBIAN_FRONTEND=noninteractive
    $root apt-get -qq update
    # Without these fonts Chinese and emoji are boxes on every screenshot.
    $root apt-get -qq install -y --no-install-recommends \
        chromium fonts-noto-cjk fonts-noto-color-emoji >/dev/null || true
    [ -x /usr/bin/chromium ] && exit 0
fi

.venv/bin/playwright install chromium
