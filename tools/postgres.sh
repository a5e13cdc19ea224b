#!/usr/bin/env bash
# Prints the folder of PostgreSQL's server programs for the tests; as root on Debian it installs them first.
# POSTGRES=… chooses it. The tests start a private server in a temporary folder: no system cluster is used or needed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

is_whole() { [ -x "$1/postgres" ] && [ -x "$1/initdb" ]; }

# Debian keeps them apart from PATH, by version: the newest comes first.
find_programs() {
    local folder
    for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort --reverse); do
        is_whole "$folder" && echo "$folder" && return
    done
    folder=$(dirname "$(command -v postgres || echo none/none)")
    is_whole "$folder" && echo "$folder"
}

if [ -n "${POSTGRES:-}" ]; then
    is_whole "$POSTGRES" && echo "$POSTGRES" && exit
    echo "POSTGRES=$POSTGRES is no folder with the programs postgres and initdb." >&2
    exit 1
fi
find_programs && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "The tests run on PostgreSQL too: installing Debian's postgresql (apt-get, about 60 MB unpacked)" >&2
    tools/apt.sh postgresql >&2 && find_programs && exit
fi
cat >&2 <<'MESSAGE'

The tests run on PostgreSQL too, and its server is not on this machine. Type, as root:

    apt-get install postgresql

and run make again; or name the folder of another: make test POSTGRES=/path/to/bin
MESSAGE
exit 1
