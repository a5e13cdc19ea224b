"""The documentation's page of problems, made from the catalogue so that the two cannot differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scoring.problems import CATALOGUE

if TYPE_CHECKING:
    from scoring.catalogue import Level

_INTRODUCTION = """\
# What may be wrong with a submission

Every problem has a stable code, one sentence that says what is wrong, and one that says what to do. The page checks
an archive before it is uploaded, `python -m scoring check` says the same on your own machine, and the server says the
same again. Words in braces stand for the names and numbers of your case.

This page is made by `python -m scoring problems --markdown`.
"""

_SECTIONS: dict[Level, tuple[str, str]] = {
    "error": ("Errors", "The archive is rejected. It is kept, and costs nothing of your quota."),
    "warning": ("Warnings", "The archive is scored all the same."),
    "refusal": ("Refused requests", "The request was not accepted, and nothing of it was stored or counted."),
    "failure": ("Failures", "Scoring broke off. The archive is kept, and costs nothing of your quota."),
}


def problems_markdown() -> str:
    """Return the page as Markdown."""
    sections = [_INTRODUCTION]
    for level, (title, explanation) in _SECTIONS.items():
        rows = [
            f"| `{code}` | {_cell(entry.what)} | {_cell(entry.to_do)} |"
            for code, entry in CATALOGUE.items()
            if entry.level == level
        ]
        table = "\n".join(["| Code | What is wrong | What to do |", "| --- | --- | --- |", *rows])
        sections.append(f"## {title}\n\n{explanation}\n\n{table}\n")
    return "\n".join(sections)


def _cell(text: str) -> str:
    """Return a sentence in a table: nothing in it is Markdown."""
    for special in "\\`*_[]<>|":
        text = text.replace(special, f"\\{special}")
    return text
