"""Fills an empty site's database: ``python -m benchmarks.site.fill SUBMISSIONS`` with the site's environment.

Rows as workers write them, of up to 1,000 teams in turn, without the archives. Prints, as JSON, the address and
the key of the phase, and the cookies of those who ask: a participant and an organiser.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import django

django.setup()

from django.db import connection, transaction
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, Score, Status
from bayerboard.leaderboards.models import Standing
from bayerboard.submissions.models import Entry, FactSheetRevision, Submission
from bayerboard.teams.models import Membership, Team
from bayerboard.teams.origin import Origin
from benchmarks.site.people import session_of
from tests.factories import make_challenge, make_phase, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Phase

TEAMS = 1000
AT_ONCE = 5000
PROVENANCE = {
    "archive_sha256": "a" * 64,
    "reference_manifest_sha256": "b" * 64,
    "protocol": "aim22-s7",
    "protocol_sha256": "c" * 64,
    "libraries": {"numpy": "2.4.6", "numba": "0.68.1", "scipy": "1.17.1", "isal": "1.9.1"},
    "worker": "machine/1234",
}


def main(submissions: int) -> None:
    folder = Path(tempfile.mkdtemp())
    organiser = make_user("organiser", is_staff=True, is_superuser=True)
    challenge = make_challenge("growth", title="Growth")
    names = tuple(f"{tile}_{image}" for tile in range(48) for image in range(10))
    phase = make_phase(folder, challenge, names=names, quota_total=100_000, quota_per_day=100_000)
    entries = _make_entries(phase, min(TEAMS, submissions))
    people = [make_user(f"person{number}") for number in range(2)]
    for person, entry in zip(people, entries[:2], strict=True):
        Membership.objects.create(challenge=challenge, team=entry.team, user=person, terms_sha256="d" * 64)
    for start in range(0, submissions, AT_ONCE):
        _make_submissions(phase, entries, range(start, min(start + AT_ONCE, submissions)))
    with transaction.atomic():
        Standing.objects.rebuild(phase)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # which it does by itself, within a minute of so many new rows
    cookies = {"participant": _cookie(people[0]), "organiser": _cookie(organiser)}
    print(json.dumps({"phase": phase.path, "phase_pk": phase.pk, **cookies}))


def _make_entries(phase: Phase, teams: int) -> list[Entry]:
    challenge = phase.track.challenge
    made = Team.objects.bulk_create(Team(challenge=challenge, name=f"Team {number}") for number in range(teams))
    return Entry.objects.bulk_create(Entry(phase=phase, team=team) for team in made)


@transaction.atomic
def _make_submissions(phase: Phase, entries: list[Entry], numbers: range) -> None:
    made = Submission.objects.bulk_create(_submissions(entries, numbers))
    FactSheetRevision.objects.bulk_create(
        FactSheetRevision(submission=one, runtime_s=0.02, device="gpu", extra_data=False, description="A U-Net.")
        for one in made
    )
    version = phase.published_version
    assert version is not None
    dice = random.Random(numbers.start)
    scored = Evaluation.objects.bulk_create(
        Evaluation(
            submission=one,
            scoring_version=version,
            status=Status.SCORED,
            started_at=one.submitted_at,
            finished_at=one.submitted_at + timedelta(seconds=3),
            worker="machine/1234",
            attempts=1,
            fence=1,
            images_done=480,
            images_total=480,
            metrics={"psnr": dice.uniform(20, 32), "ssim": dice.uniform(0.6, 0.9)},
            provenance=PROVENANCE,
        )
        for one in made
    )
    Score.objects.bulk_create(
        Score(evaluation=one, scoring_version=version, key=key, value=value)
        for one in scored
        for key, value in one.metrics.items()
    )


def _submissions(entries: list[Entry], numbers: range) -> Iterator[Submission]:
    began = timezone.now() - timedelta(days=1)
    for number in numbers:
        yield Submission(
            entry=entries[number % len(entries)],
            origin=Origin.PARTICIPANT,
            submitted_at=began + timedelta(milliseconds=500 * number),
            method_name=f"Method {number}",
            archive_key=f"archives/{number:032x}.zip",
            archive_name="submission.zip",
            archive_size_bytes=80_000_000,
            archive_sha256="a" * 64,
            idempotency_key=f"key-{number:08d}",
        )


def _cookie(user: User) -> str:
    return "; ".join(f"{name}={value}" for name, value in session_of(user).items())


if __name__ == "__main__":
    main(int(sys.argv[1]))
