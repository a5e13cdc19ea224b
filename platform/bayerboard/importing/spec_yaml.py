"""Reads a YAML file into plain values and remembers on which line each of them stands.

Every scalar stays the text that was written; what it means is the schema's decision. So `NO`, `12:30`, `010`
and a date without quotes never become a boolean, a number of minutes, an octal or a midnight, as YAML 1.1
would have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAX_FILE_BYTES = 1_000_000
MAX_DEPTH = 24
MAX_VALUES = 20_000

KeyPath = tuple[str | int, ...]
Mark = tuple[int, int]
"""Line and column, both from 1."""

_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("null", "bool", "int", "float", "str", "timestamp", "map", "seq", "merge", "value")
)


@dataclass(frozen=True)
class SpecProblem:
    """One mistake in a challenge file: its place, a message and a hint."""

    file: Path
    line: int
    column: int
    path: str
    message: str
    hint: str

    def __str__(self) -> str:
        key = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {key}{self.message} {self.hint}".rstrip()


class SpecError(Exception):
    """A challenge file that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: list[SpecProblem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column, problem.path))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class SourceMap:
    """Where the values of one file stand."""

    file: Path
    marks: Mapping[KeyPath, Mark]

    def problem(self, path: KeyPath, message: str, hint: str) -> SpecProblem:
        """Return a problem of the value at `path`; one that is not in the file is reported where it belongs."""
        where = path
        while where and where not in self.marks:
            where = where[:-1]
        line, column = self.marks.get(where, (1, 1))
        return SpecProblem(self.file, line, column, format_path(path), message, hint)


@dataclass(frozen=True)
class Document:
    """The root value of a file, its places, and the mistakes that did not prevent reading it."""

    value: Any
    source: SourceMap
    problems: list[SpecProblem]


def format_path(path: KeyPath) -> str:
    """`("tracks", 0, "slug")` as `tracks[0].slug`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_yaml(file: Path) -> Document:
    """Read one YAML document; raises SpecError where there is nothing to go on with."""
    node = _compose(file, _read_text(file))
    reader = _NodeReader(file)
    try:
        value = None if node is None else reader.read(node, ())
    except _TooMuchError as error:
        line, column = _mark(error.node)
        hint = "Aliases (*name) count as often as they are used; an alias must not contain itself."
        problem = SpecProblem(file, line, column, "", f"The file holds more than {error.limit}.", hint)
        raise SpecError([problem]) from None
    return Document(value, SourceMap(file, reader.marks), reader.problems)


def _failed(file: Path, message: str, hint: str, line: int = 1, column: int = 1) -> SpecError:
    return SpecError([SpecProblem(file, line, column, "", message, hint)])


def _read_text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _failed(file, f"The file cannot be read: {error.strerror}.", "Check its path.") from error
    if len(data) > MAX_FILE_BYTES:
        hint = "Put long texts into files of their own (description_file, terms_file)."
        raise _failed(file, f"The file is larger than {MAX_FILE_BYTES:,} bytes.", hint)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _failed(file, "The file is not UTF-8 text.", "Save it as UTF-8.", line) from error


class _BoundedLoader(yaml.SafeLoader):
    """Composes nodes and nothing else; refuses nesting that would exhaust the stack."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # missing in the stubs
                raise yaml.composer.ComposerError(None, None, f"nested deeper than {MAX_DEPTH}", mark)
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _compose(file: Path, text: str) -> yaml.Node | None:
    hint = "Correct the YAML here; whatever follows was not read."
    try:
        # the loader is a SafeLoader, and no value is constructed at all
        return yaml.compose(text, Loader=_BoundedLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise _failed(file, f"This is not YAML: {what}.", hint, line, column) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _failed(file, f"This is not YAML: {error.reason}.", hint, line) from error


class _TooMuchError(Exception):
    def __init__(self, node: yaml.Node, limit: str) -> None:
        super().__init__(limit)
        self.node, self.limit = node, limit


def _mark(node: yaml.Node) -> Mark:
    return node.start_mark.line + 1, node.start_mark.column + 1


class _NodeReader:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.marks: dict[KeyPath, Mark] = {}
        self.problems: list[SpecProblem] = []
        self.values = 0

    def read(self, node: yaml.Node, path: KeyPath) -> Any:
        self._count(node, path)
        self.marks.setdefault(path, _mark(node))
        if node.tag not in _PLAIN_TAGS:
            self._report(node, path, f"The tag {node.tag} has no meaning here.", "Remove it.")
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return None if node.tag == _NULL else node.value

    def _count(self, node: yaml.Node, path: KeyPath) -> None:
        # aliases make a small file large, or endless when one contains itself
        self.values += 1
        if self.values > MAX_VALUES:
            raise _TooMuchError(node, f"{MAX_VALUES:,} values")
        if len(path) > MAX_DEPTH:
            raise _TooMuchError(node, f"{MAX_DEPTH} levels")

    def _read_mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        first_lines: dict[str, int] = {}
        merged: list[yaml.MappingNode] = []
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged.extend(self._merge_sources(value_node, path))
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in first_lines:
                message = f"The key “{key}” stands here a second time (first on line {first_lines[key]})."
                self._report(key_node, (*path, key), message, "Keep one of the two.")
                continue
            first_lines[key] = key_node.start_mark.line + 1
            self.marks[(*path, key)] = _mark(key_node)
            result[key] = self.read(value_node, (*path, key))
        self._merge(merged, path, result)
        return result

    def _merge(self, sources: list[yaml.MappingNode], path: KeyPath, result: dict[str, Any]) -> None:
        """`<<: *name`: the keys of other mappings, where this one has none of its own."""
        # a queue, not recursion: a mapping may name itself here, and then only the count ends it
        for source in sources:
            self._count(source, path)
            for key_node, value_node in source.value:
                if key_node.tag == _MERGE:
                    sources.extend(self._merge_sources(value_node, path))
                elif isinstance(key_node, yaml.ScalarNode) and key_node.value not in result:
                    self.marks[(*path, key_node.value)] = _mark(key_node)
                    result[key_node.value] = self.read(value_node, (*path, key_node.value))

    def _merge_sources(self, node: yaml.Node, path: KeyPath) -> Iterator[yaml.MappingNode]:
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if isinstance(source, yaml.MappingNode):
                yield source
            else:
                self._report(source, path, "Only a mapping can be merged with <<.", "Point it at one: <<: *name.")

    def _key(self, node: yaml.Node, path: KeyPath) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self._report(node, path, "A key must be a word.", "Write it as key: value.")
        return None

    def _report(self, node: yaml.Node, path: KeyPath, message: str, hint: str) -> None:
        line, column = _mark(node)
        self.problems.append(SpecProblem(self.file, line, column, format_path(path), message, hint))
