"""Trials: submissions by those who run the challenge."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from bayerboard.challenges.grants import give_role
from bayerboard.challenges.models import Phase
from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.leaderboards.board import board_page, position_of
from bayerboard.leaderboards.models import Standing
from bayerboard.notices.models import Notice
from bayerboard.rescoring import difference, planning, publication
from bayerboard.submissions.models import Submission
from bayerboard.submissions.submit import quota_of
from bayerboard.teams.models import Membership, Team
from bayerboard.teams.origin import Origin
from bayerboard.uploads.models import Upload
from tests import factories
from tests.site import uploading
from tests.site.pages import Page
from tests.site.stored import assert_nothing_stored

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Challenge
    from tests.factories import Cast

ANYBODY = AnonymousUser()
CONTENT = bytes(range(256))


def join(user: User, team: Team) -> None:
    Membership.objects.create(challenge=team.challenge, team=team, user=user, terms_sha256="0" * 64)


def send(cast: Cast, folder: Path, role: str = "organiser", **fields: Any) -> Any:
    """Send the filled-in form; return the answer."""
    return cast.client(role).post(cast.phase.submit_url(), factories.upload(cast.phase, folder, **fields))


def sent(cast: Cast, folder: Path, role: str = "organiser") -> Submission:
    assert send(cast, folder, role).status_code == 302
    return Submission.objects.order_by("pk").reverse()[0]


@pytest.fixture
def trial(cast: Cast, tmp_path: Path) -> Submission:
    return sent(cast, tmp_path)


# --- Sending ---


def test_an_organiser_sends_a_trial_without_joining(cast: Cast, trial: Submission) -> None:
    team = trial.entry.team
    assert (trial.origin, trial.submitted_by) == (Origin.TRIAL, cast.organiser)
    assert (team.name, team.kind, team.memberships.count()) == ("Organisers", Team.Kind.ORGANISERS, 0)


def test_an_organiser_who_joined_sends_trials_of_their_team(cast: Cast, tmp_path: Path) -> None:
    join(cast.organiser, cast.team)

    trial = sent(cast, tmp_path)

    assert (trial.origin, trial.entry.team) == (Origin.TRIAL, cast.team)


def test_an_operator_sends_trials(cast: Cast, tmp_path: Path) -> None:
    type(cast.participant).objects.filter(pk=cast.participant.pk).update(is_superuser=True)

    assert sent(cast, tmp_path, "participant").origin == Origin.TRIAL


@pytest.mark.parametrize("role", ["participant", "teammate", "rival"])
def test_who_only_takes_part_sends_none(cast: Cast, tmp_path: Path, role: str) -> None:
    assert sent(cast, tmp_path, role).origin == Origin.PARTICIPANT


@pytest.mark.parametrize("role", ["rival", "stranger"])
def test_who_reads_everything_and_changes_nothing_sends_nothing(cast: Cast, tmp_path: Path, role: str) -> None:
    give_role(cast.challenge, getattr(cast, role), "viewer", by=cast.organiser)

    response = send(cast, tmp_path, role)

    assert (response.status_code, response.context["refusal"].code) == (403, "viewers-send-nothing")
    assert uploading.open_upload(cast, 5, role).json()["code"] == "viewers-send-nothing"
    assert_nothing_stored()


def test_the_organisers_share_one_team(cast: Cast, tmp_path: Path, trial: Submission) -> None:
    give_role(cast.challenge, cast.stranger, "organiser", by=None)

    assert sent(cast, tmp_path, "stranger").entry == trial.entry
    assert Team.objects.filter(kind=Team.Kind.ORGANISERS).count() == 1


def test_people_who_took_the_organisers_name_first_keep_it(cast: Cast, tmp_path: Path) -> None:
    people = factories.make_team(cast.challenge, "Organisers", cast.stranger)

    team = sent(cast, tmp_path).entry.team

    assert team != people
    assert (team.kind, people.kind) == (Team.Kind.ORGANISERS, Team.Kind.PEOPLE)


def test_nobody_takes_the_organisers_name_afterwards(cast: Cast) -> None:
    form = {"team_name": "ORGANISERS", "accept_terms": "on"}

    assert cast.client("stranger").post(f"/join/{cast.challenge.slug}/", form).status_code == 400


def test_a_look_at_the_form_makes_no_team(cast: Cast) -> None:
    assert cast.client("organiser").get(cast.phase.submit_url()).status_code == 200
    assert not Team.objects.filter(kind=Team.Kind.ORGANISERS).exists()


def test_a_repeated_form_is_one_trial(cast: Cast, tmp_path: Path) -> None:
    answers = [send(cast, tmp_path, idempotency_key="the-same-key")["Location"] for _ in range(2)]

    assert answers[0] == answers[1]
    assert Submission.objects.count() == 1


@pytest.mark.parametrize("dates", [{"starts_at": timedelta(hours=1)}, {"ends_at": timedelta(hours=-1)}])
def test_a_phase_that_is_not_open_takes_trials(cast: Cast, tmp_path: Path, dates: dict[str, timedelta]) -> None:
    Phase.objects.update(**{name: timezone.now() + delay for name, delay in dates.items()})

    trial = sent(cast, tmp_path)
    factories.record(trial.evaluation, psnr=31.8642)

    assert "31.86" in Page(cast.client("organiser").get(trial.get_absolute_url())).text


def test_an_upload_in_parts_becomes_a_trial(cast: Cast) -> None:
    Phase.objects.update(starts_at=timezone.now() + timedelta(hours=1))
    answer = uploading.open_upload(cast, len(CONTENT), "organiser").json()
    upload = Upload.objects.get(pk=answer["upload"])
    url = uploading.sign(cast, upload, 1, "organiser").json()["url"]
    uploading.put(cast, url, CONTENT)
    assert uploading.complete(cast, upload, [], "organiser").status_code == 200

    assert uploading.submit(cast, upload, "organiser").status_code == 302

    trial = Submission.objects.get()
    assert (upload.origin, trial.origin, trial.submitted_by) == (Origin.TRIAL, Origin.TRIAL, cast.organiser)


def test_a_trials_upload_is_its_senders_alone(cast: Cast) -> None:
    """A teammate who submitted it would make it nobody's, and see images of a phase that is not open."""
    join(cast.organiser, cast.team)
    upload = Upload.objects.get(pk=uploading.open_upload(cast, 5, "organiser").json()["upload"])
    Upload.objects.update(state="complete", size_bytes=5)

    assert uploading.complete(cast, upload, [], "teammate").status_code == 404
    assert uploading.submit(cast, upload, "teammate").context["refusal"].code == "upload-unknown"
    assert not Submission.objects.exists()


def test_an_organiser_does_not_submit_what_a_teammate_uploaded(cast: Cast) -> None:
    """It would be ranked, sent by a person who knows the references."""
    join(cast.organiser, cast.team)
    upload = uploading.uploaded(cast, CONTENT)

    assert uploading.submit(cast, upload, "organiser").context["refusal"].code == "upload-unknown"
    assert not Submission.objects.exists()


# --- The pages ---


def test_the_form_says_that_it_will_be_a_trial(cast: Cast) -> None:
    page = Page(cast.client("organiser").get(cast.phase.submit_url()))

    assert 'name="archive"' in page.html
    assert "This will be a trial." in page.text
    assert "never ranked, never counted, and can be deleted" in page.text


def test_the_form_of_others_does_not(cast: Cast) -> None:
    assert "trial" not in Page(cast.client("participant").get(cast.phase.submit_url())).text


@pytest.mark.parametrize("state", ["upcoming", "open", "closed"])
def test_the_tracks_page_leads_an_organiser_to_the_form(cast: Cast, state: str) -> None:
    dates = {"upcoming": {"starts_at": 1}, "open": {}, "closed": {"ends_at": -1}}[state]
    Phase.objects.update(**{name: timezone.now() + timedelta(hours=hours) for name, hours in dates.items()})

    assert cast.phase.submit_url() in Page(cast.client("organiser").get(cast.phase.track.get_absolute_url())).links


def test_its_page_says_what_it_is(cast: Cast, trial: Submission) -> None:
    factories.record(trial.evaluation, psnr=31.8642)

    page = Page(cast.client("organiser").get(trial.get_absolute_url()))

    assert "of Organisers trial" in page.text
    assert "31.86" in page.text
    assert "Rank" not in page.text


def test_its_sender_finds_it_among_their_submissions(cast: Cast, trial: Submission) -> None:
    page = Page(cast.client("organiser").get("/submissions/"))

    assert trial.get_absolute_url() in page.links
    assert "trial" in page.text


def test_a_person_who_sends_to_two_challenges_finds_both(cast: Cast, tmp_path: Path, trial: Submission) -> None:
    elsewhere = factories.make_phase(tmp_path)
    other = factories.make_submission(
        elsewhere, factories.make_team(elsewhere.track.challenge, "", cast.organiser), tmp_path
    )

    assert set(Submission.objects.of(cast.organiser)) == {trial, other}


@pytest.mark.parametrize("role", ["participant", "teammate", "rival", "stranger"])
def test_others_see_nothing_of_it(cast: Cast, tmp_path: Path, role: str) -> None:
    join(cast.organiser, cast.team)
    trial = sent(cast, tmp_path)

    for path in ("", "status/", "archive/"):
        assert cast.client(role).get(f"{trial.get_absolute_url()}{path}").status_code == 404
    assert not Submission.objects.of(cast.user(role)).exists()  # type: ignore[arg-type]


def test_who_helps_to_run_the_challenge_sees_it(cast: Cast, trial: Submission) -> None:
    give_role(cast.challenge, cast.stranger, "viewer", by=cast.organiser)

    assert cast.client("stranger").get(trial.get_absolute_url()).status_code == 200


# --- Scored, never ranked, never counted ---


def test_no_board_shows_it_not_even_to_organisers(cast: Cast, tmp_path: Path, trial: Submission) -> None:
    factories.record(trial.evaluation, psnr=40)
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=30)

    for user in (ANYBODY, cast.organiser):
        assert [(row.rank, row.team) for row in board_page(cast.phase, user).rows] == [(1, "Night Shift")]
    assert position_of(trial, cast.organiser) is None


def test_its_team_stands_with_what_a_participant_sent(cast: Cast, tmp_path: Path) -> None:
    join(cast.organiser, cast.team)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30, user=cast.participant)

    factories.record(sent(cast, tmp_path).evaluation, psnr=40)

    [row] = board_page(cast.phase, ANYBODY).rows
    assert (row.cells[0].text, row.submissions_count) == ("30.00", 1)


def test_a_board_is_rebuilt_without_it(cast: Cast, trial: Submission) -> None:
    factories.record(trial.evaluation, psnr=40)

    Standing.objects.rebuild(cast.phase)

    assert not Standing.objects.exists()


def test_its_team_has_its_whole_quota_left(cast: Cast, tmp_path: Path) -> None:
    join(cast.organiser, cast.team)
    Phase.objects.update(quota_total=1, quota_per_day=1)
    for _ in range(2):
        sent(cast, tmp_path)

    assert quota_of(Phase.objects.get(), cast.team).left == 1
    assert sent(cast, tmp_path, "participant").origin == Origin.PARTICIPANT


def test_its_sender_alone_is_told(cast: Cast, tmp_path: Path) -> None:
    join(cast.organiser, cast.team)

    factories.record(sent(cast, tmp_path).evaluation, psnr=40)

    assert [notice.user for notice in Notice.objects.all()] == [cast.organiser]


# --- Rescores ---


def staged_scores(cast: Cast, psnr: dict[int, float]) -> Any:
    """Start a rescore of the phase and record a score for each of its submissions, by their keys."""
    cast.phase.refresh_from_db()
    run = planning.start(cast.phase.path, planning.plan([cast.phase], None), "a test")
    for evaluation in Evaluation.objects.filter(scoring_version__run=run):
        factories.record(evaluation, psnr[evaluation.submission_id])
    return run


def test_a_rescore_scores_trials_and_tells_nothing_of_them(cast: Cast, tmp_path: Path, trial: Submission) -> None:
    factories.record(trial.evaluation, psnr=40)
    ours = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    run = staged_scores(cast, {trial.pk: 41, ours.pk: 29})

    assert [(change.team, change.rank_before, change.rank_after) for change in difference.difference(run)] == [
        ("Bayer Street", 1, 1)
    ]
    assert difference.verdict_changes(run) == []
    publication.publish(run)
    assert Submission.objects.get(pk=trial.pk).evaluation.metrics["psnr"] == 41
    assert [row.team for row in board_page(Phase.objects.get(), cast.organiser).rows] == ["Bayer Street"]


def test_a_trial_that_changes_its_verdict_is_no_news(cast: Cast, trial: Submission) -> None:
    factories.record(trial.evaluation, psnr=40)
    run = planning.start(cast.phase.path, planning.plan([cast.phase], None), "a test")
    Evaluation.objects.filter(scoring_version__run=run).update(status=Status.REJECTED)

    assert difference.verdict_changes(run) == []


def test_a_rescore_of_a_few_carries_trials_over(cast: Cast, tmp_path: Path, trial: Submission) -> None:
    factories.record(trial.evaluation, psnr=40)
    ours = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    cast.phase.refresh_from_db()
    run = planning.start(cast.phase.path, planning.plan([cast.phase], [ours.pk]), "a test")
    factories.record(Evaluation.objects.get(scoring_version__run=run), psnr=29)

    publication.publish(run)

    assert Submission.objects.get(pk=trial.pk).evaluation.metrics["psnr"] == 40


def test_an_open_rescore_meets_a_trial(cast: Cast, tmp_path: Path) -> None:
    ours = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    run = staged_scores(cast, {ours.pk: 29})

    trial = sent(cast, tmp_path)

    staged = trial.evaluations.get(scoring_version__run=run)
    assert staged.is_staged
    for evaluation in trial.evaluations.all():
        factories.record(evaluation, psnr=40)
    publication.publish(run)
    assert Submission.objects.get(pk=trial.pk).evaluation == staged
    assert [row.team for row in board_page(Phase.objects.get(), ANYBODY).rows] == ["Bayer Street"]


# --- Teams ---


def test_each_challenge_has_its_own_team_of_organisers(cast: Cast, tmp_path: Path, trial: Submission) -> None:
    phase = factories.make_phase(tmp_path)
    give_role(phase.track.challenge, cast.organiser, "organiser", by=None)

    cast.client("organiser").post(phase.submit_url(), factories.upload(phase, tmp_path))

    challenges: set[Challenge] = {team.challenge for team in Team.objects.filter(kind=Team.Kind.ORGANISERS)}
    assert challenges == {cast.challenge, phase.track.challenge}
