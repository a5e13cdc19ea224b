"""Prepares all the files of a challenge for storage, and reports their faults in the challenge file's terms."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bayerboard.importing.inputs import PreparedInputs, prepare_inputs
from bayerboard.importing.materials import (
    MaterialInvalid,
    PreparedFile,
    list_names,
    prepare_download,
)
from bayerboard.importing.references import PreparedReference, prepare_reference
from bayerboard.importing.spec_yaml import KeyPath, SpecError, SpecProblem
from bayerboard.lib.storage import object_store
from scoring.manifest import Manifest, ManifestError
from scoring.shapes import is_open

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayerboard.importing.spec import ChallengeSpec, PhaseSpec, TrackSpec
    from scoring.protocol import Protocol

T = TypeVar("T")


@dataclass(frozen=True)
class PreparedPhase:
    """The files of a phase, and its public manifest."""

    inputs: PreparedInputs
    reference: PreparedReference
    manifest: Manifest


@dataclass(frozen=True)
class PreparedTrack:
    """The files of a track, and the protocol that they were checked by."""

    protocol: Protocol
    downloads: tuple[PreparedFile, ...]
    phases: tuple[PreparedPhase, ...]


@dataclass(frozen=True)
class Prepared:
    """The files of a whole challenge, in the order of its tracks."""

    tracks: tuple[PreparedTrack, ...]


class _Preparation:
    def __init__(self, spec: ChallengeSpec, scratch: Path, say: Callable[[str], None]) -> None:
        self.spec, self.scratch, self.say = spec, scratch, say
        self.problems: list[SpecProblem] = []

    def attempt(self, path: KeyPath, action: Callable[[], T]) -> T | None:
        """Do it; on failure remember why, and go on, so that all mistakes are found at once."""
        try:
            return action()
        except MaterialInvalid as error:
            self.problems.append(self.spec.problem(path, error.message, error.hint))
        except OSError as error:
            message = f"{error.filename or 'A file'} cannot be read: {error.strerror or error}."
            self.problems.append(self.spec.problem(path, message, "Check the file and who may read it."))
        return None

    def track(self, index: int, track: TrackSpec, protocol: Protocol) -> PreparedTrack:
        downloads = []
        for number, download in enumerate(track.downloads):
            self.say(f"{track.slug}: {download.title}")
            path = ("tracks", index, "downloads", number, "path")
            downloads.append(self.attempt(path, partial(prepare_download, download.path, self.scratch)))
        phases = [
            self.phase(("tracks", index, "phases", number), track, phase, protocol)
            for number, phase in enumerate(track.phases)
        ]
        # a None stands beside a problem, and problems end the preparation
        return PreparedTrack(
            protocol,
            tuple(item for item in downloads if item is not None),
            tuple(item for item in phases if item is not None),
        )

    def phase(self, path: KeyPath, track: TrackSpec, phase: PhaseSpec, protocol: Protocol) -> PreparedPhase | None:
        self.say(f"{track.slug}/{phase.slug}: inputs and reference")
        prefix = f"{track.slug}-{phase.slug}"
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        self.attempt((*path, "inputs"), partial(_apart, phase, protocol))
        inputs = self.attempt(
            (*path, "inputs"),
            lambda: prepare_inputs(phase.inputs, folder / f"{prefix}-inputs.zip", phase.input_format),
        )
        reference = self.attempt(
            (*path, "reference"),
            lambda: prepare_reference(phase.reference, folder / f"{prefix}-reference.zip", protocol),
        )
        if inputs is None or reference is None:
            return None
        manifest = self.attempt((*path, "inputs"), partial(_manifest, inputs, reference, protocol))
        self.attempt((*path, "reference"), partial(_match, inputs, reference, phase, protocol))
        if protocol.container == "npz":
            self.attempt((*path, "reference"), partial(_match_levels, inputs, reference))
        return PreparedPhase(inputs, reference, manifest) if manifest else None


def _apart(phase: PhaseSpec, protocol: Protocol) -> None:
    """Refuse one folder for both where their files are of one kind: the inputs would be the hidden reference."""
    kinds = {"png", "jpg"} if protocol.container in {"png", "jpg"} else {protocol.container}
    if phase.input_format in kinds and phase.inputs.resolve() == phase.reference.resolve():
        raise MaterialInvalid("Inputs and reference are the same files.", "Keep them in different folders.")


def _manifest(inputs: PreparedInputs, reference: PreparedReference, protocol: Protocol) -> Manifest:
    """Make the public manifest from the inputs alone, apart from the one factor between the sizes."""
    shapes = _shapes(inputs, reference, protocol) if is_open(protocol.shape) else None
    try:
        return Manifest.for_names(inputs.names, protocol, shapes)
    except ManifestError as error:
        raise MaterialInvalid(f"{error}.", "Rename the file.") from error


def _shapes(
    inputs: PreparedInputs, reference: PreparedReference, protocol: Protocol
) -> dict[str, tuple[int, ...]] | None:
    """Return each image's shape, if all are the same multiple of their inputs'; None leaves them open."""
    # A name that is in one of the two only is a mistake that is reported anyway.
    shapes = {name: shape for name, shape in reference.shapes.items() if name in inputs.sizes}
    ratios = {
        (Fraction(shape[0], inputs.sizes[name][0]), Fraction(shape[1], inputs.sizes[name][1]))
        for name, shape in shapes.items()
    }
    return shapes if len(ratios) == 1 else None


def _match(inputs: PreparedInputs, reference: PreparedReference, phase: PhaseSpec, protocol: Protocol) -> None:
    missing, surplus = set(inputs.names) - set(reference.names), set(reference.names) - set(inputs.names)
    if missing or surplus:
        parts = [
            f"{what} for {list_names(sorted(names))}"
            for what, names in ((f"no .{protocol.container}", missing), ("no input", surplus))
            if names
        ]
        message = f"Inputs and reference are not of the same images: {', '.join(parts)}."
        example = f"Give every input 6_0.{phase.input_format} its reference 6_0.{protocol.container}, and no other."
        raise MaterialInvalid(message, example)


def _match_levels(inputs: PreparedInputs, reference: PreparedReference) -> None:
    """Refuse references whose max_val their inputs do not say.

    A submission must have the same, and is refused where it has not: an answer that may only tell what is public.
    """
    unlike = [item["name"] for item in reference.manifest if inputs.levels.get(item["name"]) != item["max_val"]]
    if unlike:
        message = f"Inputs and reference differ in max_val: {list_names(unlike)}."
        raise MaterialInvalid(message, "Give inputs as .npz too, each with the max_val of its reference.")


def prepare(spec: ChallengeSpec, protocols: list[Protocol], scratch: Path, say: Callable[[str], None]) -> Prepared:
    """Make and check every file of the challenge in `scratch`; raises SpecError with all that is wrong."""
    preparation = _Preparation(spec, scratch, say)
    tracks = tuple(
        preparation.track(index, track, protocol)
        for index, (track, protocol) in enumerate(zip(spec.tracks, protocols, strict=True))
    )
    if preparation.problems:
        raise SpecError(preparation.problems)
    return Prepared(tracks)


def store(prepared: Prepared) -> None:
    """Put the files into the storage unless they are there, under keys made of their content."""
    for track in prepared.tracks:
        for download in track.downloads:
            _put(download, "downloads")
        for phase in track.phases:
            _put(phase.inputs.file, "inputs")
            _put(phase.reference.file, "references")


def _put(file: PreparedFile, folder: str) -> None:
    storage = object_store()
    if not storage.exists(file.key(folder)):
        storage.put(file.key(folder), file.path)
