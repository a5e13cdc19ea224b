"""The arrows between the four packages, and the layout that keeps the standard library's `platform` in its place."""

from __future__ import annotations

import ast
import platform
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {
    "scoring": ROOT / "scoring",
    "baselines": ROOT / "baselines",
    "bayerboard": ROOT / "platform" / "bayerboard",
    "workers": ROOT / "workers",
}
SITE_PACKAGES = ("django", "allauth", "celery", "kombu", "redis", "csp", "whitenoise")
# What each package must not import, as prefixes of dotted names.
FORBIDDEN = {
    "scoring": ("baselines", "bayerboard", "workers", "torch", *SITE_PACKAGES),
    "baselines": ("bayerboard", "workers", *SITE_PACKAGES),
    "bayerboard": ("workers", "torch"),
    "workers": ("torch",),
}
# All that the site may know of the baselines: what the catalogue lists, and each method's zip. Neither needs torch.
SITE_MAY_USE = ("baselines.catalogue", "baselines.download", "baselines.expected")
PYTHON_FILES = sorted(path for folder in SOURCES.values() for path in folder.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Give line and dotted name of everything that is imported, also by `import_module("…")`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from baselines import catalogue` imports baselines.catalogue
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            names = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
            yield from ((node.lineno, name) for name in names if isinstance(name, str))


def is_below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def violations(package: str, source: str) -> list[str]:
    """Return what a file of a package imports and must not."""
    found = []
    for line, name in imports(ast.parse(source)):
        forbidden = any(is_below(name, prefix) for prefix in FORBIDDEN[package])
        if package == "bayerboard" and is_below(name, "baselines"):
            forbidden = not any(is_below(name, allowed) for allowed in SITE_MAY_USE)
        if forbidden:
            found.append(f"line {line}: {name}")
    return found


def package_of(path: Path) -> str:
    return next(package for package, folder in SOURCES.items() if path.is_relative_to(folder))


def module_level(tree: ast.Module) -> ast.Module:
    """Return what runs when the module is imported: no function bodies, nothing for type checkers alone."""

    class Strip(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None: ...
        def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None: ...

        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)

    stripped = Strip().visit(tree)
    assert isinstance(stripped, ast.Module)
    return stripped


def test_imports_run_one_way() -> None:
    found = {name_of(path): violations(package_of(path), path.read_text()) for path in PYTHON_FILES}
    assert len(found) > 300, "the folders' names have changed"
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("scoring", "import django"),
        ("scoring", "from baselines.catalogue import METHODS"),
        ("scoring", "def score():\n    import torch"),
        ("baselines", "from django.conf import settings"),
        ("bayerboard", "from baselines import predict"),
        ("bayerboard", "from baselines.data.camera import inverse"),
        ("bayerboard", "import workers.score"),
        ("bayerboard", "from importlib import import_module\nimport_module('workers.score')"),
        ("workers", "import torch.nn as nn"),
    ],
)
def test_an_arrow_that_points_the_wrong_way_is_seen(package: str, source: str) -> None:
    assert len(violations(package, source)) == 1


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("bayerboard", "from baselines.catalogue import METHODS"),
        ("bayerboard", "from baselines import catalogue"),
        ("bayerboard", "import workersafety"),
        ("baselines", "from scoring.manifest import Manifest"),
        ("workers", "from baselines.predict import predict"),
    ],
)
def test_an_arrow_that_points_the_right_way_is_let_be(package: str, source: str) -> None:
    assert violations(package, source) == []


def test_torch_is_imported_only_by_methods_and_what_they_share() -> None:
    """Elsewhere in baselines/ it may be imported by a function that needs it, never when a module is loaded."""
    methods = {path.parent for path in SOURCES["baselines"].glob("*/CARD.md")} | {SOURCES["baselines"] / "learning"}
    offenders = [
        name_of(path)
        for path in SOURCES["baselines"].rglob("*.py")
        if path.parent not in methods
        and any(is_below(name, "torch") for _, name in imports(module_level(ast.parse(path.read_text()))))
    ]
    assert methods
    assert offenders == []


def test_what_the_site_uses_of_the_baselines_loads_neither_torch_nor_django() -> None:
    code = "import sys, baselines.catalogue, baselines.download; print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {"torch", "django"} & set(output.split()) == set()


def paths_and_relative_imports(source: str) -> list[int]:
    """Return the lines that import relatively, or that touch the path of imports."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.ImportFrom) and node.level)
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.path", "site.addsitedir"})
        or (isinstance(node, ast.ImportFrom) and node.module == "sys" and any(a.name == "path" for a in node.names))
        or (isinstance(node, ast.Constant) and node.value == "PYTHONPATH")
    ]


@pytest.mark.parametrize(
    "source",
    [
        "from . import columns",
        "import sys\nsys.path.insert(0, '.')",
        "from sys import path",
        "import site\nsite.addsitedir('.')",
        "variables = {'PYTHONPATH': '.'}",
    ],
)
def test_a_relative_import_and_a_path_are_seen(source: str) -> None:
    assert len(paths_and_relative_imports(source)) == 1


def test_imports_are_absolute_and_the_path_is_left_alone() -> None:
    found = {name_of(path): paths_and_relative_imports(path.read_text()) for path in PYTHON_FILES}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_standard_librarys_platform_wins() -> None:
    assert Path(platform.__file__).parent == Path(sysconfig.get_paths()["stdlib"])
    assert platform.system()


def test_platform_holds_the_package_and_nothing_else() -> None:
    found = [path.name for path in (ROOT / "platform").iterdir() if path.name != "__pycache__"]
    assert found == ["bayerboard"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the names in a wheel, built from a copy since building leaves its traces in the source folder."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("platform", "scoring", "workers", "baselines", "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "manage.py"):
        shutil.copyfile(ROOT / name, source / name)
    code = "import sys, setuptools.build_meta; setuptools.build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, folder], cwd=source, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_file_of_the_packages(wheel: set[str]) -> None:
    files = [
        str(path.relative_to(folder.parent))
        for folder in SOURCES.values()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", ".mypy_cache"} & set(path.parts)
    ]
    assert [name for name in files if name not in wheel] == []


def test_the_wheel_holds_the_four_packages_and_nothing_else(wheel: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel if ".dist-info/" not in name} == set(SOURCES)


def test_the_wheel_holds_the_licence(wheel: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel)
