"""Errors of running Bayerboard."""

from __future__ import annotations

from django.core.management.base import CommandError


class CannotStart(CommandError):
    """Bayerboard cannot start; the message says why and what to do.

    As a `CommandError` it ends any management command with that message and exit status 1.
    """
