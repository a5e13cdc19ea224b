"""A copy of a checkout, in which mutants are put and taken back, and the tests that run against it."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pytest
from coverage import CoverageData

from tests.mutants.generate import Mutant, apply
from tests.mutants.groups import BY_NAME, GROUPS

if TYPE_CHECKING:
    from pathlib import Path

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", "node_modules", "build", "dist", "test-results", ".*_cache", ".hypothesis", ".coverage*"
)
# Of `scoring/`, only the ranking is mutated, and nothing else in there imports it.
SUITE = ("tests/site", "tests/workers", "tests/scoring/test_ranking.py")
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "-m", "not processes and not browser")
# A test that hangs has noticed.
LIMIT_S = 900
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)
SHADOWED = "import bayerboard, scoring, workers as w; print(bayerboard.__file__, scoring.__file__, w.__file__)"


@dataclass
class Scratch:
    """A copy of a checkout. Its sources come before the installed ones, as `check_it_is_used` makes sure."""

    root: Path
    # test → (file, line) of what it runs of the files that are mutated, where that was measured
    runs: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    # Tests that fail without any mutant, and can notice none.
    failing: frozenset[str] = frozenset()

    @classmethod
    def copy_of(cls, checkout: Path, folder: Path) -> Self:
        root = folder / "checkout"
        shutil.copytree(checkout, root, ignore=LEFT_OUT, symlinks=True)
        scratch = cls(root)
        scratch.check_it_is_used()
        return scratch

    def check_it_is_used(self) -> None:
        """Raise RuntimeError where a process would import the installed sources instead of the copy's."""
        found = self.python("-c", SHADOWED).stdout.split()
        if len(found) != 3 or not all(path.startswith(f"{self.root}{os.sep}") for path in found):
            raise RuntimeError(f"the copy in {self.root} is not imported, but {found}")

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.root / "platform"), str(self.root)])
        data = str(self.root / "var")
        env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "BAYERBOARD_DATA": data}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.root, env=env, capture_output=True, text=True, timeout=LIMIT_S * 4, check=False
        )

    def measure(self, processes: int) -> None:
        """Run the suite once as it is, to know which tests run which lines, and which of them fail anyway."""
        files = sorted({file for group in GROUPS for file in group.files if file.endswith(".py")})
        settings = self.root / "mutants.coveragerc"
        include = "".join(f"\n    {self.root / file}" for file in files)
        settings.write_text(f"[run]\ndata_file = {self.root / '.coverage'}\ninclude = {include}\n", "utf-8")
        coverage = ("--cov", f"--cov-config={settings}", "--cov-context=test", "--cov-report=")
        done = self.python(*PYTEST, *coverage, "-p", "no:playwright", "--numprocesses", str(processes), *SUITE)
        self.failing = frozenset(FAILED.findall(done.stdout))
        data = CoverageData(str(self.root / ".coverage"))
        data.read()
        self.runs = {}
        for path in data.measured_files():
            file = os.path.relpath(path, self.root)
            for line, contexts in data.contexts_by_lineno(path).items():
                for context in filter(None, contexts):
                    self.runs.setdefault(context.rpartition("|")[0], set()).add((file, line))

    def save(self, file: Path) -> None:
        """Keep the measurement for another copy of the same checkout."""
        runs = {test: sorted(lines) for test, lines in self.runs.items()}
        file.write_text(json.dumps({"runs": runs, "failing": sorted(self.failing)}), "utf-8")

    def load(self, file: Path) -> None:
        """Take over the measurement of another copy of the same checkout."""
        kept = json.loads(file.read_text("utf-8"))
        self.runs = {test: {(name, line) for name, line in lines} for test, lines in kept["runs"].items()}
        self.failing = frozenset(kept["failing"])

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the mutant's function, likely ones first; its group's files if none is known."""
        likely = BY_NAME[mutant.group].tests
        lines = {(mutant.file, line) for line in lines_of_function(self.root, mutant)}
        found = [test for test, run in self.runs.items() if run & lines and test not in self.failing]
        if not found:
            return [file for file in likely if (self.root / file).exists()]
        order = {file: index for index, file in enumerate(likely)}
        return sorted(found, key=lambda test: (order.get(test.partition("::")[0], len(order)), test))

    def run(self, mutant: Mutant) -> tuple[str, str]:
        """Return `killed` or `survived`, and the first test that failed."""
        chosen = self.root / "mutants.tests"
        chosen.write_text("\n".join(self.tests_of(mutant)), "utf-8")
        before = apply(self.root, mutant)
        try:
            done = self.python(*PYTEST, "-x", "-p", "no:playwright", f"@{chosen}")
        except subprocess.TimeoutExpired:
            return "killed", "took too long"
        finally:
            (self.root / mutant.file).write_text(before, "utf-8")
        if done.returncode == 0:
            return "survived", ""
        if done.returncode not in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED}:
            # Stopped from outside, or called wrongly: that says nothing of the mutant.
            raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        failed = FAILED.findall(done.stdout)
        return "killed", failed[0] if failed else f"pytest ended with {done.returncode}"


def lines_of_function(root: Path, mutant: Mutant) -> range:
    """Return the lines of the body of the function in which the mutant stands; none in a template."""
    text = (root / mutant.file).read_text("utf-8")
    if not mutant.file.endswith(".py"):
        return range(0)
    at = text.index(mutant.before)
    line = text.count("\n", 0, at) + 1
    around = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    innermost = max(around, key=lambda node: node.lineno)
    return range(innermost.body[0].lineno, (innermost.end_lineno or 0) + 1)
