"""The admin's view of teams."""

from __future__ import annotations

from django.contrib import admin

from bayerboard.operations.admin.audited import AuditedAdmin
from bayerboard.teams.models import Membership, Team


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
