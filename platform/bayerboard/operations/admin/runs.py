"""The admin's view of baseline runs."""

from __future__ import annotations

from django.contrib import admin

from bayerboard.operations.admin.read_only import ReadOnlyAdmin
from bayerboard.runs.models import BaselineRun


@admin.register(BaselineRun)
class BaselineRunAdmin(ReadOnlyAdmin):
    list_display = ("pk", "method", "phase", "status", "submission", "worker", "queued_at", "failure")
