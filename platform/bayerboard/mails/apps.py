"""The app of mails; it finds the kinds that other apps register."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class MailsConfig(AppConfig):
    """Mails that wait, and how they went out."""

    name = "bayerboard.mails"

    def ready(self) -> None:
        """Import each app's module `mail`, where its kinds of mail are registered."""
        autodiscover_modules("mail")
