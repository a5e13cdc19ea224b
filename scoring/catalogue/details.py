"""Phrases that complete the catalogue's sentences about a file's bytes."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# The phrases that fill the places {reason} and {what} for faults in a file's bytes; the page's script uses them too.
DETAILS: Mapping[str, str] = MappingProxyType(
    {
        "npy-signature": "it does not begin with the signature of the format",
        "npy-version": "its format version is unknown",
        "npy-ends-in-header": "it ends inside its header",
        "npy-header": "its header cannot be understood",
        "npy-kind": "a value in its header is of the wrong kind",
        "npy-type": "the type in its header does not exist",
        "npz-members": "it does not hold just raw.npy and max_val.npy",
        "npz-packing": "it is encrypted or packed with a method other than Store and Deflate",
        "npz-zip": "the zip that it is cannot be read ({code})",
        "differs-name": "its name",
        "differs-flags": "its flags",
        "differs-method": "its packing method",
        "differs-sizes": "its size or checksum",
        "differs-descriptor": "its data descriptor",
    }
)
