"""The admin's view of teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from bayerboard.operations.admin.audited import AuditedAdmin
from bayerboard.teams.models import Membership, Team

if TYPE_CHECKING:
    from django.http import HttpRequest


class MembershipInline(admin.TabularInline[Membership, Team]):
    model = Membership
    extra = 0
    # The team's own: `Membership.save` takes it.
    exclude = ("challenge",)
    readonly_fields = ("terms_sha256", "joined_at")


@admin.register(Team)
class TeamAdmin(AuditedAdmin):
    list_display = ("name", "challenge", "kind", "created_at")
    list_filter = ("challenge", "kind")
    search_fields = ("name", "memberships__user__username")
    inlines = (MembershipInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Team | None = None) -> tuple[str, ...]:
        """Keep a team in its challenge: its members and what they sent stay there."""
        return ("challenge",) if obj is not None else ()
