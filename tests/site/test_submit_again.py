"""A repeated request is the same submission."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation
from bayerboard.submissions import submit as submitting
from bayerboard.submissions.models import Submission
from tests import factories
from tests.site.stored import archives, leftovers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast

pytestmark = pytest.mark.database

KEY = "0123456789abcdef"


def send(cast: Cast, tmp_path: Path, role: str = "participant", key: str = KEY) -> Any:
    fields = factories.upload(cast.phase, tmp_path, idempotency_key=key)
    return cast.client(role).post(cast.phase.submit_url(), fields)


def assert_one(first: Any, again: Any) -> None:
    assert first["Location"] == again["Location"] == Submission.objects.get().get_absolute_url()
    assert Evaluation.objects.count() == 1
    assert len(archives()) == 1
    assert leftovers() == []


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_gives_the_submission_that_the_first_request_made(cast: Cast, tmp_path: Path, role: str) -> None:
    assert_one(send(cast, tmp_path), send(cast, tmp_path, role))


def test_even_when_the_first_used_the_last_of_the_quota(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(quota_total=1)

    assert_one(send(cast, tmp_path), send(cast, tmp_path))


def test_even_when_the_phase_closed_in_between(cast: Cast, tmp_path: Path) -> None:
    first = send(cast, tmp_path)
    type(cast.phase).objects.update(ends_at=timezone.now() - timedelta(seconds=1))

    assert_one(first, send(cast, tmp_path))


def test_two_that_arrive_together_are_one(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = send(cast, tmp_path)
    # neither saw the other at its beginning; only under the entry's lock
    look, looks = submitting.find_earlier, iter([False, True])
    monkeypatch.setattr(submitting, "find_earlier", lambda *entry: look(*entry) if next(looks) else None)

    assert_one(first, send(cast, tmp_path))


def test_another_key_is_another_submission(cast: Cast, tmp_path: Path) -> None:
    send(cast, tmp_path)
    send(cast, tmp_path, key="fedcba9876543210")

    assert Submission.objects.count() == 2


def test_another_teams_key_is_its_own(cast: Cast, tmp_path: Path) -> None:
    send(cast, tmp_path)
    send(cast, tmp_path, "rival")

    assert set(Submission.objects.values_list("entry__team", flat=True)) == {cast.team.pk, cast.rivals.pk}


def test_a_key_in_another_phase_is_another_submission(cast: Cast, tmp_path: Path) -> None:
    send(cast, tmp_path)
    other = factories.make_phase(tmp_path, cast.challenge)

    cast.client("participant").post(other.submit_url(), factories.upload(other, tmp_path, idempotency_key=KEY))

    assert Submission.objects.count() == 2


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "no spaces here", "ünïcödé-key"])
def test_a_key_that_is_none_makes_a_submission_of_its_own(cast: Cast, tmp_path: Path, key: str) -> None:
    assert send(cast, tmp_path, key=key).status_code == 302
    assert send(cast, tmp_path, key=key).status_code == 302

    assert Submission.objects.count() == 2


def test_a_key_with_a_nul_is_refused_without_a_crash(cast: Cast, tmp_path: Path) -> None:
    assert send(cast, tmp_path, key="01234567\0").status_code == 400

    type(cast.phase).objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert send(cast, tmp_path, key="01234567\0").status_code == 403


def test_the_header_counts_like_the_field(cast: Cast, tmp_path: Path) -> None:
    answers = [
        cast.client("participant").post(
            cast.phase.submit_url(),
            factories.upload(cast.phase, tmp_path),  # with another key in the form each time
            headers={"Idempotency-Key": KEY},
        )
        for _ in range(2)
    ]

    assert_one(*answers)
    assert Submission.objects.get().idempotency_key == KEY


def test_a_header_that_is_no_key_changes_nothing(cast: Cast, tmp_path: Path) -> None:
    fields = factories.upload(cast.phase, tmp_path, idempotency_key=KEY)

    cast.client("participant").post(cast.phase.submit_url(), fields, headers={"Idempotency-Key": "a b"})

    assert Submission.objects.get().idempotency_key != "a b"
