"""The admin's view of evaluations: to look at, since only workers and rescores move them."""

from __future__ import annotations

from django.contrib import admin

from bayerboard.evaluations.models import Evaluation, RescoreRun
from bayerboard.operations.admin.read_only import ReadOnlyAdmin


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnlyAdmin):
    list_display = (
        "pk",
        "submission",
        "scoring_version",
        "status",
        "attempts",
        "worker",
        "queued_at",
        "finished_at",
    )
    list_filter = ("status", "is_staged")
    list_select_related = ("submission", "scoring_version__phase__track__challenge")


@admin.register(RescoreRun)
class RescoreRunAdmin(ReadOnlyAdmin):
    list_display = ("pk", "target", "reason", "state", "created_at", "published_at")
