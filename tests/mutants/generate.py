"""Makes mutants: small edits of the source, each of which some test should notice."""

from __future__ import annotations

import ast
import random
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.mutants.groups import Group

    # Start, end and new text of each edit that a node of a file (its text, its lines) allows.
    Edit = Callable[[ast.AST, str, list[str]], Iterator[tuple[int, int, str]]]

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
METHODS = {"filter": "exclude", "exclude": "filter", "min": "max", "max": "min", "any": "all", "all": "any"}
# Statements whose absence no test is meant to notice.
SILENT = re.compile(r"^\s*(logger\.|super\(\)|del )")
# Edits that change nothing here: of a lock's strength, which SQLite does not know; of an INSERT, which a new key makes
# anyway; of permissions, which the umask takes away.
EQUIVALENT = re.compile(r"\b(no_key|force_insert)=False|\bmode=\d")
PER_FUNCTION = 2
# What a cached fragment's key may lose.
CACHE_KEYS = (
    ('"board-row" row board.optional_columns challenge.time_zone', '"board-row" row challenge.time_zone'),
    ('"board-row" row board.optional_columns challenge.time_zone', '"board-row" row board.optional_columns'),
    ('"submission-line" line', '"submission-line" line.submission'),
)


@dataclass(frozen=True)
class Mutant:
    """One edit: the text of a whole line, or of the lines of one expression, before and after it."""

    group: str
    file: str
    function: str
    before: str
    after: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def mutants_of(root: Path, group: Group, seed: int) -> list[Mutant]:
    """Return the group's mutants, the same ones for the same sources and seed."""
    chosen = _draw(root, group, edits, group.mutants, f"{seed} {group.name}")
    chosen += _draw(root, group, edits_of_numbers, group.mutants_of_numbers, f"{seed} {group.name} numbers")
    return sorted(chosen, key=lambda mutant: (mutant.file, mutant.function, mutant.before, mutant.after))


def _draw(root: Path, group: Group, edit: Edit, count: int, seed: str) -> list[Mutant]:
    files = [file for file in group.files if (root / file).exists()]
    found = [mutant for file in files for mutant in candidates(root, file, group.name, edit)]
    random.Random(seed).shuffle(found)
    chosen: list[Mutant] = []
    taken: dict[str, int] = {}
    for mutant in found:
        key = f"{mutant.file} {mutant.function}"
        if EQUIVALENT.search(mutant.after):
            continue
        if len(chosen) < count and taken.get(key, 0) < PER_FUNCTION:
            chosen.append(mutant)
            taken[key] = taken.get(key, 0) + 1
    return chosen


def candidates(root: Path, file: str, group: str, edit: Edit) -> Iterator[Mutant]:
    """Yield every mutant of a file."""
    text = (root / file).read_text("utf-8")
    if file.endswith(".html"):
        for before, after in CACHE_KEYS:
            if before in text:
                yield Mutant(group, file, "template", before, after)
        return
    lines = text.splitlines(keepends=True)
    for function in functions(ast.parse(text)):
        for node in inner(function):
            for start, end, replacement in edit(node, text, lines):
                yield from _mutant(group, file, function.name, text, lines, (start, end, replacement))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name not in {"__str__", "Meta"}:
            yield node


def inner(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of the body: no docstring, decorator, annotation or default."""
    for statement in function.body:
        is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not is_docstring and not isinstance(statement, ast.Raise):
            yield from ast.walk(statement)


def edits(node: ast.AST, text: str, lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and new text of each edit that a node allows."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        start, end = offset(lines, node.left, at_end=True), offset(lines, node.comparators[0])
        yield start, end, _spaced(text[start:end], COMPARISONS[type(node.ops[0])])
    elif isinstance(node, ast.BoolOp):
        start, end = offset(lines, node.values[0], at_end=True), offset(lines, node.values[1])
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        yield start, end, re.sub(rf"\b{word}\b", other, text[start:end], count=1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield offset(lines, node), offset(lines, node.operand), ""
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield offset(lines, node), offset(lines, node, at_end=True), str(not node.value)
    elif isinstance(node, ast.Call):
        yield from _edits_of_a_call(node, text, lines)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield offset(lines, node), offset(lines, node, at_end=True), "pass"


def edits_of_numbers(node: ast.AST, text: str, lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the edits of sums, and of whole numbers."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        start, end = offset(lines, node.left, at_end=True), offset(lines, node.right)
        sign, other = ("+", "-") if isinstance(node.op, ast.Add) else ("-", "+")
        yield start, end, text[start:end].replace(sign, other, 1)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield offset(lines, node), offset(lines, node, at_end=True), str(node.value + 1)


def _edits_of_a_call(node: ast.Call, text: str, lines: list[str]) -> Iterator[tuple[int, int, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in METHODS:
        end = offset(lines, node.func, at_end=True)
        yield end - len(name), end, METHODS[name]
    if name in {"filter", "exclude", "update"}:
        for keyword in node.keywords:
            if keyword.arg is not None:
                start, end = offset(lines, keyword), offset(lines, keyword, at_end=True)
                yield start, end + len(re.match(r",?\s*", text[end:])[0]), ""  # type: ignore[index]


def offset(lines: list[str], node: Any, *, at_end: bool = False) -> int:
    """Return where a node begins or ends in the text, in characters."""
    row, column = (node.end_lineno, node.end_col_offset) if at_end else (node.lineno, node.col_offset)
    before = sum(len(line) for line in lines[: row - 1])
    return before + len(lines[row - 1].encode()[:column].decode())


def _spaced(old: str, operator: str) -> str:
    """Return the text between two operands with another operator, brackets kept."""
    return re.sub(r"(==|!=|<=|>=|<|>|is not|not in|is|in)", operator, old, count=1)


def _mutant(
    group: str, file: str, function: str, text: str, lines: list[str], edit: tuple[int, int, str]
) -> Iterator[Mutant]:
    start, end, replacement = edit
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    before, after = text[first:last], text[first:start] + replacement + text[end:last]
    if SILENT.match(before) or before == after or text.count(before) != 1 or before.lstrip().startswith("raise "):
        return
    try:
        ast.parse(text[:first] + after + text[last:])
    except SyntaxError:
        return
    yield Mutant(group, file, function, before, after)


# --- After a move -------------------------------------------------------------------------------------------------


def locate(root: Path, mutant: Mutant) -> Mutant | None:
    """Return the mutant where its code stands now, in its own file or a file of its function; None where it is gone."""
    files = [mutant.file] if (root / mutant.file).exists() else []
    suffix = mutant.file.rpartition(".")[2]
    for folder in ("platform", "scoring"):
        files += sorted(str(path.relative_to(root)) for path in (root / folder).rglob(f"*.{suffix}"))
    for file in files:
        text = (root / file).read_text("utf-8")
        if text.count(mutant.before) == 1 and (suffix == "html" or f"def {mutant.function}(" in text):
            return Mutant(mutant.group, file, mutant.function, mutant.before, mutant.after)
    return None


def apply(root: Path, mutant: Mutant) -> str:
    """Edit the file, and return its text as it was."""
    path = root / mutant.file
    text = path.read_text("utf-8")
    if text.count(mutant.before) != 1:
        raise ValueError(f"{mutant.file} does not hold the mutant's text once")
    path.write_text(text.replace(mutant.before, mutant.after), "utf-8")
    return text
