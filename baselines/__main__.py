"""``python -m baselines COMMAND``: each command lives in a module that is loaded when it is asked for."""

from __future__ import annotations

import importlib
import sys

# name: (module with main(arguments) -> exit status, what the command does)
COMMANDS = {
    "predict": ("baselines.cli", "run a baseline over RGB tiles and write a submission zip"),
    "kit": ("baselines.starter_kit.cli", "write a track's starter kit: sample data, notebooks, code"),
    "data": ("baselines.data.cli", "make a synthetic data set, or degraded copies of references"),
}


def main(arguments: list[str]) -> int:
    """Hand the arguments to the command; return its exit status."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print("usage: python -m baselines COMMAND …\n")
        for name, (_, summary) in COMMANDS.items():
            print(f"  {name:<10} {summary}")
        return 0 if arguments else 1
    if arguments[0] not in COMMANDS:
        print(f"error: no command {arguments[0]!r}; known: {', '.join(COMMANDS)}", file=sys.stderr)
        return 1
    module, _ = COMMANDS[arguments[0]]
    try:
        command = importlib.import_module(module)
    except ModuleNotFoundError as error:
        print(f"error: {arguments[0]} needs {error.name}, which is not installed here", file=sys.stderr)
        return 1
    status: int = command.main(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
