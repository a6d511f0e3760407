#!/usr/bin/env bash
# Makes wrk, the load generator of `make bench`, available: through apt where that is possible.
set -euo pipefail

command -v wrk >/dev/null && exit 0

root=
[ "$(id -u)" = 0 ] || root="sudo -n"
apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -qq"

if command -v apt-get >/dev/null && $root true 2>/dev/null; then
    echo "Installing wrk for the bench ..."
    $apt update && $apt install -y --no-install-recommends wrk >/dev/null || true
fi

command -v wrk >/dev/null || { echo "make bench needs wrk: https://github.com/wg/wrk" >&2; exit 1; }
