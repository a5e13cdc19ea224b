"""The operators' admin: one module for each noun. Nobody else enters it."""

from __future__ import annotations

from bayerboard.operations.admin import (
    accounts,
    challenges,
    evaluations,
    mails,
    notices,
    runs,
    submissions,
    teams,
    uploads,
)

__all__ = ["accounts", "challenges", "evaluations", "mails", "notices", "runs", "submissions", "teams", "uploads"]
