"""Who signs in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.functional import cached_property


class User(AbstractUser):
    """A person. Our own class from the first day, since Django cannot swap it in later."""

    mails_notices = models.BooleanField(
        "E-mail me when a result is there",
        default=True,
        help_text="Also when an archive is rejected or its scoring breaks off. The site itself tells you in any case.",
    )

    @cached_property
    def remembered(self) -> dict[str, Any]:
        """Facts about the user that a page asks for in several places: the apps above keep them here for a request."""
        return {}
