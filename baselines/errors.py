"""Errors in a baseline's input, in words that a user can act on."""

from __future__ import annotations


class BaselineError(Exception):
    """A mistake of the caller's or in his files: its text is meant to be shown as it is."""


class InputError(BaselineError):
    """The files that a method was to read are missing, unreadable or of the wrong size."""
