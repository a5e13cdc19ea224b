"""The submit form."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from django import forms

if TYPE_CHECKING:
    from django.http import HttpRequest

IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


def new_key() -> str:
    """Return a key that makes a repeated POST of this form the same submission."""
    return uuid.uuid4().hex


def sent_key(request: HttpRequest) -> str:
    """Return the key of the header Idempotency-Key, or the form's; empty when it is none that can be used."""
    key = request.headers.get("Idempotency-Key") or request.POST.get("idempotency_key", "")
    return key if IDEMPOTENCY_KEY.fullmatch(key) else ""


class SubmitForm(forms.Form):
    """A zip of predictions, the method's name, a description.

    The archive's own field stands in the template: its limits are enforced while it arrives, before any form sees it.
    The form ends with a hidden field `complete`, which a body that was cut short lacks.
    """

    method_name = forms.CharField(label="Method name", max_length=80, help_text="Shown on the leaderboard.")
    description = forms.CharField(
        label="Description",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Architecture, training data, ensembles: what a reader should know.",
    )
    # An archive that was uploaded in parts before; without it, the file comes with the form.
    upload = forms.UUIDField(widget=forms.HiddenInput, required=False)
    # Not required: nobody would see what is wrong with a hidden field, and the key is for the sender's good.
    idempotency_key = forms.CharField(widget=forms.HiddenInput, initial=new_key, required=False)

    def clean_idempotency_key(self) -> str:
        key = str(self.cleaned_data["idempotency_key"])
        return key if IDEMPOTENCY_KEY.fullmatch(key) else new_key()
