#!/usr/bin/env bash
# Prints the path of a Chromium for the browser tests; as root on Debian it installs one first.
# CHROMIUM=… chooses it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_browser() {
    local name
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" && return
    done
    return 1
}

if [ -n "${CHROMIUM:-}" ]; then
    command -v "$CHROMIUM" && exit
    echo "CHROMIUM=$CHROMIUM is no program." >&2
    exit 1
fi
find_browser && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "The browser tests need Chromium: installing Debian's chromium (apt-get, about 300 MB unpacked)" >&2
    tools/apt.sh chromium fonts-dejavu-core >&2 && find_browser && exit
fi
cat >&2 <<'MESSAGE'

The browser tests need Chromium, and none is on PATH. Type, as root:

    apt-get install chromium

and run make again; or name one: make test CHROMIUM=/path/to/chromium
MESSAGE
exit 1
