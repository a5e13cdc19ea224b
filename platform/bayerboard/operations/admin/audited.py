"""Admin classes whose changes stand in the audit log of the challenge, with times in the challenge's zone."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db import models, transaction
from django.template.response import TemplateResponse
from django.utils import timezone

from bayerboard.challenges.audit import Act, record
from bayerboard.challenges.models import Challenge

if TYPE_CHECKING:
    from django.db.models import Model
    from django.forms import ModelForm
    from django.http import HttpRequest, HttpResponse

SHOWN_CHARACTERS = 200


def challenge_of(item: Model) -> Challenge | None:
    """Return the challenge that a row belongs to; None for rows of the site itself."""
    if isinstance(item, Challenge):
        return item
    for name in ("challenge", "track", "phase", "entry", "submission"):
        owner = getattr(item, name, None)
        if isinstance(owner, models.Model):
            return challenge_of(owner)
    return None


def shown(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Enters each change into the audit log, and shows times in the zone of the challenge, by name and offset."""

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: bool) -> None:
        if change:
            # Nothing else of the row: a worker, or the publication of a rescore, may have written there since it was
            # read.
            columns = {field.name for field in obj._meta.fields}  # noqa: SLF001 - Django documents it
            obj.save(update_fields=columns.intersection(form.changed_data))
        else:
            super().save_model(request, obj, form, change)
        before = {name: shown(form.initial.get(name)) for name in form.changed_data} if change else {}
        after = {name: shown(form.cleaned_data.get(name)) for name in form.changed_data}
        if after:
            self.enter(request, Act.CHANGED if change else Act.CREATED, obj, before, after)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.enter(request, Act.DELETED, obj, {}, {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            for item in queryset:
                self.enter(request, Act.DELETED, item, {}, {})
            super().delete_queryset(request, queryset)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        initial = {row.instance.pk: row.initial for row in formset.initial_forms}
        super().save_formset(request, form, formset, change)
        for item in formset.new_objects:
            self.enter(request, Act.CREATED, item, {}, {})
        for item, changed in formset.changed_objects:
            before = {name: shown(initial[item.pk].get(name)) for name in changed}
            self.enter(request, Act.CHANGED, item, before, {name: shown(getattr(item, name)) for name in changed})
        for item in formset.deleted_objects:
            self.enter(request, Act.DELETED, item, {}, {})

    def enter(self, request: HttpRequest, act: Act, item: Model, before: dict[str, str], after: dict[str, str]) -> None:
        """Enter one act; a challenge that goes takes its log along."""
        challenge = challenge_of(item)
        if challenge is not None and not (act == Act.DELETED and item == challenge):
            record(challenge, request.user, act, f"{type(item).__name__.lower()} {item}", before, after)

    # --- Times ---

    def zone_of(self, request: HttpRequest, object_id: str | None) -> tzinfo:
        found = self.get_object(request, unquote(object_id)) if object_id else None
        challenge = challenge_of(found) if found is not None else None
        return challenge.zone if challenge is not None else UTC

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Read and show the form's times in the zone of the challenge."""
        with timezone.override(self.zone_of(request, object_id)):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            # Django would make the page later, in the site's own zone.
            return response.render() if isinstance(response, TemplateResponse) else response

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(db_field, models.DateTimeField):
            now = timezone.localtime()
            told = f"Time in {timezone.get_current_timezone_name()}, now UTC{now:%z}"
            field.help_text = f"{field.help_text} {told[:-2]}:{told[-2:]}.".strip()
        return field
