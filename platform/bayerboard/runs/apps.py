"""The app of runs. Its label is that of its first name, which tables and migrations of running sites carry."""

from __future__ import annotations

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Baselines, and later participants' models, on the workers."""

    name = "bayerboard.runs"
    label = "methods"
