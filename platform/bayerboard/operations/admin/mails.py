"""The admin's view of mails: to whom each went, and how far it came; nothing that stands in one."""

from __future__ import annotations

from django.contrib import admin

from bayerboard.mails.models import Mail
from bayerboard.operations.admin.read_only import ReadOnlyAdmin


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    fields = ("kind", "address", "state", "attempts", "created_at", "due_at", "sent_at")
    list_display = ("pk", "kind", "address", "state", "attempts", "created_at", "sent_at")
    list_filter = ("state", "kind")
    search_fields = ("address",)
