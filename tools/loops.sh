#!/usr/bin/env bash
# Compiles scoring's loops for this processor where that has not been done, so that nothing that scores has to wait for
# it: neither a test, nor a worker, nor `python -m scoring`. Part of setup.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=.venv
STAMP=$VENV/loops.stamp
SOURCES=(scoring/metrics/*.py requirements/main.txt)

# The stamp holds checksums of the sources, and of the files that scoring/metrics/native.py keeps.
if [ -f "$STAMP" ] && sha256sum --check --status "$STAMP" 2>/dev/null; then
    exit
fi

echo "Compiling scoring's loops for this processor, once (ten seconds or two)"
"$VENV/bin/python" -c 'from scoring.metrics.native import loops; loops()' </dev/null
shopt -s nullglob
kept=(scoring/metrics/__pycache__/kernel-*.o "${XDG_CACHE_HOME:-$HOME/.cache}"/bayerboard/kernel-*.o)
if [ "${#kept[@]}" = 0 ]; then
    echo "They could not be kept, neither beside the sources nor in the user's cache: each process will compile them."
    exit
fi
sha256sum "${SOURCES[@]}" "${kept[@]}" >"$STAMP"
