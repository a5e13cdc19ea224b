"""The admin's view of submissions: disqualification can be undone, the archive cannot be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.utils.html import format_html

from bayerboard.leaderboards.disqualification import set_disqualified
from bayerboard.operations.admin.audited import AuditedAdmin
from bayerboard.operations.admin.scores import (
    PhaseFilter,
    ScoredPaginator,
    ScoreFilter,
    SubmissionChangeList,
    ranked,
    score_of,
)
from bayerboard.submissions.models import FactSheetRevision, Submission

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class FactSheetInline(admin.TabularInline[FactSheetRevision, Submission]):
    model = FactSheetRevision
    extra = 0
    readonly_fields = ("created_at",)


@admin.register(Submission)
class SubmissionAdmin(AuditedAdmin):
    list_display = ("__str__", "status", "team", "phase", "origin", "submitted_at")
    # A row of Django's list takes a quarter of a millisecond, and counting all rows besides those found another scan.
    list_per_page = 20
    show_full_result_count = False
    paginator = ScoredPaginator
    list_filter = ("entry__phase__track__challenge", PhaseFilter, ScoreFilter, "origin", "evaluations__status")
    search_fields = ("method_name", "entry__team__name")
    readonly_fields = (
        "entry", "origin", "submitted_by", "submitted_at", "archive_key", "archive_name", "archive_size_bytes",
        "archive_sha256", "disqualified_at",
    )  # fmt: skip
    inlines = (FactSheetInline,)
    actions = ("disqualify", "requalify")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        found = super().get_queryset(request).with_places().with_current_status()  # type: ignore[attr-defined]
        shown = ranked(request)
        return found if shown is None else found.with_score(shown.version, shown.column.key)  # type: ignore[no-any-return]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SubmissionChangeList

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """Add the score where one phase is chosen: only then are the values of one kind."""
        found = ranked(request)
        first, *others = self.list_display
        return self.list_display if found is None else (first, score_of(found.column), *others)

    # Django's own goes through three templates for each row: a sixth of the page.
    @admin.display(description="Select")
    def action_checkbox(self, obj: Submission) -> SafeString:
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="Select {} for an action">',
            helpers.ACTION_CHECKBOX_NAME,
            obj.pk,
            obj,
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Submission | None = None) -> bool:
        return False

    @admin.display(ordering="entry__team__name")
    def team(self, submission: Submission) -> str:
        return submission.entry.team.name

    @admin.display(ordering="entry__phase")
    def phase(self, submission: Submission) -> str:
        return submission.entry.phase.path

    @admin.display
    def status(self, submission: Submission) -> str:
        status: str = submission.current_status  # type: ignore[attr-defined]
        return f"{status}, disqualified" if submission.disqualified_at else status

    @admin.action(description="Disqualify: take off the board (can be undone)")
    def disqualify(self, request: HttpRequest, chosen: QuerySet[Submission]) -> None:
        self._flag(request, chosen.filter(disqualified_at=None), disqualified=True)

    @admin.action(description="Take back the disqualification")
    def requalify(self, request: HttpRequest, chosen: QuerySet[Submission]) -> None:
        self._flag(request, chosen.exclude(disqualified_at=None), disqualified=False)

    def _flag(self, request: HttpRequest, chosen: QuerySet[Submission], *, disqualified: bool) -> None:
        submissions = list(chosen)
        set_disqualified(submissions, disqualified=disqualified, by=request.user)
        self.message_user(request, f"{len(submissions)} changed; the boards are up to date.", messages.SUCCESS)
