"""The score in the operators' list of submissions: a column, an order and a filter, where one phase is chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.db.models import Exists, OuterRef

from bayerboard.challenges.models import Phase, ScoringVersion
from bayerboard.lib.pages import LongListPaginator
from bayerboard.lib.templatetags.bayerboard_tags import score
from bayerboard.submissions.models import Entry, Submission, SubmissionQuerySet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from scoring.protocol import Column

PHASE, LEAST, MOST = "phase", "least", "most"
# In digits: a longer number is no key, and more than a database can compare.
LONGEST_KEY = 18
BEST_FIRST = {"desc": "-score_value", "asc": "score_value"}


@dataclass(frozen=True)
class Ranked:
    """The scoring version that the chosen phase shows, and the first column of its order, or of all without one."""

    version: ScoringVersion
    column: Column


def ranked(request: HttpRequest) -> Ranked | None:
    """Return the list's score column; None if no phase is chosen or it has no scores. Asked once a request."""
    known = vars(request)
    if "ranked" not in known:
        known["ranked"] = _find(_key(request.GET.get(PHASE, "")))
    found: Ranked | None = known["ranked"]
    return found


def _find(phase: int | None) -> Ranked | None:
    if phase is None:
        return None
    version = ScoringVersion.objects.filter(pk__in=Phase.objects.filter(pk=phase).values("published_version")).first()
    if version is None:
        return None
    # A snapshot from before declared operands were marked may have nothing else.
    return Ranked(version, (version.protocol.ranked_columns or version.protocol.columns)[0])


def _key(text: str) -> int | None:
    """Return the key that the address names; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_KEY else None


def score_of(column: Column) -> Callable[[Submission], str]:
    """Return the list's column: its head is the column's label, its cells the values with its precision."""

    @admin.display(description=column.label, ordering="score_value")
    def score_value(submission: Submission) -> str:
        value, text = submission.score_value, submission.score_text  # type: ignore[attr-defined]
        return text or score(value, column)

    return score_value


class PhaseFilter(admin.SimpleListFilter):
    """One phase; of the chosen challenge, where one is."""

    title = "phase"
    parameter_name = PHASE

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        phases = Phase.objects.select_related("track__challenge").defer("manifest_data", "track__protocol_data")
        challenge = _key(request.GET.get("entry__phase__track__challenge__id__exact", ""))
        if challenge is not None:
            phases = phases.filter(track__challenge=challenge)
        return [(str(phase.pk), phase.path) for phase in phases.order_by("track__challenge", "track", "position")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Submission]) -> QuerySet[Submission]:
        asked = self.value()
        if asked is None:
            return queryset
        phase = _key(asked)
        if phase is None:
            raise IncorrectLookupParameters(f"{asked} is no phase.")
        # Not by a join: SQLite would begin with the phase's entries, and sort all that they sent to show the newest.
        return queryset.filter(Exists(Entry.objects.filter(pk=OuterRef("entry"), phase=phase)))


class ScoreFilter(admin.ListFilter):
    """From and up to a value, by a form."""

    title = "score"
    template = "admin/score_filter.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in (LEAST, MOST):
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def expected_parameters(self) -> list[str | None]:
        return [LEAST, MOST]

    def has_output(self) -> bool:
        return ranked(self.request) is not None

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        found = ranked(self.request)
        assert found is not None
        kept = [
            (name, value)
            for name, values in self.request.GET.lists()
            if name not in {LEAST, MOST, PAGE_VAR}
            for value in values
        ]
        yield {"column": found.column, "kept": kept, **self.used_parameters}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Submission]) -> QuerySet[Submission]:
        least, most = (_number(self.used_parameters.get(name, "")) for name in (LEAST, MOST))
        found = ranked(request)
        if found is None or (least, most) == (None, None):
            return queryset
        assert isinstance(queryset, SubmissionQuerySet)
        return queryset.with_score_between(found.version, found.column.key, least, most)


def _number(text: Any) -> float | None:
    if not str(text).strip():
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise IncorrectLookupParameters(f"{text} is no number.") from error
    if not math.isfinite(value):
        raise IncorrectLookupParameters(f"{text} is no number.")
    return value


class ScoredPaginator(LongListPaginator):
    """Remembers the count of a thousand rows too: by score, each is joined to its evaluation and its score."""

    long = 1000


class SubmissionChangeList(ChangeList):
    """A list that an index sorts by score, where it is sorted by score first."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Return the order: of what a score chose, the best first, until another is asked for."""
        found = ranked(request)
        chosen_by_score = any(request.GET.get(name) for name in (LEAST, MOST))
        if found is not None and chosen_by_score and not request.GET.get(ORDER_VAR):
            return [BEST_FIRST[found.column.direction], "-pk"]
        return super().get_ordering(request, queryset)

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet[Any]:
        submissions = super().get_queryset(request, exclude_parameters)
        found, order = ranked(request), submissions.query.order_by
        if found is None or not order or order[0] not in {"score_value", "-score_value"}:
            return submissions
        assert isinstance(submissions, SubmissionQuerySet)
        return submissions.sorted_by_score(found.version, found.column.key, descending=str(order[0]).startswith("-"))
