"""Fuzz one target in this process, under atheris: ``python -m tests.fuzz.one TARGET [libFuzzer's arguments]``."""

from __future__ import annotations

import sys

import atheris

# Before any of them is imported: only what is instrumented leads the fuzzer to new inputs.
with atheris.instrument_imports(include=["scoring", "tomllib", "zipfile"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
