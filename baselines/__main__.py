"""``python -m baselines COMMAND``: each command lives in a module that is loaded when it is asked for."""

from __future__ import annotations

import importlib
import sys

# name: (module with main(arguments) -> exit status, the command's purpose)
COMMANDS = {
    "predict": ("baselines.commands.predict", "run a baseline over RGB tiles and write a submission zip"),
    "train": ("baselines.commands.train", "train a method on a data set's pairs; --resume goes on"),
    "evaluate": ("baselines.commands.evaluate", "predict a split and score it as a submission is scored"),
    "export": ("baselines.commands.export", "write a method as ONNX or TFLite"),
    "denoise": ("baselines.commands.denoise", "compare denoisers with and without RAW that MBISPLD generates"),
    "info": ("baselines.commands.info", "tell a method's parameters, MACs, receptive field and expected scores"),
    "data": ("baselines.data.cli", "make or look at a data set, or make degraded copies of references"),
    "kit": ("baselines.starter_kit.cli", "write a track's starter kit: sample data, notebooks, code"),
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
