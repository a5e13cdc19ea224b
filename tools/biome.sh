#!/usr/bin/env bash
# Checks our JavaScript and CSS with biome (biome.jsonc), in the version that frontend/package-lock.json pins.
#
#   tools/biome.sh            check
#   tools/biome.sh --write    check, and mend what biome can mend
#
# biome comes by npm, and no command of the README needs Node: where it is missing, or npm cannot install, this says that
# JavaScript and CSS were not checked, and succeeds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIOME=frontend/node_modules/.bin/biome
WANTED=$(sed -n 's|.*"@biomejs/biome": "\([0-9.]*\)".*|\1|p' frontend/package.json)
# It takes seconds with a network; without one npm would try for minutes.
MOST_SECONDS=120

give_up() {
    echo "JavaScript and CSS were not checked: $1."
    exit 0
}

is_there() { [ "$("$BIOME" --version 2>/dev/null)" = "Version: $WANTED" ]; }

install() {
    local bound=() status=0 said
    ! command -v timeout >/dev/null || bound=(timeout --kill-after=5 "$MOST_SECONDS")
    echo "Installing biome $WANTED into frontend/node_modules (npm ci)"
    said=$(cd frontend && "${bound[@]}" npm ci --ignore-scripts --no-audit --no-fund \
        --fetch-retries=1 --fetch-timeout=30000 2>&1 </dev/null) || status=$?
    [ "$status" != 124 ] || give_up "npm ci was not done after $MOST_SECONDS s"
    [ "$status" = 0 ] || { printf '%s\n' "$said"; give_up "npm ci failed, as it says above"; }
}

for program in node npm; do
    command -v "$program" >/dev/null || give_up "there is no $program"
done
is_there || install
is_there || give_up "biome $WANTED does not run on this machine"
exec "$BIOME" check --error-on-warnings "$@"
