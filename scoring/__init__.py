"""Exact, safe scoring of challenge submissions: metrics, protocols, archives, ranking. No Django, no torch."""

from __future__ import annotations

# The one place where Bayerboard's version stands; pyproject.toml reads it from here.
__version__ = "0.1.0"
# Part of every scoring version's provenance: raised whenever a change can move a score or a verdict.
SCORER_VERSION = "3"
