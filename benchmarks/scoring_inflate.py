"""Inflaters on the content of submissions: ``python -m benchmarks.scoring_inflate``.

Those that are not installed are left out; `make dev-environment` installs them all.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

from isal import isal_zlib

from benchmarks.data import SIDE_PX, npy, scene
from benchmarks.timing import in_turns
from scoring.inflate import inflate

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES = 8


def inflaters(size_bytes: int) -> dict[str, Callable[[bytes], bytes]]:
    """Return each as it would be used here: stopping at the announced size."""
    known: dict[str, Callable[[bytes], bytes]] = {
        "Bayerboard (isal, bounded)": lambda packed: inflate(io.BytesIO(packed).read, len(packed), size_bytes + 1),
        "isal": lambda packed: isal_zlib.decompressobj(-15).decompress(packed, size_bytes + 1),
        "zlib (standard library)": lambda packed: zlib.decompressobj(-15).decompress(packed, size_bytes + 1),
    }
    for label, name in (("zlib-ng", "zlib_ng.zlib_ng"), ("deflate (libdeflate)", "deflate")):
        with contextlib.suppress(ImportError):
            known[label] = _foreign(importlib.import_module(name), size_bytes)
    return known


def _foreign(module: Any, size_bytes: int) -> Callable[[bytes], bytes]:
    def inflated(packed: bytes) -> bytes:
        if hasattr(module, "decompressobj"):
            return bytes(module.decompressobj(-15).decompress(packed, size_bytes + 1))
        return bytes(module.deflate_decompress(packed, size_bytes))

    return inflated


def _all(function: Callable[[bytes], bytes], packed: list[bytes]) -> None:
    for data in packed:
        function(data)


def report(*, repeats: int = 15) -> str:
    files = [npy(scene(SIDE_PX, SIDE_PX, seed)[1]) for seed in range(IMAGES)]
    packed = []
    for data in files:
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed.append(packer.compress(data) + packer.flush())
    functions = {label: partial(_all, function, packed) for label, function in inflaters(len(files[0])).items()}
    size_mb = sum(map(len, files)) / 1e6
    lines = ["| inflater | speed | one image |", "| --- | ---: | ---: |"]
    for label, seconds in in_turns(functions, repeats).items():
        lines.append(f"| {label} | {size_mb / seconds:.0f} MB/s | {seconds / IMAGES * 1e3:.2f} ms |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
