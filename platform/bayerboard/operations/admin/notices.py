"""The admin's view of notices: to look at."""

from __future__ import annotations

from django.contrib import admin

from bayerboard.notices.models import Notice
from bayerboard.operations.admin.read_only import ReadOnlyAdmin


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("pk", "user", "submission", "kind", "created_at", "read_at")
    list_filter = ("kind",)
    list_select_related = ("user", "submission")
