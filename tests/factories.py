"""Makes the people, challenges and archives that tests need, with real files in the test's own storage."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from bayerboard.accounts.models import User
from bayerboard.challenges.grants import give_role
from bayerboard.challenges.models import Challenge, Compared, InputSet, Phase, ReferenceSet, ScoringVersion, Track
from bayerboard.evaluations.models import Evaluation
from bayerboard.lib.storage import object_store
from bayerboard.results.recording import record_score
from bayerboard.submissions.submit import Sent, submit
from bayerboard.teams.models import Membership, Team
from bayerboard.teams.origin import Origin
from scoring import SCORER_VERSION
from scoring.canonical import sha256_of_json
from scoring.factsheet import FactSheet
from scoring.manifest import Manifest
from scoring.protocol import Protocol, load_protocol
from scoring.reference import Reference
from scoring.report import ImageScore, ScoreReport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bayerboard.submissions.models import Submission

PackedRaw = NDArray[np.uint16]
# What is tested here does not depend on the size of the images; tests of scores use the true protocols.
SMALL_S7 = replace(load_protocol("aim22-s7"), shape=(16, 16, 4))
SMALL_P20 = replace(load_protocol("aim22-p20"), shape=(16, 16, 4))
NAMES = ("6_0", "6_2")
README = "runtime per frame [s] : 0.5\nCPU[1] / GPU[0] : 0\nExtra Data [1] / No Extra Data [0] : 0\nOther : a test\n"
_numbers = count(1)


def make_packed_raw(protocol: Protocol, seed: int) -> PackedRaw:
    """Return smooth shapes with some noise, 0..1023."""
    rng = np.random.default_rng(seed)
    height, width, channels = protocol.shape
    rows, columns = np.mgrid[0:height, 0:width]
    wave = np.sin(rows / (9 + seed % 5))[..., None] + np.cos(columns / 13)[..., None] + np.zeros(channels)
    values: PackedRaw = np.clip(500 + 180 * wave + rng.normal(0, 12, protocol.shape), 0, 1023).astype(np.uint16)
    return values


def degrade(image: PackedRaw, sigma: float, seed: int = 0) -> PackedRaw:
    """Return the image with noise of `sigma` levels."""
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    noisy: PackedRaw = np.clip(image + noise, 0, 1023).astype(np.uint16)
    return noisy


def npy_bytes(array: NDArray[Any]) -> bytes:
    buffer = BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def write_zip(path: Path, images: Mapping[str, NDArray[Any]], readme: str | None = README, folder: str = "") -> Path:
    """Write a zip of predictions as a participant would."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, image in images.items():
            archive.writestr(f"{folder}{name}.npy", npy_bytes(image))
        if readme is not None:
            archive.writestr(f"{folder}readme.txt", readme)
    return path


def make_user(username: str = "", **fields: Any) -> User:
    username = username or f"person{next(_numbers)}"
    return User.objects.create_user(username, f"{username}@example.org", "a long password", **fields)


def make_challenge(slug: str = "", **fields: Any) -> Challenge:
    slug = slug or f"challenge{next(_numbers)}"
    values = {"title": slug.title(), "terms": "Be fair.", **fields}
    return Challenge.objects.create(slug=slug, **values)


def make_phase(
    folder: Path,
    challenge: Challenge | None = None,
    protocol: Protocol = SMALL_S7,
    names: tuple[str, ...] = NAMES,
    **fields: Any,
) -> Phase:
    """Make a phase that is open, with inputs, a reference and a published scoring version."""
    number = next(_numbers)
    track = Track.objects.create(
        challenge=challenge or make_challenge(),
        slug=f"track{number}",
        title=f"Track {number}",
        protocol_data=protocol.to_json(),
        baselines=["mosaic"],
    )
    values = {
        "starts_at": timezone.now() - timedelta(days=1),
        "ends_at": timezone.now() + timedelta(days=1),
        # As the importer leaves it.
        "compared": Compared.EXACT if fields.get("publishes_images") else Compared.SHOWN,
        **fields,
    }
    phase = Phase.objects.create(
        track=track,
        slug="development",
        title="Development",
        manifest_data=Manifest.for_names(names, protocol).to_json(),
        input_set=make_input_set(track, folder, protocol, names),
        **values,
    )
    publish_reference(phase, {name: make_packed_raw(protocol, seed) for seed, name in enumerate(names)}, folder)
    return phase


def make_input_set(track: Track, folder: Path, protocol: Protocol, names: tuple[str, ...]) -> InputSet:
    path, key = folder / f"inputs-{track.pk}.zip", f"inputs/{track.pk}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for seed, name in enumerate(names):
            archive.writestr(f"{name}.jpg", jpg_bytes(protocol, seed))
    size_bytes = path.stat().st_size
    object_store().put(key, path)
    return InputSet.objects.create(
        track=track,
        names=list(names),
        storage_key=key,
        filename="inputs.zip",
        size_bytes=size_bytes,
        sha256="0" * 64,
    )


def jpg_bytes(protocol: Protocol, seed: int) -> bytes:
    side = 2 * protocol.shape[0]
    pixels = np.random.default_rng(seed).integers(0, 255, (side // 8, side // 8, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).resize((side, side)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def publish_reference(phase: Phase, images: Mapping[str, PackedRaw], folder: Path) -> ScoringVersion:
    """Store a new reference set; the first one is published, a later one waits for a rescore."""
    number = phase.reference_sets.count() + 1
    path = write_zip(folder / f"reference-{phase.pk}-{number}.zip", images, readme=None)
    protocol = phase.track.protocol
    with Reference.open(path, protocol) as reference:
        manifest = reference.private_manifest()
    key = f"references/{phase.pk}-{number}.zip"
    size_bytes = path.stat().st_size
    object_store().put(key, path)
    reference_set = ReferenceSet.objects.create(
        phase=phase,
        version=number,
        manifest_data=manifest,
        manifest_sha256=sha256_of_json(manifest),
        storage_key=key,
        size_bytes=size_bytes,
    )
    version = ScoringVersion(
        phase=phase,
        number=number,
        reference_set=reference_set,
        protocol_data=protocol.to_json(),
        protocol_sha256=protocol.digest,
        scorer_version=SCORER_VERSION,
    )
    if phase.published_version is None:
        version.published_at = timezone.now()
        version.save()
        phase.published_version = version
        phase.save(update_fields=["published_version"])
    return version


def make_team(challenge: Challenge, name: str = "", *members: User) -> Team:
    team = Team.objects.create(challenge=challenge, name=name or f"Team {next(_numbers)}")
    for user in members:
        Membership.objects.create(challenge=challenge, team=team, user=user, terms_sha256=challenge.terms_sha256)
    return team


def reference_images(phase: Phase) -> dict[str, PackedRaw]:
    """Return the references that `make_phase` stored."""
    protocol = phase.track.protocol
    return {spec.name: make_packed_raw(protocol, seed) for seed, spec in enumerate(phase.manifest.files)}


def write_predictions(phase: Phase, path: Path, sigma: float = 10.0, seed: int = 0) -> Path:
    """Write a good submission: the references with noise."""
    return write_zip(path, {name: degrade(image, sigma, seed) for name, image in reference_images(phase).items()})


def make_baseline_team(challenge: Challenge, name: str = "") -> Team:
    return Team.objects.get_or_make(challenge, name or f"Baseline {next(_numbers)}", Team.Kind.BASELINE)


def make_submission(
    phase: Phase,
    team: Team,
    folder: Path,
    *,
    sigma: float = 10.0,
    archive: Path | None = None,
    origin: Origin = Origin.PARTICIPANT,
    user: User | None = None,
    **fields: Any,
) -> Submission:
    """Send a submission as the site does, without the web page; by the team's first member where no `user` is named."""
    number = next(_numbers)
    path = archive or write_predictions(phase, folder / f"submission-{number}.zip", sigma)
    values: dict[str, Any] = {
        "archive_name": path.name,
        "method_name": f"Method {number}",
        "description": "",
        "idempotency_key": f"key-{number:08d}",
        "opened_at": timezone.now(),
        **fields,
    }
    membership = team.memberships.first()
    sender = user or (membership.user if membership else None)
    return submit(phase, team, sender, Sent(archive=path, **values), origin=origin)


@dataclass(frozen=True)
class Cast:
    """The people of a challenge, and a phase that is open to them.

    `participant` and `teammate` make up `team`; `rival` is a team of one; `stranger` is signed in and has not joined.
    """

    organiser: User
    participant: User
    teammate: User
    rival: User
    stranger: User
    team: Team
    rivals: Team
    phase: Phase

    @property
    def challenge(self) -> Challenge:
        return self.phase.track.challenge

    def user(self, role: str) -> User | AnonymousUser:
        if role == "signed_out":
            return AnonymousUser()
        user = getattr(self, role)
        assert isinstance(user, User)
        return user

    def client(self, role: str, **options: Any) -> Client:
        """Return the role's browser."""
        client, user = Client(**options), self.user(role)
        if isinstance(user, User):
            client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return client


ROLES = ("organiser", "participant", "teammate", "rival", "stranger", "signed_out")


def make_cast(folder: Path, **phase_fields: Any) -> Cast:
    phase = make_phase(folder, **phase_fields)
    challenge = phase.track.challenge
    organiser, participant, teammate, rival, stranger = (
        make_user() for _ in ("organiser", "participant", "teammate", "rival", "stranger")
    )
    give_role(challenge, organiser, "owner", by=None)
    return Cast(
        organiser=organiser,
        participant=participant,
        teammate=teammate,
        rival=rival,
        stranger=stranger,
        team=make_team(challenge, "Bayer Street", participant, teammate),
        rivals=make_team(challenge, "Night Shift", rival),
        phase=phase,
    )


def make_scored(phase: Phase, team: Team, folder: Path, psnr: float, ssim: float = 0.5, **fields: Any) -> Submission:
    """Send a submission and record this score for it, as a worker would."""
    submission = make_submission(phase, team, folder, **fields)
    record(submission.evaluation, psnr, ssim)
    return submission


def record(evaluation: Evaluation, psnr: float, ssim: float = 0.5) -> None:
    """Claim the evaluation and finish it with this score, the same for every image."""
    assert Evaluation.objects.claim(evaluation.pk, "tester/1")
    evaluation = Evaluation.objects.get(pk=evaluation.pk)
    values = {"psnr": psnr, "ssim": ssim}
    names = [spec.name for spec in evaluation.submission.entry.phase.manifest.files]
    report = ScoreReport(
        protocol=evaluation.scoring_version.protocol.name,
        metrics=values,
        images=tuple(ImageScore(name, values) for name in names),
        factsheet=FactSheet(runtime_s=0.5, device="gpu", extra_data=False, description="A test."),
        warnings=(),
    )
    provenance = {"archive_sha256": "a" * 64, "scorer_version": SCORER_VERSION, "libraries": {}}
    record_score(evaluation, report, "a" * 64, provenance)


def upload(phase: Phase, folder: Path, archive: bytes | None = None, **fields: Any) -> dict[str, Any]:
    """Return the fields of a filled-in submit form, in the order in which a browser sends them."""
    if archive is None:
        archive = write_predictions(phase, folder / f"upload-{next(_numbers)}.zip").read_bytes()
    return {
        "idempotency_key": f"key-{next(_numbers):08d}",
        "archive": SimpleUploadedFile("predictions.zip", archive, "application/zip"),
        "method_name": "Learned inverse",
        "description": "A small U-Net.",
        "complete": "1",
        **fields,
    }
