"""The admin's view of notices: to look at, above all at mails that did not go out."""

from __future__ import annotations

from django.contrib import admin

from bayerboard.notices.models import Notice
from bayerboard.operations.admin.read_only import ReadOnlyAdmin


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("pk", "user", "submission", "kind", "created_at", "read_at", "mail", "mail_attempts")
    list_filter = ("kind", "mail")
    list_select_related = ("user", "submission")
