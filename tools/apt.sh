#!/usr/bin/env bash
# Installs Debian packages without questions; called as root, and only after the caller has said so.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() { apt-get install --yes --no-install-recommends "$@" </dev/null >"$log" 2>&1; }

# A fresh machine has no package lists yet, and an old list names versions that are gone: then fetch them once.
if ! install "$@"; then
    apt-get update </dev/null >"$log" 2>&1 || true
    if ! install "$@"; then
        tail -n 15 "$log" >&2
        exit 1
    fi
fi
