"""A request that is refused, and why."""

from __future__ import annotations

from bayerboard.lib.storage import StorageFull, StorageUnavailable
from scoring.problems import Problem, problem

# What a program is told to wait when the failure is ours.
RETRY_AFTER_S = 30


class Refused(Exception):
    """The request is refused and nothing of it is stored; `problem` says why and what to do."""

    def __init__(self, reason: Problem) -> None:
        super().__init__(reason.code)
        self.problem = reason


def storage_problem(error: StorageUnavailable) -> Problem:
    """Say that the storage failed, which is nobody's fault but ours."""
    return problem("storage-full" if isinstance(error, StorageFull) else "storage-unavailable")
