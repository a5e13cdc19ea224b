#!/usr/bin/env bash
# Makes Bayerboard's environment in .venv from a hashed lock, compiles scoring's loops, and does nothing where all of it
# is up to date.
#
#   tools/setup.sh main    what running Bayerboard needs
#   tools/setup.sh dev     the same, and what its tests need; PyTorch too, which is in no lock
#
# PYTHON=… chooses the interpreter (3.11 or newer). pip's own configuration (index, certificates, proxy) is used
# as it is: nothing here names a host.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

SET=${1:-main}
LOCK=requirements/$SET.txt
VENV=.venv
LOG=$VENV/setup.log
[ -f "$LOCK" ] || { echo "usage: tools/setup.sh main|dev" >&2; exit 2; }

# Settings of the user's shell that are meant for other projects; in an environment --user cannot work.
unset PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

step() { printf '[%s/5] %s\n' "$1" "$2"; }
note() { printf '      %s\n' "$1"; }
fail() { printf '\n' >&2; printf '%s\n' "$@" >&2; exit 1; }

# --- What is there already ----------------------------------------------------------------------------------------

# What an environment was made from.
state_of() { sha256sum "requirements/$1.txt" pyproject.toml; }
stamp_of() { printf '%s/%s.stamp' "$VENV" "$1"; }
is_current() { [ -f "$(stamp_of "$1")" ] && [ "$(cat "$(stamp_of "$1")")" = "$(state_of "$1")" ]; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
version_of() { "$1" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo unknown; }

# Why .venv cannot be used, or nothing where it can.
fault_of_venv() {
    if [ ! -x "$VENV/bin/python" ] || ! "$VENV/bin/python" -c '' 2>/dev/null; then
        echo "its Python is gone"
    elif ! is_new_enough "$VENV/bin/python"; then
        echo "it has Python $(version_of "$VENV/bin/python"), and 3.11 or newer is needed"
    elif ! grep -qsF "$(pwd -P)/$VENV" "$VENV/bin/activate"; then
        echo "it was made in another folder, which its commands name"
    elif [ -n "${PYTHON:-}" ] && [ "$(version_of "$VENV/bin/python")" != "$(version_of "$PYTHON")" ]; then
        echo "it has Python $(version_of "$VENV/bin/python"), and PYTHON=$PYTHON is $(version_of "$PYTHON")"
    fi
}

# --- The interpreter ----------------------------------------------------------------------------------------------

has_ensurepip() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }
# --python (pip 22.3): a pip that installs into another environment than its own
has_pip() { "$1" -m pip --python "$1" --version >/dev/null 2>&1; }

# Prints the first interpreter that is new enough, preferring one that can make an environment by itself.
find_python() {
    local candidates=(python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3) candidate found=""
    [ -z "${PYTHON:-}" ] || candidates=("$PYTHON")
    for candidate in "${candidates[@]}"; do
        is_new_enough "$candidate" || continue
        if has_ensurepip "$candidate"; then
            command -v "$candidate"
            return
        fi
        found=${found:-$(command -v "$candidate")}
    done
    printf '%s' "$found"
}

# Debian keeps ensurepip in a package of its own: install it as root, say what to type otherwise.
get_ensurepip() {
    local package
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        note "$1 lacks ensurepip; installing Debian's $package (apt-get)"
        tools/apt.sh "$package" && has_ensurepip "$1" && return
    fi
    fail "$1 cannot make an environment: Python's ensurepip is missing." \
        "Debian and Ubuntu keep it in a package of its own. Type, as root:" "" \
        "    apt-get install $package" "" "and run make again."
}

make_venv() {
    if ! has_ensurepip "$1" && has_pip "$1"; then
        "$1" -m venv --clear --without-pip "$VENV" </dev/null
        return
    fi
    has_ensurepip "$1" || get_ensurepip "$1"
    "$1" -m venv --clear "$VENV" </dev/null
}

# --- The packages -------------------------------------------------------------------------------------------------

# Reads pip's output; shows how far it is, on one line of a terminal or a line now and then elsewhere.
show_progress() {
    local total=$1 count=0 status=0 shown=$SECONDS text="" line
    while true; do
        IFS= read -r -t 10 line && status=0 || status=$?
        if [ "$status" -gt 128 ]; then line=""; elif [ "$status" -ne 0 ]; then break; fi
        case $line in
            Ignoring*) total=$((total - 1)) ;;
            Collecting* | Processing*) count=$((count + 1)); text="$count of $total packages fetched" ;;
            Installing*) text="$count packages fetched; unpacking them" ;;
            Successfully*) text="$count packages installed" ;;
        esac
        [ -n "$text" ] || continue
        if [ -t 1 ]; then
            printf '\r\033[K      %s (%d s)' "$text" "$SECONDS"
        elif [ $((SECONDS - shown)) -ge 10 ] || [[ $line == Installing* || $line == Successfully* ]]; then
            note "$text ($SECONDS s)"
            shown=$SECONDS
        fi
    done
    if [ -t 1 ] && [ -n "$text" ]; then printf '\n'; fi
}

# With the environment's own pip, or the interpreter's where the environment was made without one.
pip_install() {
    local pip=("$VENV/bin/python" -m pip)
    has_pip "$VENV/bin/python" || pip=("$PYTHON" -m pip --python "$VENV/bin/python")
    "${pip[@]}" install --progress-bar off "$@" </dev/null 2>&1 | tee -a "$LOG"
}

install_lock() {
    local total
    total=$(grep -c '^[A-Za-z0-9].*==' "$LOCK")
    : >"$LOG"
    # --no-deps: the lock names everything, and pip (23.2) looks up an extra such as coverage[toml] beyond its pins.
    # Bytecode is written when a module is first imported: most of what is installed never is.
    pip_install --require-hashes --no-deps --no-compile -r "$LOCK" | show_progress "$total" || {
        tail -n 15 "$LOG" >&2
        fail "pip could not install $LOCK; all it said is in $LOG." \
            "Is the network there? pip's own settings (pip config list) decide where packages come from."
    }
}

# PyTorch, for the tests of the baselines. It is in no lock: which build is right (CPU, CUDA) depends on the machine, so
# that pip's own settings decide. The version is the one of the extra in pyproject.toml.
install_torch() {
    local wanted
    wanted=$(grep -o 'torch==[0-9.]*' pyproject.toml | head -n 1)
    if "$VENV/bin/python" -c '
import sys
from importlib.metadata import PackageNotFoundError, version
try:
    sys.exit(version("torch").partition("+")[0] != sys.argv[1])
except PackageNotFoundError:
    sys.exit(1)' "${wanted#torch==}"; then
        note "$wanted is there"
        return
    fi
    note "$wanted for the baselines, with what it needs (a CPU build has 200 MB, a CUDA build gigabytes)"
    pip_install --quiet --no-compile "$wanted" >/dev/null || {
        tail -n 15 "$LOG" >&2
        fail "pip could not install $wanted; all it said is in $LOG." \
            "It can be installed by hand, from wherever your build of it lies: $VENV/bin/pip install $wanted"
    }
}

install_project() {
    pip_install --quiet --no-deps --no-build-isolation --editable . >/dev/null || {
        tail -n 15 "$LOG" >&2
        fail "pip could not install Bayerboard itself; all it said is in $LOG."
    }
}

# --- The steps ----------------------------------------------------------------------------------------------------

main() {
    local fault=""
    # Two runs of make in one checkout: the second waits for the first.
    exec 9<pyproject.toml
    if command -v flock >/dev/null && ! flock --nonblock 9; then
        echo "Another run is setting up $VENV; waiting for it."
        flock 9
    fi

    [ ! -e "$VENV" ] || fault=$(fault_of_venv)
    if [ -e "$VENV" ] && [ -z "$fault" ] && { is_current "$SET" || { [ "$SET" = main ] && is_current dev; }; }; then
        tools/loops.sh
        return
    fi

    local python
    python=$(find_python)
    [ -n "$python" ] || fail "Bayerboard needs Python 3.11 or newer${PYTHON:+, and $PYTHON is not}." \
        "On Debian 12, as root: apt-get install python3 python3-venv." \
        "Another interpreter is chosen by: make PYTHON=/path/to/python3"
    PYTHON=$python
    if [ -e "$VENV" ] && [ -z "$fault" ]; then
        step 1 "Python $(version_of "$VENV/bin/python")"
        step 2 "Environment: $VENV is there"
    else
        step 1 "Python $(version_of "$PYTHON") ($PYTHON)"
        step 2 "Environment: making $VENV${fault:+ anew (}${fault}${fault:+)}"
        make_venv "$PYTHON"
    fi
    rm -f "$(stamp_of main)" "$(stamp_of dev)"

    step 3 "Packages: installing $LOCK (on a slow network this is the long one)"
    install_lock
    [ "$SET" != dev ] || install_torch
    step 4 "Bayerboard itself: installing this checkout"
    install_project
    step 5 "Scoring's loops"
    tools/loops.sh
    state_of "$SET" >"$(stamp_of "$SET")"
    note "Set up in $SECONDS s."
}

main
