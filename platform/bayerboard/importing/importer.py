"""Brings the database in line with a challenge file: creates, updates, never deletes.

Files are prepared, checked and stored first; then one transaction writes the rows. What would change scores behind
anyone's back (a reference, a protocol) is reported instead of done.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from bayerboard.challenges.models import (
    Challenge,
    Download,
    InputSet,
    Phase,
    ReferenceSet,
    ScoringVersion,
    Track,
)
from bayerboard.importing.people import find_people, write_people
from bayerboard.importing.preparation import (
    Prepared,
    PreparedPhase,
    PreparedTrack,
    prepare,
    store,
)
from bayerboard.importing.report import Change, ImportReport, Kind
from bayerboard.importing.spec_yaml import SpecError, SpecProblem
from bayerboard.leaderboards.models import Standing
from bayerboard.leaderboards.settling import settle
from bayerboard.submissions.models import Submission
from scoring import SCORER_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model

    from bayerboard.accounts.models import User
    from bayerboard.importing.spec import ChallengeSpec, PhaseSpec, TrackSpec
    from scoring.protocol import Protocol

SHOWN_CHARACTERS = 60
# Fields that are long, or name objects of the storage: the audit log leaves them out.
NOT_TOLD = frozenset({"manifest_data", "storage_key", "input_set", "protocol_data"})


def _say_nothing(line: str) -> None:
    pass


def check_challenge(spec: ChallengeSpec, say: Callable[[str], None] = _say_nothing) -> None:
    """Check the files and accounts that the challenge names, and change nothing; raises SpecError."""
    with tempfile.TemporaryDirectory() as scratch:
        _prepare(spec, Path(scratch), say)


def import_challenge(spec: ChallengeSpec, say: Callable[[str], None] = _say_nothing) -> ImportReport:
    """Create or update the challenge; raises SpecError, with nothing changed, where that cannot be done."""
    settings.UPLOAD_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_DIR) as scratch:
        prepared = _prepare(spec, Path(scratch), say)
        store(prepared)
    with transaction.atomic():
        # Whoever submits now waits, so that a phase without submissions stays one until we are done.
        list(Phase.objects.select_for_update(no_key=True).filter(track__challenge__slug=spec.slug))
        people, problems = find_people(spec)
        problems += _renamed_images(spec, prepared)
        if problems:
            raise SpecError(problems)
        return _write(spec, prepared, people)


def _prepare(spec: ChallengeSpec, scratch: Path, say: Callable[[str], None]) -> Prepared:
    """Prepare all files and compare them with the database: every mistake is found before a write."""
    _, problems = find_people(spec)
    try:
        prepared = prepare(spec, _protocols(spec), scratch, say)
    except SpecError as error:
        raise SpecError([*problems, *error.problems]) from None
    problems += _renamed_images(spec, prepared)
    if problems:
        raise SpecError(problems)
    return prepared


def _protocols(spec: ChallengeSpec) -> list[Protocol]:
    """Return the protocol of each track: its own snapshot where it exists already."""
    tracks = {track.slug: track for track in Track.objects.filter(challenge__slug=spec.slug)}
    return [tracks[track.slug].protocol if track.slug in tracks else track.protocol for track in spec.tracks]


# --- What only the database knows ---------------------------------------------------------------------------------


def _renamed_images(spec: ChallengeSpec, prepared: Prepared) -> Iterator[SpecProblem]:
    for track_index, (track, prepared_track) in enumerate(zip(spec.tracks, prepared.tracks, strict=True)):
        for index, (phase, files) in enumerate(zip(track.phases, prepared_track.phases, strict=True)):
            existing = _existing_phase(spec, track, phase)
            if existing is None or not _has_submissions(existing):
                continue
            if existing.manifest != files.manifest:
                message = "The images are not those of the submissions that this phase has already."
                hint = "Give other images a phase of their own, with a new slug."
                yield spec.problem(("tracks", track_index, "phases", index, "inputs"), message, hint)


def _existing_phase(spec: ChallengeSpec, track: TrackSpec, phase: PhaseSpec) -> Phase | None:
    return Phase.objects.filter(track__challenge__slug=spec.slug, track__slug=track.slug, slug=phase.slug).first()


def _has_submissions(phase: Phase) -> bool:
    return Submission.objects.filter(entry__phase=phase).exists()


# --- Writing ------------------------------------------------------------------------------------------------------


def _write(spec: ChallengeSpec, prepared: Prepared, people: list[tuple[User, str]]) -> ImportReport:
    report = ImportReport()
    challenge = Challenge.objects.filter(slug=spec.slug).first() or Challenge(slug=spec.slug)
    values = {
        "title": spec.title,
        "summary": spec.summary,
        "description": spec.description_text,
        "terms": spec.terms_text,
        "notice": spec.notice,
        "time_zone": spec.time_zone,
        "is_listed": spec.listed,
    }
    _save(report, f"challenge {spec.slug}", challenge, values)
    write_people(report, challenge, people)
    for position, (track, files) in enumerate(zip(spec.tracks, prepared.tracks, strict=True)):
        _write_track(report, challenge, track, files, position)
    _report_surplus(report, f"challenge {spec.slug}", "track", challenge.tracks, {track.slug for track in spec.tracks})
    report.enter(challenge)
    return report


def _save(report: ImportReport, subject: str, item: Model, values: dict[str, Any]) -> list[str]:
    """Create a new row, or write what differs in an existing one; return the names of the changed fields."""
    is_new = item.pk is None
    changed = [name for name, value in values.items() if is_new or getattr(item, name) != value]
    detail = "" if is_new else "; ".join(_difference(name, getattr(item, name), values[name]) for name in changed)
    told = [name for name in changed if name not in NOT_TOLD]
    before = {} if is_new else {name: _shortened(getattr(item, name)) for name in told}
    after = {name: _shortened(values[name]) for name in told}
    for name in changed:
        setattr(item, name, values[name])
    if is_new:
        item.save()
    elif changed:
        item.save(update_fields=changed)
    kind: Kind = "created" if is_new else "updated" if changed else "unchanged"
    report.add(Change(kind, subject, detail, before, after))
    return changed


def _shortened(value: Any) -> str:
    text = _shown(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _difference(name: str, before: Any, after: Any) -> str:
    label = name.replace("_", " ")
    shown = [_shown(before), _shown(after)]
    return f"{label}: {shown[0]} → {shown[1]}" if all(len(text) <= SHOWN_CHARACTERS for text in shown) else label


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return "none" if value in (None, "", []) else str(value)


def _write_track(
    report: ImportReport, challenge: Challenge, spec: TrackSpec, files: PreparedTrack, position: int
) -> None:
    subject = f"track {spec.slug}"
    track = challenge.tracks.filter(slug=spec.slug).first() or Track(
        challenge=challenge, slug=spec.slug, protocol_data=files.protocol.to_json()
    )
    values = {
        "title": spec.title,
        "summary": spec.summary,
        "description": spec.description_text,
        "baselines": list(spec.baselines),
        "position": position,
    }
    _save(report, subject, track, values)
    if files.protocol.name != spec.protocol.name:
        report.note(subject, f"keeps its protocol {files.protocol.name}; {spec.protocol.name} needs a new track")
    elif files.protocol.digest != spec.protocol.digest:
        report.note(subject, f"keeps its copy of {spec.protocol.name}, which differs from the one named now")
    _write_downloads(report, track, spec, files)
    for index, (phase, phase_files) in enumerate(zip(spec.phases, files.phases, strict=True)):
        _write_phase(report, track, phase, phase_files, index)
    _report_surplus(report, subject, "phase", track.phases, {phase.slug for phase in spec.phases})


def _report_surplus(report: ImportReport, parent: str, kind: str, items: Any, named: set[str]) -> None:
    for item in items.exclude(slug__in=named):
        report.note(f"{kind} {item.slug}", f"not in the file; remains in {parent}")


def _write_downloads(report: ImportReport, track: Track, spec: TrackSpec, files: PreparedTrack) -> None:
    now = timezone.now()
    for position, (download, file) in enumerate(zip(spec.downloads, files.downloads, strict=True)):
        item = track.downloads.filter(title=download.title).first()
        item = item or Download(track=track, title=download.title, released_at=now)
        values = {
            "description": download.description,
            "filename": file.filename,
            "storage_key": file.key("downloads"),
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
            # Without a time it is out at once: since its first import, or from now on.
            "released_at": download.released_at or min(item.released_at, now),
            "position": position,
        }
        _save(report, f"download {track.slug}/{download.title}", item, values)
    for item in track.downloads.exclude(title__in=[download.title for download in spec.downloads]):
        report.note(f"download {track.slug}/{item.title}", "not in the file; remains on offer")


def _write_phase(report: ImportReport, track: Track, spec: PhaseSpec, files: PreparedPhase, position: int) -> None:
    subject = f"phase {track.slug}/{spec.slug}"
    phase = track.phases.filter(slug=spec.slug).first() or Phase(track=track, slug=spec.slug)
    values = {
        "title": spec.title,
        "description": spec.description_text,
        "position": position,
        "starts_at": spec.starts_at,
        "ends_at": spec.ends_at,
        "quota_per_day": spec.quota_per_day,
        "quota_total": spec.quota_total,
        "max_archive_bytes": spec.max_archive_bytes,
        "time_limit_s": spec.time_limit_s,
        "input_set": _input_set(track, files),
        "inputs_released_at": spec.inputs_released_at,
        "manifest_data": files.manifest.to_json(),
        "board": spec.board,
        "board_opens_at": spec.board_opens_at,
        "selection": spec.selection,
        "publishes_images": spec.image_results == "published",
        "shows_own_scores": spec.own_scores == "shown",
    }
    changed = _save(report, subject, phase, values)
    if "selection" in changed:
        Standing.objects.rebuild(phase)
    if files.inputs.ignored:
        kind = spec.input_format
        report.note(subject, f"left out {files.inputs.ignored} files beside the inputs that are not .{kind}")
    _write_reference(report, phase, files)
    # Other dates, or images published or hidden, may change by which values the standings are chosen.
    settle(phase.pk)


def _input_set(track: Track, files: PreparedPhase) -> InputSet:
    file = files.inputs.file
    existing = track.input_sets.filter(sha256=file.sha256).first()
    return existing or InputSet.objects.create(
        track=track,
        names=list(files.inputs.names),
        storage_key=file.key("inputs"),
        filename=file.filename,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )


def _write_reference(report: ImportReport, phase: Phase, files: PreparedPhase) -> None:
    """Keep a changed reference as a new version; it scores at once only where there is nothing to score yet."""
    subject = f"reference {phase.track.slug}/{phase.slug}"
    latest = phase.reference_sets.order_by("version").last()
    if latest is None or latest.manifest_sha256 != files.reference.manifest_sha256:
        file = files.reference.file
        latest = ReferenceSet.objects.create(
            phase=phase,
            version=latest.version + 1 if latest else 1,
            manifest_data=files.reference.manifest,
            manifest_sha256=files.reference.manifest_sha256,
            storage_key=file.key("references"),
            size_bytes=file.size_bytes,
        )
        report.add(Change("created", subject, f"version {latest.version}, {len(files.reference.names)} images"))
    else:
        report.add(Change("unchanged", subject, f"version {latest.version}"))
    published = phase.published_version
    if published is not None and published.reference_set_id == latest.pk:
        return
    if published is None or not _has_submissions(phase):
        _publish(phase, latest)
    else:
        detail = f"version {latest.version} scores nothing yet: run manage.py rescore {phase.path}"
        report.note(subject, detail)


def _publish(phase: Phase, reference: ReferenceSet) -> None:
    protocol = phase.track.protocol
    number = phase.scoring_versions.aggregate(last=Max("number"))["last"] or 0
    phase.published_version = ScoringVersion.objects.create(
        phase=phase,
        number=number + 1,
        reference_set=reference,
        protocol_data=protocol.to_json(),
        protocol_sha256=protocol.digest,
        scorer_version=SCORER_VERSION,
        reason="manage.py create_challenge",
        published_at=timezone.now(),
    )
    phase.save(update_fields=["published_version"])
