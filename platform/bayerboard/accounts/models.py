"""Who signs in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person. Our own class from the first day, since Django cannot swap it in later."""
