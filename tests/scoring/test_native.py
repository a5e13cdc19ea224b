"""The compiled loops: kept, loaded without the compiler, and never taken from where others can write."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import llvmlite.binding as llvm
import numpy as np
import pytest

from scoring.metrics import native

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def compiling(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Compile in no time; returns the results, of which there is a new one each time."""
    results: list[bytes] = []

    def compile_() -> bytes:
        results.append(b"machine code, version %d" % len(results))
        return results[-1]

    monkeypatch.setattr(native, "_compile", compile_)
    return results


def kept_in(folder: Path) -> Path:
    (path,) = folder.glob("kernel-*.o")
    return path


def test_what_the_compiler_makes_stands_alone_and_works(tmp_path: Path) -> None:
    x, y = np.array([1, 2, 3], np.uint16), np.array([1, 4, 65535], np.uint16)

    loops = native.Loops(native.machine_code([tmp_path / "cache"]))

    assert loops.squared_error(x.ctypes.data, y.ctypes.data, 3) == 4 + 65532**2
    assert kept_in(tmp_path / "cache").stat().st_mode & 0o077 == 0o044


def test_what_was_kept_is_not_compiled_again(compiling: list[bytes], tmp_path: Path) -> None:
    first = native.machine_code([tmp_path])

    assert native.machine_code([tmp_path]) == first
    assert len(compiling) == 1


@pytest.mark.parametrize("length", [0, 40])
def test_a_damaged_file_is_replaced(compiling: list[bytes], length: int, tmp_path: Path) -> None:
    native.machine_code([tmp_path])
    kept_in(tmp_path).write_bytes(kept_in(tmp_path).read_bytes()[:length])

    assert native.machine_code([tmp_path]) == compiling[1]
    assert native.machine_code([tmp_path]) == compiling[1]


@pytest.mark.usefixtures("compiling")
def test_another_processor_has_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    native.machine_code([tmp_path])
    monkeypatch.setattr(llvm, "get_host_cpu_name", lambda: "another")
    native.machine_code([tmp_path])

    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_others_can_write_to_is_not_used(compiling: list[bytes], tmp_path: Path) -> None:
    shared, private = tmp_path / "shared", tmp_path / "private"
    native.machine_code([shared])
    shared.chmod(0o777)

    assert native.machine_code([shared, private]) == compiling[1]
    assert kept_in(private).is_file()


def test_a_file_that_others_can_write_to_is_not_read(compiling: list[bytes], tmp_path: Path) -> None:
    native.machine_code([tmp_path])
    kept_in(tmp_path).chmod(0o666)

    assert native.machine_code([tmp_path]) == compiling[1]


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(compiling: list[bytes], tmp_path: Path) -> None:
    native.machine_code([tmp_path / "folder"])
    blocked = kept_in(tmp_path / "folder")
    blocked.unlink()
    blocked.mkdir()
    (tmp_path / "file").touch()

    assert native.machine_code([tmp_path / "file", tmp_path / "folder"]) == compiling[1]


def test_code_that_needs_the_compiler_beside_it_is_refused() -> None:
    module = llvm.parse_assembly(
        "declare i64 @help()\ndefine i64 @similarity() {\n%1 = call i64 @help()\nret i64 %1\n}"
    )

    with pytest.raises(RuntimeError, match="the compiled loops call help"):
        native._close(module, native._machine())


def test_scoring_does_not_import_the_compiler_once_the_loops_are_kept() -> None:
    native.loops()
    script = (
        "import sys, numpy as np\n"
        "from scoring.metrics.fast import measure\n"
        "image = np.ones((20, 20, 4), np.uint16)\n"
        "assert measure('ssim', image, image, data_range=1024).value == 1\n"
        "print('numba' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
