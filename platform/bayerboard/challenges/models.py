"""Challenges, their tracks and phases, references and scoring versions."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from bayerboard.challenges.audit import AuditEntry
from bayerboard.challenges.grants import RoleGrant
from bayerboard.challenges.parsed import manifest_of, protocol_of
from bayerboard.challenges.roles import staff_role
from bayerboard.challenges.visibility import BoardMode, PhaseFacts
from scoring.manifest import Manifest

# Models that stand in modules of their own: Django looks for them here.
__all__ = [
    "AuditEntry",
    "Board",
    "Challenge",
    "Compared",
    "Download",
    "InputSet",
    "Phase",
    "ReferenceSet",
    "RoleGrant",
    "ScoringVersion",
    "Selection",
    "Track",
]

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User
    from scoring.protocol import Protocol


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValidationError(f"{name!r} is not a time zone; use a name such as Europe/Zurich.") from None


class ChallengeQuerySet(models.QuerySet["Challenge"]):
    """Sets of challenges."""

    def visible_to(self, user: User | AnonymousUser) -> ChallengeQuerySet:
        """Keep the listed ones, and the unlisted ones in which the user has a role."""
        if user.is_superuser:
            return self
        listed = Q(is_listed=True)
        if user.is_authenticated:
            listed |= Q(pk__in=RoleGrant.objects.filter(user=user).values("challenge"))
        return self.filter(listed)


class Challenge(models.Model):
    """What an organiser runs: a title, pages, terms, tracks, dates."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True, help_text="Markdown.")
    terms = models.TextField(blank=True, help_text="Markdown. Participants accept this text when they join.")
    notice = models.CharField(max_length=300, blank=True, help_text="A banner on every page of the challenge.")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[_check_time_zone])
    is_listed = models.BooleanField(default=True, help_text="Otherwise a draft, which only its organisers see.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ChallengeQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "slug")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("challenge", args=[self.slug])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def terms_sha256(self) -> str:
        """Identify the text that a participant accepted."""
        return hashlib.sha256(self.terms.encode()).hexdigest()

    def is_visible_to(self, user: User | AnonymousUser) -> bool:
        """Whether it is listed, or the user has a role in it."""
        return self.is_listed or staff_role(user, self).reads_all


class Track(models.Model):
    """One task of a challenge with its own data, protocol and leaderboard."""

    challenge = models.ForeignKey(Challenge, on_delete=models.CASCADE, related_name="tracks")
    slug = models.SlugField()
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True, help_text="Markdown.")
    position = models.PositiveSmallIntegerField(default=0)
    protocol_data = models.JSONField(
        verbose_name="protocol",
        help_text="The protocol as it was when the track was made: a later edit of the file changes nothing here.",
    )
    baselines = models.JSONField(default=list, blank=True, help_text="Names of the methods offered for download.")

    class Meta:
        ordering = ("position", "slug")
        constraints = (models.UniqueConstraint(fields=["challenge", "slug"], name="track_slug_unique"),)

    def __str__(self) -> str:
        return f"{self.challenge} · {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("track", args=[self.challenge.slug, self.slug])

    @property
    def protocol(self) -> Protocol:
        return protocol_of(self.protocol_data)


class InputSet(models.Model):
    """The files that participants work from, as one zip; immutable."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="input_sets")
    names = models.JSONField(help_text="Stems of the files, in natural order.")
    storage_key = models.CharField(max_length=200)
    filename = models.CharField(max_length=120)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.track} · inputs {self.sha256[:8]}"


class Board(models.TextChoices):
    """Who sees a phase's leaderboard."""

    OPEN = BoardMode.OPEN.value, "everybody"
    HIDDEN = BoardMode.HIDDEN.value, "organisers until it opens"
    OWN_ROW = BoardMode.OWN_ROW.value, "each team its own row until it opens"


class Selection(models.TextChoices):
    """Which of a team's submissions stands on the board."""

    BEST = "best", "the best"
    LATEST = "latest", "the latest"


class Compared(models.TextChoices):
    """By which values the standings of a phase are chosen and ordered."""

    # While a reference is hidden: order and ties of unrounded values would tell digits that no page shows.
    SHOWN = "shown", "as shown"
    EXACT = "exact", "unrounded"


class Phase(models.Model):
    """A period of a track with its own reference set, dates, quotas and leaderboard visibility."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="phases")
    slug = models.SlugField()
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True, help_text="Markdown.")
    position = models.PositiveSmallIntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    quota_per_day = models.PositiveIntegerField(default=5, validators=[MinValueValidator(1)])
    quota_total = models.PositiveIntegerField(default=100, validators=[MinValueValidator(1)])
    max_archive_bytes = models.PositiveBigIntegerField(default=500_000_000)
    time_limit_s = models.PositiveIntegerField(
        "time limit [s]",
        default=1800,
        validators=[MinValueValidator(1)],
        help_text="How long the scoring of one submission may take.",
    )
    input_set = models.ForeignKey(InputSet, on_delete=models.PROTECT, related_name="phases", null=True, blank=True)
    inputs_released_at = models.DateTimeField(null=True, blank=True, help_text="Empty: with the start of the phase.")
    manifest_data = models.JSONField(
        verbose_name="public manifest",
        default=dict,
        help_text="What a submission must look like, from the inputs.",
    )
    published_version = models.ForeignKey(
        "ScoringVersion", on_delete=models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )
    board = models.CharField(max_length=10, choices=Board.choices, default=Board.OPEN)
    board_opens_at = models.DateTimeField(null=True, blank=True)
    selection = models.CharField(max_length=10, choices=Selection.choices, default=Selection.BEST)
    publishes_images = models.BooleanField(
        "publishes per-image results",
        default=False,
        help_text="Per-image scores let a participant recover a hidden reference: only where the reference is public.",
    )
    shows_own_scores = models.BooleanField("shows a team its own scores", default=True)
    # Both are set by `leaderboards.settling` alone, together with the standings.
    over_at = models.DateTimeField(null=True, editable=False)
    compared = models.CharField(max_length=10, choices=Compared.choices, default=Compared.SHOWN, editable=False)

    class Meta:
        ordering = ("position", "starts_at", "slug")
        constraints = (models.UniqueConstraint(fields=["track", "slug"], name="phase_slug_unique"),)

    def __str__(self) -> str:
        return f"{self.track} · {self.title}"

    def get_absolute_url(self) -> str:
        return self._reverse("board")

    def clean(self) -> None:
        """Refuse dates that contradict each other."""
        starts_at: datetime | None = self.starts_at  # a form may leave it out
        if self.ends_at is not None and starts_at is not None and self.ends_at <= starts_at:
            raise ValidationError({"ends_at": "The phase must end after it starts."})

    @property
    def path(self) -> str:
        """CHALLENGE/TRACK/PHASE, as the commands take it."""
        return f"{self.track.challenge.slug}/{self.track.slug}/{self.slug}"

    def _reverse(self, view: str) -> str:
        return reverse(view, args=[self.track.challenge.slug, self.track.slug, self.slug])

    def submit_url(self) -> str:
        return self._reverse("submit")

    def inputs_url(self) -> str:
        return self._reverse("inputs")

    @property
    def manifest(self) -> Manifest:
        # A phase without inputs has none yet.
        return manifest_of(self.manifest_data) if self.manifest_data else Manifest(())

    def state(self, now: datetime | None = None) -> str:
        """Return `upcoming`, `open` or `closed`."""
        now = now or timezone.now()
        if now < self.starts_at:
            return "upcoming"
        return "closed" if self.ends_at and now >= self.ends_at else "open"

    def is_open(self) -> bool:
        return self.state() == "open"

    def inputs_are_released(self) -> bool:
        return timezone.now() >= (self.inputs_released_at or self.starts_at)

    @property
    def facts(self) -> PhaseFacts:
        """Return what the visibility policy asks of the phase."""
        return PhaseFacts(
            ends_at=self.ends_at,
            over_at=self.over_at,
            board=self.board,
            board_opens_at=self.board_opens_at,
            publishes_images=self.publishes_images,
            shows_own_scores=self.shows_own_scores,
        )

    @property
    def compares_as_shown(self) -> bool:
        """Whether standings are chosen, ordered and tied by the values that pages show."""
        return self.compared == Compared.SHOWN

    def day_start(self, now: datetime) -> datetime:
        """Return the start of the quota's day that holds `now`, in the challenge's time zone."""
        local = now.astimezone(self.track.challenge.zone)
        # Where the clocks go back at midnight, the day begins with the first of the two.
        return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


class ReferenceSet(models.Model):
    """The hidden ground truth of a phase: immutable, versioned."""

    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="reference_sets")
    version = models.PositiveIntegerField()
    manifest_data = models.JSONField(
        verbose_name="private manifest",
        help_text="Name, shape, dtype, sha256 and group of each image. Never shown.",
    )
    manifest_sha256 = models.CharField(max_length=64)
    storage_key = models.CharField(max_length=200)
    size_bytes = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("phase", "version")
        constraints = (models.UniqueConstraint(fields=["phase", "version"], name="reference_version_unique"),)

    def __str__(self) -> str:
        return f"{self.phase} · reference {self.version}"


class ScoringVersion(models.Model):
    """A reference set version, a protocol snapshot and a scorer version: what a score means."""

    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="scoring_versions")
    number = models.PositiveIntegerField()
    reference_set = models.ForeignKey(ReferenceSet, on_delete=models.PROTECT, related_name="scoring_versions")
    protocol_data = models.JSONField(verbose_name="protocol")
    protocol_sha256 = models.CharField(max_length=64)
    scorer_version = models.CharField(max_length=20)
    run = models.ForeignKey(
        "evaluations.RescoreRun", on_delete=models.PROTECT, related_name="versions", null=True, blank=True
    )
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("phase", "number")
        constraints = (models.UniqueConstraint(fields=["phase", "number"], name="scoring_version_unique"),)

    def __str__(self) -> str:
        return f"{self.phase} · scoring {self.number}"

    @property
    def protocol(self) -> Protocol:
        return protocol_of(self.protocol_data)


class Download(models.Model):
    """A file of a track that participants may download from a set time on."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="downloads")
    title = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    filename = models.CharField(max_length=120)
    storage_key = models.CharField(max_length=200)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    released_at = models.DateTimeField(default=timezone.now)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "title")
        constraints = (models.UniqueConstraint(fields=["track", "title"], name="download_title_unique"),)

    def __str__(self) -> str:
        return f"{self.track} · {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("download", args=[self.track.challenge.slug, self.track.slug, self.pk])

    def is_released(self) -> bool:
        return timezone.now() >= self.released_at
