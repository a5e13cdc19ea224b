"""The admin's view of challenges. References and protocols are read-only: they change through the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import transaction

from bayerboard.challenges.models import (
    AuditEntry,
    Challenge,
    Download,
    InputSet,
    Phase,
    ReferenceSet,
    RoleGrant,
    ScoringVersion,
    Track,
)
from bayerboard.leaderboards.models import Standing
from bayerboard.leaderboards.settling import settle
from bayerboard.operations.admin.audited import AuditedAdmin
from bayerboard.operations.admin.read_only import NotAddedAdmin, ReadOnlyAdmin

if TYPE_CHECKING:
    from django.db.models import Model
    from django.forms import ModelForm
    from django.http import HttpRequest


class RoleGrantInline(admin.TabularInline[RoleGrant, Challenge]):
    model = RoleGrant
    extra = 0
    readonly_fields = ("granted_at",)


@admin.register(Challenge)
class ChallengeAdmin(AuditedAdmin):
    list_display = ("title", "slug", "is_listed", "time_zone", "created_at")
    inlines = (RoleGrantInline,)
    prepopulated_fields = {"slug": ("title",)}  # noqa: RUF012 - Django's own form


@admin.register(Track)
class TrackAdmin(NotAddedAdmin):
    list_display = ("title", "challenge", "slug", "position")
    list_filter = ("challenge",)
    readonly_fields = ("protocol_data",)


@admin.register(Phase)
class PhaseAdmin(NotAddedAdmin):
    list_display = ("title", "track", "starts_at", "ends_at", "quota_per_day", "quota_total", "board")
    list_filter = ("track__challenge", "board")
    readonly_fields = ("manifest_data", "input_set", "published_version")

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        assert isinstance(obj, Phase)
        with transaction.atomic():
            if "selection" in form.changed_data:
                # Another submission may stand for a team now.
                Standing.objects.rebuild(obj)
            settle(obj.pk)


@admin.register(Download)
class DownloadAdmin(NotAddedAdmin):
    list_display = ("title", "track", "filename", "size_bytes", "released_at")
    readonly_fields = ("storage_key", "size_bytes", "sha256")


admin.site.register([InputSet, ReferenceSet, ScoringVersion], ReadOnlyAdmin)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "challenge", "actor", "act", "subject", "reason")
    list_filter = ("act", "challenge")
    list_select_related = ("challenge",)
