"""The admin's view of challenges. References and protocols are read-only: they change through the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction

from bayerboard.challenges.grants import LastOwner, give_role, take_role
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


class RoleGrantForm(forms.ModelForm[RoleGrant]):
    """A person's role; another person's is another row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].disabled = self.instance.pk is not None


class RoleGrantFormSet(forms.BaseInlineFormSet[RoleGrant, Challenge, forms.ModelForm[RoleGrant]]):
    """The roles of a challenge, of whose owners one stays."""

    def clean(self) -> None:
        super().clean()
        owner = RoleGrant.Role.OWNER
        had_one = any(form.initial.get("role") == owner for form in self.initial_forms)
        left = [form.cleaned_data for form in self.forms if form.is_valid() and not form.cleaned_data.get("DELETE")]
        if had_one and owner not in [row.get("role") for row in left]:
            raise ValidationError(str(LastOwner(self.instance)))


class RoleGrantInline(admin.TabularInline[RoleGrant, Challenge]):
    model = RoleGrant
    form = RoleGrantForm
    formset = RoleGrantFormSet
    extra = 0
    readonly_fields = ("granted_by", "granted_at")


@admin.register(Challenge)
class ChallengeAdmin(AuditedAdmin):
    list_display = ("title", "slug", "is_listed", "time_zone", "created_at")
    inlines = (RoleGrantInline,)
    prepopulated_fields = {"slug": ("title",)}  # noqa: RUF012 - Django's own form

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Give and take roles as everywhere, so that the log tells of them alike."""
        assert request.user.is_authenticated
        formset.save(commit=False)
        given = [*formset.new_objects, *(grant for grant, _ in formset.changed_objects)]
        # Owners first: the one before may be made a viewer in the same form.
        for grant in sorted(given, key=lambda grant: grant.role != RoleGrant.Role.OWNER):
            give_role(form.instance, grant.user, grant.role, by=request.user)
        for grant in formset.deleted_objects:
            take_role(form.instance, grant.user, by=request.user)


@admin.register(Track)
class TrackAdmin(NotAddedAdmin):
    list_display = ("title", "challenge", "slug", "position")
    list_filter = ("challenge",)
    readonly_fields = ("challenge", "protocol_data")


@admin.register(Phase)
class PhaseAdmin(NotAddedAdmin):
    list_display = ("title", "track", "starts_at", "ends_at", "quota_per_day", "quota_total", "board")
    list_filter = ("track__challenge", "board")
    readonly_fields = ("track", "manifest_data", "input_set", "published_version")

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
    readonly_fields = ("track", "storage_key", "size_bytes", "sha256")


admin.site.register([InputSet, ReferenceSet, ScoringVersion], ReadOnlyAdmin)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "challenge", "actor", "act", "subject", "reason")
    list_filter = ("act", "challenge")
    list_select_related = ("challenge",)
