"""Makes Jupyter notebooks of Python files whose cells begin with ``# %%`` (text: ``# %% [markdown]``).

The files are the source that is read, linted and changed. nbformat 4.5; jupytext does the same and more, but this is
all that is needed of it.
"""

from __future__ import annotations

import json
import re
from typing import Any

CELL = re.compile(r"^# %%(?P<kind>.*)$", re.MULTILINE)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def to_notebook(source: str) -> str:
    """Return the notebook, as JSON, of a Python file in cells.

    Raises
    ------
    ValueError
        If there is anything before the first cell.
    """
    before, *parts = CELL.split(source)
    if before.strip():
        raise ValueError("the file must begin with a cell")
    cells = [
        _cell(number, kind.strip(), text.strip("\n"))
        for number, (kind, text) in enumerate(zip(parts[::2], parts[1::2], strict=True))
    ]
    notebook = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    common = {"id": f"cell-{number}", "metadata": {}}
    if kind == "[markdown]":
        lines = [re.sub(r"^# ?", "", line) for line in text.splitlines()]
        return {"cell_type": "markdown", **common, "source": "\n".join(lines)}
    return {"cell_type": "code", **common, "execution_count": None, "outputs": [], "source": text}
