"""The loops of :mod:`scoring.metrics.kernel` as machine code: compiled once, then loaded without the compiler.

The compiler takes longer to import than a small set takes to score, so its result is kept in a file, in the folder
where Python keeps its own compiled files or else in the user's cache. The file's name says for which source, processor
and version of LLVM it is; a checksum tells a damaged one, and one that others could have written is not even read.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llvmlite
import llvmlite.binding as llvm

from scoring.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FOLDER = Path(__file__).parent
_SOURCES = ("kernel.py", "filters.py", "tile.py", "native.py")
_DIGEST_BYTES = hashlib.sha256().digest_size
_POINTER, _INTEGER, _REAL = ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_double
# Each entry of the kernel: its result, then its arguments.
ENTRIES: dict[str, tuple[Any, ...]] = {
    "squared_error": (_INTEGER, _POINTER, _POINTER, _INTEGER),
    "similarity": (_INTEGER, _POINTER, _POINTER, *[_INTEGER] * 4, _REAL, *[_POINTER] * 4),
}


class Loops:
    """The entries of the kernel, callable with addresses; other threads run meanwhile."""

    def __init__(self, machine_code: bytes) -> None:
        # The functions live as long as their loader.
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(machine_code))
        self._engine.finalize_object()
        self.squared_error = self._function("squared_error")
        self.similarity = self._function("similarity")

    def _function(self, name: str) -> Callable[..., int]:
        function: Callable[..., int] = ctypes.CFUNCTYPE(*ENTRIES[name])(self._engine.get_function_address(name))
        return function


_lock = threading.Lock()
_loaded: list[Loops] = []


def loops() -> Loops:
    """Return the compiled loops of this process; the first call loads them, or compiles them if there are none."""
    with _lock:
        if not _loaded:
            _loaded.append(Loops(machine_code(_folders())))
        return _loaded[0]


def machine_code(folders: Iterable[Path]) -> bytes:
    """Return the kernel's machine code from the first folder that has it; else compile it and store it in one."""
    _initialise()
    name = _file_name()
    usable = []
    for folder in folders:
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours(folder):
                usable.append(folder)
                if (found := _read(folder / name)) is not None:
                    return found
    code = _compile()
    for folder in usable:
        with suppress(OSError):
            write_atomically(folder / name, hashlib.sha256(code).digest() + code)
            break
    return code


def _folders() -> list[Path]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return [_FOLDER / "__pycache__", cache / "bayerboard"]


def _file_name() -> str:
    """Return a name that differs for all that the machine code depends on."""
    features = llvm.get_host_cpu_features().flatten()
    facts = [llvmlite.__version__, llvm.get_process_triple(), llvm.get_host_cpu_name(), features]
    digest = hashlib.sha256("\n".join(facts).encode())
    for source in _SOURCES:
        digest.update((_FOLDER / source).read_bytes())
    return f"kernel-{digest.hexdigest()[:32]}.o"


def _is_ours(path: Path) -> bool:
    """Return whether only its owner, who must be this user or the administrator, can write to a file or folder."""
    status = path.stat()
    return os.name == "nt" or (
        status.st_uid in {0, os.geteuid()} and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _read(path: Path) -> bytes | None:
    """Return the stored machine code; None if it is missing, damaged, or could be another user's."""
    if not (path.is_file() and _is_ours(path)):
        return None
    data = path.read_bytes()
    digest, code = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None


def _initialise() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def _machine() -> llvm.TargetMachine:
    target = llvm.Target.from_triple(llvm.get_process_triple())
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True)


def _compile() -> bytes:
    """Return the machine code of the entries: numba makes LLVM's assembly of them, optimised for this processor."""
    # All of this serves to avoid importing these.
    numba, kernel = importlib.import_module("numba"), importlib.import_module("scoring.metrics.kernel")
    whole = llvm.parse_assembly("")
    for name, signature in kernel.SIGNATURES.items():
        entry = numba.cfunc(signature, error_model="numpy", fastmath=True)(getattr(kernel, name))
        module = llvm.parse_assembly(entry.inspect_llvm())
        module.get_function(entry.native_name).name = name
        whole.link_in(module)
    machine = _machine()
    _close(whole, machine)
    code: bytes = machine.emit_object(whole)
    return code


def _close(whole: llvm.ModuleRef, machine: llvm.TargetMachine) -> None:
    """Drop code that only leads to numba's exceptions, so that the code stands alone: these loops raise none.

    Raises
    ------
    RuntimeError
        It does not stand alone.
    """
    for function in whole.functions:
        if not function.is_declaration and function.name not in ENTRIES:
            function.linkage = llvm.Linkage.internal
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(whole, passes)
    foreign = [f.name for f in whole.functions if f.is_declaration and not f.name.startswith("llvm.")]
    if foreign:
        raise RuntimeError(f"the compiled loops call {', '.join(foreign)}")
