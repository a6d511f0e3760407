#!/usr/bin/env bash
# Makes a browser available for the end-to-end tests: Debian's Chromium where it can be had, else
# Playwright's own.
set -euo pipefail

# Without fonts for them, Chinese and emoji are boxes on every screenshot.
packages="chromium fonts-noto-cjk fonts-noto-color-emoji"

has_browser() { [ -x /usr/bin/chromium ]; }
has_fonts() { [ -n "$(fc-list :lang=zh)" ] && [ -n "$(fc-list :lang=und-zsye)" ]; }

has_browser && has_fonts && exit 0

root=
[ "$(id -u)" = 0 ] || root="sudo -n"
apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -qq"

if command -v apt-get >/dev/null && $root true 2>/dev/null; then
    echo "Installing Chromium and fonts for the end-to-end tests ..."
    $apt update && $apt install -y --no-install-recommends $packages >/dev/null || true
fi

has_browser || .venv/bin/playwright install chromium
