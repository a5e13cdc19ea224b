"""Admin classes that show more than they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from bayerboard.operations.admin.audited import AuditedAdmin

if TYPE_CHECKING:
    from django.http import HttpRequest


class NotAddedAdmin(AuditedAdmin):
    """Changes rows that `create_challenge` made: a form alone brings no protocol, manifest or file."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows, never changes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
