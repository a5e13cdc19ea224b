"""Whether notices come by e-mail."""

from __future__ import annotations

from django import forms

from bayerboard.accounts.models import User


class NoticeSettingsForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ("mails_notices",)
