"""The reference of a phase: checked image by image, and kept as one zip with a private manifest."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from bayerboard.importing.materials import (
    MaterialInvalid,
    PreparedFile,
    describe,
    zip_entry,
)
from scoring.canonical import sha256_of_json
from scoring.images import MAX_VAL_MEMBER, RAW_MEMBER
from scoring.problems import ReferenceInvalid
from scoring.reference import SUBSETS_FILE, Reference

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from scoring.images import Decoded
    from scoring.protocol import Protocol


@dataclass(frozen=True)
class PreparedReference:
    """The reference of a phase as one zip, with its private manifest."""

    file: PreparedFile
    names: tuple[str, ...]
    manifest: list[dict[str, Any]]

    @property
    def manifest_sha256(self) -> str:
        return sha256_of_json(self.manifest)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {item["name"]: tuple(item["shape"]) for item in self.manifest}


def prepare_reference(source: Path, target: Path, protocol: Protocol) -> PreparedReference:
    """Check every image of a folder or zip, and collect them in one zip, with the file of subsets if there are some."""
    try:
        with Reference.open(source, protocol) as reference, zipfile.ZipFile(target, "w") as archive:
            for name in reference.names:
                # Not compressed: a reference is read again for every submission, a disk is cheap.
                file_name, data = _file(reference, name, protocol)
                archive.writestr(zip_entry(file_name), data)
            if protocol.subsets:
                subsets = {name: info["subset"] for name, info in reference.private_info().items()}
                archive.writestr(zip_entry(SUBSETS_FILE), json.dumps(subsets, indent=1))
            names, manifest = reference.names, reference.private_manifest()
    except ReferenceInvalid as error:
        raise MaterialInvalid(f"{str(error).rstrip('.')}.", _hint(protocol)) from error
    return PreparedReference(describe(target, target.name), names, manifest)


def _file(reference: Reference, name: str, protocol: Protocol) -> tuple[str, bytes]:
    """Return an image's file as it is kept: pictures as they came, arrays written anew without compression."""
    decoded = reference.decode(name)
    if protocol.container == "npy":
        return f"{name}.npy", _npy(decoded.pixels)
    if protocol.container == "npz":
        return f"{name}.npz", _npz(decoded)
    return reference.file(name)


def _npy(array: NDArray[Any]) -> bytes:
    buffer = BytesIO()
    little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
    np.lib.format.write_array(buffer, little_endian, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _npz(image: Decoded) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zip_entry(RAW_MEMBER), _npy(image.pixels))
        archive.writestr(zip_entry(MAX_VAL_MEMBER), _npy(np.array(image.max_val, np.float64)))
    return buffer.getvalue()


def _hint(protocol: Protocol) -> str:
    hint = f"Every image must be a .{protocol.container} of {protocol.array_label}, 0..{protocol.max_value}."
    if protocol.subsets and protocol.subset_pattern is None:
        known = ", ".join(protocol.subsets)
        hint += f" {SUBSETS_FILE} beside them says which subset each belongs to ({known})."
    return hint
