"""Entries, submissions and their fact sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from bayerboard.challenges.models import Phase, ScoringVersion
from bayerboard.challenges.roles import staff_role
from bayerboard.evaluations.models import Evaluation, Score, Status
from bayerboard.teams.models import Team
from bayerboard.teams.origin import Origin, known_origin

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User
    from bayerboard.teams.origin import Rules
    from scoring.factsheet import FactSheet


class Entry(models.Model):
    """A team in a phase: quotas are counted by it, under its lock."""

    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="entries")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="entries")

    class Meta:
        verbose_name_plural = "entries"
        constraints = (models.UniqueConstraint(fields=["phase", "team"], name="entry_unique"),)

    def __str__(self) -> str:
        return f"{self.team} in {self.phase}"


# Of an evaluation's submission: the version whose scores the phase shows.
PUBLISHED = F("submission__entry__phase__published_version")


class SubmissionQuerySet(models.QuerySet["Submission"]):
    """Sets of submissions."""

    def of(self, user: User) -> SubmissionQuerySet:
        """Keep those of the user's teams, and of trials those that the user sent."""
        of_teams = Submission.objects.filter(entry__team__memberships__user=user).exclude(origin=Origin.TRIAL)
        own_trials = Submission.objects.filter(submitted_by=user, origin=Origin.TRIAL)
        # By key: with a condition of two halves, databases read all submissions from the newest on.
        keys = of_teams.order_by().values("pk").union(own_trials.order_by().values("pk"), all=True)
        return self.filter(pk__in=keys)

    def with_places(self, *more: str) -> SubmissionQuerySet:
        """Fetch the teams and phases, and more of an entry, in one query; an entry that many share is made once."""
        entries = Entry.objects.select_related("team", "phase__track__challenge", *more).defer("phase__manifest_data")
        return self.prefetch_related(Prefetch("entry", queryset=entries))

    def with_current_evaluation(self) -> SubmissionQuerySet:
        """Fetch the columns of lists, in three queries however long the list."""
        published = Evaluation.objects.filter(scoring_version=PUBLISHED).defer("warnings", "provenance")
        return self.with_places("phase__published_version").prefetch_related(
            Prefetch("evaluations", queryset=published, to_attr="published_evaluations")
        )

    def with_current_status(self) -> SubmissionQuerySet:
        """Add `current_status`, that of the current evaluation: for lists that need nothing else of it."""
        own = Evaluation.objects.filter(submission=OuterRef("pk")).order_by("pk").values("status")
        published = own.filter(scoring_version=PUBLISHED)
        return self.annotate(current_status=Coalesce(Subquery(published[:1]), Subquery(own[:1])))

    # --- By score: for the lists of those who may see every score ---

    def with_score(self, version: ScoringVersion, key: str) -> SubmissionQuerySet:
        """Add `score_value` and `score_text` under a scoring version; None where there is none."""
        # By the evaluation's version: with the score's own, SQLite would walk through all scores of that version.
        scores = Score.objects.filter(
            evaluation__submission=OuterRef("pk"), evaluation__scoring_version=version, key=key
        )
        return self.annotate(score_value=Subquery(scores.values("value")), score_text=Subquery(scores.values("text")))

    def sorted_by_score(self, version: ScoringVersion, key: str, *, descending: bool) -> SubmissionQuerySet:
        """Keep submissions with a score under the version, in its order; the index alone gives it."""
        sign = "-" if descending else ""
        return self._joined_to_scores(version, key).order_by(f"{sign}ranked_value", f"{sign}ranked_evaluation")

    def with_score_between(
        self, version: ScoringVersion, key: str, least: float | None, most: float | None
    ) -> SubmissionQuerySet:
        """Keep submissions with a score from `least` to `most`; None leaves an end open."""
        found = self._joined_to_scores(version, key)
        if least is not None:
            found = found.filter(Q(ranked_value__gte=least))
        return found if most is None else found.filter(Q(ranked_value__lte=most))

    def _joined_to_scores(self, version: ScoringVersion, key: str) -> SubmissionQuerySet:
        """Join the score of the version, once: aliases of one path share their join, as filters would not."""
        return self.alias(
            ranked_version=F("evaluations__scores__scoring_version"),
            ranked_key=F("evaluations__scores__key"),
            ranked_value=F("evaluations__scores__value"),
            ranked_evaluation=F("evaluations__scores__evaluation"),
            ranked_status=F("evaluations__status"),
        ).filter(ranked_version=version.pk, ranked_key=key, ranked_value__isnull=False, ranked_status=Status.SCORED)


class Submission(models.Model):
    """One archive sent by a team to a phase. The archive never changes."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="submissions")
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="submissions",
        null=True,
        editable=False,
    )
    origin = models.CharField(max_length=12, choices=Origin.choices, editable=False)
    submitted_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    method_name = models.CharField(max_length=80)
    description = models.TextField(max_length=2000, blank=True)
    archive_key = models.CharField(max_length=200, editable=False)
    archive_name = models.CharField(max_length=255, editable=False)
    archive_size_bytes = models.PositiveBigIntegerField(editable=False)
    archive_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    # A retried POST with the same key is the same submission.
    idempotency_key = models.CharField(max_length=64, editable=False)
    disqualified_at = models.DateTimeField(null=True, blank=True)
    disqualified_reason = models.CharField(max_length=300, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ("-submitted_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=["entry", "idempotency_key"], name="submission_sent_once"),
            known_origin("submission_origin_known"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.method_name}"

    def get_absolute_url(self) -> str:
        return reverse("submission", args=[self.pk])

    @property
    def is_baseline(self) -> bool:
        return self.origin == Origin.BASELINE

    @property
    def is_trial(self) -> bool:
        return self.origin == Origin.TRIAL

    @property
    def rules(self) -> Rules:
        return Origin(self.origin).rules

    @property
    def evaluation(self) -> Evaluation:
        """Return the current evaluation: of the phase's published version, or the first while there is none.

        The staged evaluations of a rescore never change what is shown.
        """
        prefetched: list[Evaluation] = getattr(self, "published_evaluations", [])
        if prefetched:
            shown, version = prefetched[0], self.entry.phase.published_version
            # Another version, where one was published between the two queries, is fetched.
            if version is not None and version.pk == shown.scoring_version_id:
                shown.scoring_version = version
            return shown
        evaluations = self.evaluations.select_related("scoring_version__reference_set").defer(
            "scoring_version__reference_set__manifest_data"
        )
        current = evaluations.filter(scoring_version=self.entry.phase.published_version_id).first()
        first = current or evaluations.order_by("pk").first()
        if first is None:
            raise Evaluation.DoesNotExist(f"Submission {self.pk} has no evaluation.")
        return first

    def record_archive(self, sha256: str, sheet: FactSheet | None) -> None:
        """Store the archive's hash and the first revision of the fact sheet."""
        Submission.objects.filter(pk=self.pk).update(archive_sha256=sha256)
        if sheet is not None and not self.fact_sheets.exists():
            self.fact_sheets.create(
                runtime_s=sheet.runtime_s,
                device=sheet.device or "",
                extra_data=sheet.extra_data,
                description=sheet.description,
                parameters=sheet.parameters,
                macs=sheet.macs,
            )

    def belongs_to(self, user: User) -> bool:
        """Whether the user is of its team; a trial is its sender's alone."""
        if self.is_trial:
            return self.submitted_by_id == user.pk
        return self.entry.team.memberships.filter(user=user).exists()

    def fact_sheet(self) -> FactSheetRevision | None:
        """Return the latest revision."""
        return self.fact_sheets.order_by("-pk").first()


class FactSheetRevision(models.Model):
    """A participant's declarations about a method; every revision is kept, and shown as declared."""

    class Device(models.TextChoices):
        CPU = "cpu", "CPU"
        GPU = "gpu", "GPU"

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="fact_sheets")
    runtime_s = models.FloatField("runtime per image [s]", null=True, blank=True)
    device = models.CharField(max_length=3, choices=Device.choices, blank=True)
    extra_data = models.BooleanField(null=True, blank=True)
    description = models.TextField(blank=True)
    parameters = models.FloatField("number of parameters", null=True, blank=True)
    macs = models.FloatField("multiply-accumulates per image", null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"fact sheet of submission {self.submission_id}"


def get_submission(user: User | AnonymousUser, pk: int) -> Submission:
    """Return the submission for a member of its team or who helps to run the challenge; Http404 for everybody else.

    A trial is its sender's, not the team's: it may be of a phase that is not open, and tell of its images.
    """
    submissions = Submission.objects.select_related(
        "entry__team", "entry__phase__track__challenge", "entry__phase__published_version", "submitted_by"
    ).defer("entry__phase__manifest_data")
    submission = submissions.filter(pk=pk).first()
    if submission is None or not user.is_authenticated:
        raise Http404("There is no such submission.")
    if submission.belongs_to(user):
        return submission
    if staff_role(user, submission.entry.phase.track.challenge).reads_all:
        return submission
    raise Http404("There is no such submission.")


def get_own_submission(user: User | AnonymousUser, pk: int) -> Submission:
    """Return the submission for those who may withdraw it: its team, or a trial's sender; Http404 for all others.

    Nobody who runs a challenge takes back what a team sent.
    """
    submission = get_submission(user, pk)
    if not user.is_authenticated or not submission.belongs_to(user):
        raise Http404("This submission is another team's.")
    return submission
