"""The admin's view of uploads: to look at, not to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from bayerboard.uploads.models import Upload

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin[Upload]):
    list_display = (
        "pk",
        "team",
        "phase",
        "origin",
        "state",
        "announced_bytes",
        "opened_at",
        "finished_at",
        "submission",
    )
    list_filter = ("state", "origin", "phase__track__challenge")
    search_fields = ("team__name", "filename")
    list_select_related = ("team", "phase__track__challenge", "submission")
    # What names the parts in the storage is nobody's business.
    exclude = ("parts_id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False
