"""What is fuzzed: one target for each parser, with good inputs to begin from.

A target takes any bytes, and may end in any way that the parser's documentation names. Anything else that it raises
is a finding, and so is taking more time or memory than the input's size allows.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import tempfile
import time
import warnings
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from scoring.archive import ArchiveError
from scoring.check import check_archive
from scoring.engine import score_archive
from scoring.factsheet import parse_readme
from scoring.formula import Formula, FormulaError, UndefinedValueError
from scoring.images import decode
from scoring.manifest import FileSpec, Manifest, ManifestError
from scoring.npy import PREFIX_BYTES, NpyError, decode_array, parse_header
from scoring.problems import SubmissionRejected
from scoring.protocol import Protocol, ProtocolError, load_protocol, parse_protocol
from scoring.reference import Reference
from scoring.report import report_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

NAMES = ("6_0", "6_1")
SHAPE = (16, 16, 4)

# Bounds of one input. The first part of each is for what an empty input costs, with much to spare for a busy machine
# and for the fuzzer's own bookkeeping; the second is what makes it a bound for any size.
SECONDS = 1.0
SECONDS_PER_BYTE = 20e-6
# An image of an unexpected type is inflated to say what is wrong with it: see Limits.ratio_from_bytes.
MEMORY_BYTES = 96 << 20
MEMORY_BYTES_PER_BYTE = 300


class TooSlowError(Exception):
    """An input took more time than its size allows."""


class TooLargeError(Exception):
    """An input took more memory than its size allows."""


@dataclass(frozen=True)
class Target:
    """A parser: what it is called, the function to feed, and inputs to begin from."""

    name: str
    what: str
    feed: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    max_bytes: int = 1 << 14

    def run(self, data: bytes) -> None:
        """Feed one input and hold it to the bounds."""
        _load(self.name)
        before = _peak_bytes()
        started = time.process_time()
        self.feed(data)
        spent_s = time.process_time() - started
        grown_bytes = _peak_bytes() - before
        if spent_s > SECONDS + SECONDS_PER_BYTE * len(data):
            raise TooSlowError(f"{spent_s:.2f} s for {len(data)} bytes")
        if grown_bytes > MEMORY_BYTES + MEMORY_BYTES_PER_BYTE * len(data):
            raise TooLargeError(f"{grown_bytes} bytes more at the peak, for {len(data)} bytes")


@cache
def _load(name: str) -> None:
    """Load and compile what is only loaded when it is needed, so that no input pays for it."""
    for seed in TARGETS[name].seeds():
        TARGETS[name].feed(seed)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# --- Protocols and good inputs --------------------------------------------------------------------------------------


@cache
def _protocol(container: str) -> Protocol:
    """Return a small protocol of each container."""
    data = load_protocol("aim22-s7").to_json() | {"name": container, "shape": list(SHAPE)}
    if container == "npz":
        data |= {"container": "npz", "level_scale": "per file"}
    elif container != "npy":
        levels = {"level_scale": 255.0, "max_value": 255, "white_level": 255}
        data |= {"container": container, "dtype": "uint8", "shape": [16, 16, 3], **levels}
    return Protocol.from_json(data)


@cache
def _image() -> NDArray[np.uint16]:
    return np.random.default_rng(3).integers(0, 1024, SHAPE, dtype=np.uint16)


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _zip(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def _readmes() -> list[bytes]:
    return [
        b"runtime per frame [s] : 0.0036\nCPU[1] / GPU[0] : 0\nExtra Data [1] / No Extra Data [0] : 1\n"
        b"Other description : a U-Net\nof two lines\n",
        "\ufeffRuntime: 12 ms\r\nDevice： RTX 3090\r\nAdditional training data = none\r\n".encode("utf-16"),
        b"| runtime | **1,5 min** |\nplatform: Intel Xeon\nexternal data: yes\n",
    ]


def _archives() -> list[bytes]:
    image, readme = _npy(_image()), _readmes()[0]
    files = {f"submission/{name}.npy": image for name in NAMES} | {"submission/readme.txt": readme}
    odd = {"a/6_0.NPY": image, "__MACOSX/._6_0.npy": b"?", "b/6-01.npy": _npy(_image() / np.float64(1024))}
    return [_zip(files), _zip(files, zipfile.ZIP_STORED), _zip(odd), _zip({}), _zip({"6_0.npy": b"", "x.zip": b"PK"})]


def _members() -> list[bytes]:
    """Return the good and the odd archive, as :func:`members` takes them apart."""
    image = _npy(_image())
    contents = [
        {f"{name}.npy": image for name in NAMES},
        {"a/6_0.npy": image, "readme.txt": _readmes()[0], "6_1.PNG": b"?"},
    ]
    return [
        b"".join(
            bytes([len(name)]) + len(data).to_bytes(2, "little") + name.encode() + data for name, data in files.items()
        )
        for files in contents
    ]


@cache
def _reference() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-reference-"))
    for name in NAMES:
        np.save(folder / f"{name}.npy", _image())
    return folder


def _arrays() -> list[bytes]:
    image = _image()
    kinds: list[NDArray[Any]] = [
        image,
        np.asfortranarray(image),
        image.astype(">u2"),
        image.astype("f4"),
        image[:1, 0, 0],
    ]
    return [_npy(kind) for kind in kinds]


def _npzs() -> list[bytes]:
    buffer, packed = io.BytesIO(), io.BytesIO()
    np.savez(buffer, raw=_image(), max_val=np.array(1023))
    np.savez_compressed(packed, raw=_image(), max_val=np.array([1023.0]))
    return [buffer.getvalue(), packed.getvalue()]


def _pictures(kind: str, modes: tuple[str, ...]) -> list[bytes]:
    files = []
    for mode in modes:
        buffer = io.BytesIO()
        Image.fromarray((_image()[..., :3] // 4).astype(np.uint8)).convert(mode).save(buffer, kind)
        files.append(buffer.getvalue())
    return files


# --- Targets --------------------------------------------------------------------------------------------------------


def check(data: bytes) -> None:
    """Any archive is answered with a report, and the report is sound text."""
    protocol = _protocol("npy")
    report = check_archive(io.BytesIO(data), Manifest.for_names(NAMES, protocol), protocol)
    found = report_json(protocol.name, factsheet=report.factsheet, errors=report.errors, warnings=report.warnings)
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()


def score(data: bytes) -> None:
    """Any archive is scored or rejected."""
    protocol = _protocol("npy")
    with Reference.open(_reference(), protocol) as reference, contextlib.suppress(SubmissionRejected):
        json.dumps(score_archive(io.BytesIO(data), reference, protocol).to_json(), allow_nan=False)


def members(data: bytes) -> None:
    """Any names and contents, in an archive that is sound: mutations of a whole one seldom get past its checksums."""
    files = {}
    while data:
        name_bytes, size_bytes = data[0], int.from_bytes(data[1:3], "little")
        name = data[3 : 3 + name_bytes].decode("utf-8", errors="replace")
        files[name or "6_0.npy"] = data[3 + name_bytes : 3 + name_bytes + size_bytes]
        data = data[3 + name_bytes + size_bytes :]
    with warnings.catch_warnings(action="ignore"):  # zipfile's, of names that it makes equal
        archive = _zip(files)
    check(archive)
    score(archive)


def npy(data: bytes) -> None:
    with contextlib.suppress(NpyError):
        decode_array(data, parse_header(data[:PREFIX_BYTES]))


def readme(data: bytes) -> None:
    json.dumps(parse_readme(data).to_json(), ensure_ascii=False, allow_nan=False).encode()


def protocol_file(data: bytes) -> None:
    """Return a protocol or an error; what was read can be stored and read again."""
    text = data.decode("utf-8", errors="replace")
    with contextlib.suppress(ProtocolError):
        protocol = parse_protocol(text, source="fuzz.toml")
        stored = json.loads(json.dumps(protocol.to_json(), allow_nan=False))
        assert Protocol.from_json(stored) == protocol


def manifest_file(data: bytes) -> None:
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):  # json's own, which the site meets before the manifest
        return
    with contextlib.suppress(ManifestError):
        manifest = Manifest.from_json(parsed)
        assert Manifest.from_json(manifest.to_json()) == manifest


def formula(data: bytes) -> None:
    with contextlib.suppress(FormulaError, UndefinedValueError):
        parsed = Formula.parse(data.decode("utf-8", errors="replace"))
        parsed.evaluate(dict.fromkeys(parsed.names, 1.5))


def _decode(container: str) -> Callable[[bytes], None]:
    def feed(data: bytes) -> None:
        protocol = _protocol(container)
        spec = FileSpec("6_0", protocol.shape, protocol.dtype, protocol.container)
        with contextlib.suppress(ArchiveError):
            decode(data, spec, protocol, file="6_0")

    return feed


def _protocol_seeds() -> list[bytes]:
    folder = Path(__file__).parents[2] / "scoring" / "protocols"
    return [path.read_bytes() for path in sorted(folder.glob("*.toml"))]


def _manifest_seeds() -> list[bytes]:
    return [json.dumps(Manifest.for_names(NAMES, _protocol("npy")).to_json()).encode(), b'{"files": []}', b"[1e999]"]


def _formula_seeds() -> list[bytes]:
    return [b"2**(2*psnr) / (1.1e12 * runtime_s)", b"min(psnr, 40) + sqrt(abs(-ssim)) - log10(3)", b"1 / (psnr - 1.5)"]


TARGETS = {
    target.name: target
    for target in (
        Target("check", "an archive, checked: directory, names, headers, readme", check, _archives),
        Target("score", "an archive, scored against two images", score, _archives),
        Target("members", "names and contents in a sound archive, checked and scored", members, _members),
        Target("npy", "a .npy file: header and values", npy, _arrays),
        Target("npz", "a .npz file: the zip that it is, image and level", _decode("npz"), _npzs),
        Target("png", "a PNG image", _decode("png"), lambda: _pictures("png", ("RGB", "L", "P"))),
        Target("jpg", "a JPEG image", _decode("jpg"), lambda: _pictures("jpeg", ("RGB", "L"))),
        Target("readme", "a readme", readme, _readmes, max_bytes=1 << 12),
        Target("protocol", "a protocol's TOML file", protocol_file, _protocol_seeds, max_bytes=1 << 13),
        Target("manifest", "a manifest's JSON file", manifest_file, _manifest_seeds, max_bytes=1 << 12),
        Target("formula", "a composite column's formula", formula, _formula_seeds, max_bytes=1 << 9),
    )
}
