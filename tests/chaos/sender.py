"""A participant who does not give up: the same request with the same key, until there is an answer."""

from __future__ import annotations

import functools
import random
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, TypeVar

from bayerboard.demo.participant import RequestFailed
from tests.e2e.uploader import UploadEnded
from tests.patience import LONG_PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.e2e.challenge import PhaseData
    from tests.e2e.uploader import Plan, Uploader
    from tests.e2e.visitor import Answer, Form

    # The archives to choose from, by the path of their phase.
    Archives = Mapping[str, Sequence[Path]]

T = TypeVar("T")

PAUSE_S = 0.2
SERVER_ERROR = 500


@dataclass(frozen=True)
class Job:
    """One submission to send."""

    phase: PhaseData
    # The place of its archive among those of the phase.
    variant: int
    key: str
    # Whether the archive goes in parts, as from the page's script, or within the form.
    in_parts: bool = False


@dataclass(frozen=True)
class Acknowledged:
    """What the site said it has."""

    job: Job
    team: str
    submission: int
    at_s: float


class Sender:
    """One team of one, and what became of its requests."""

    def __init__(self, visitor: Uploader, jobs: Sequence[Job], challenge: str, archives: Archives) -> None:
        self.visitor = visitor
        self.jobs = jobs
        self.challenge = challenge
        self.archives = archives
        self.acknowledged: list[Acknowledged] = []
        self.refusals = 0
        self.requests = 0
        self.uploads_begun_anew = 0
        # Filled in while there is quota left: afterwards the page shows no form.
        phases = {job.phase.slug: job.phase for job in jobs}
        self._too_many = [self._form(Job(phase, 0, f"{slug}-too-many")) for slug, phase in phases.items()]

    def send(self, job: Job) -> None:
        """Submit once, with as many requests as it takes."""
        if job.in_parts:
            plan = self._upload(job)
            answer = self._persist(lambda: self._post(self._form_of(plan, job)))
        else:
            answer = self._persist(lambda: self._post(self._form(job)))
        assert answer.submission is not None, f"{answer.status} {answer.text}"
        self.acknowledged.append(Acknowledged(job, self.visitor.name, answer.submission, time.time()))

    def send_too_many(self) -> None:
        """Send one more to each phase, for which no quota is left."""
        for form in self._too_many:
            answer = self._persist(functools.partial(self._post, form))
            assert (answer.status, "quota-day-used" in answer.text) == (403, True), f"{answer.status} {answer.text}"
            self.refusals += 1

    def read(self, path: str) -> str:
        """Return a page, once the site shows it."""
        return self._persist(lambda: self.visitor.get(path))

    def download(self, path: str) -> bytes:
        """Return a file, once the site gives it."""
        return self._persist(lambda: self.visitor.download(path))

    def _form(self, job: Job) -> Form:
        path = job.phase.path(self.challenge)
        return self.visitor.fill_in(path, self.archives[path][job.variant], job.key)

    def _form_of(self, plan: Plan, job: Job) -> Form:
        return self.visitor.form_of(plan, job.phase.path(self.challenge), job.key)

    def _upload(self, job: Job) -> Plan:
        """Bring an archive to the site in parts, anew where the storage lost what it had of it."""
        path = job.phase.path(self.challenge)
        self._persist(lambda: self.visitor.read_token(path))
        while True:
            plan = self._persist(lambda: self._open(path, job.variant))
            try:
                parts = [self._persist(functools.partial(self._send_part, plan, number)) for number in plan.parts]
                self._persist(functools.partial(self._complete, plan, parts))
            except UploadEnded:
                self.uploads_begun_anew += 1
                self._persist(functools.partial(self.visitor.give_up, plan))
            else:
                return plan

    def _open(self, path: str, variant: int) -> Plan:
        self.requests += 1
        return self.visitor.open(path, self.archives[path][variant])

    def _send_part(self, plan: Plan, number: int) -> dict[str, Any]:
        self.requests += 2  # for its address, and with it
        return self.visitor.send_part(plan, number)

    def _complete(self, plan: Plan, parts: list[dict[str, Any]]) -> int:
        self.requests += 1
        return self.visitor.complete(plan, parts)

    def _post(self, form: Form) -> Answer:
        self.requests += 1
        answer = self.visitor.send(form)
        if answer.status >= SERVER_ERROR:
            raise RequestFailed(f"the site answered {answer.status}")
        return answer

    def _persist(self, action: Callable[[], T]) -> T:
        """Do it again until the site is well."""
        deadline = time.monotonic() + LONG_PATIENCE_S
        while True:
            try:
                return action()
            except (RequestFailed, HTTPException, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_S)


def jobs_of(team: int, phases: Sequence[PhaseData], each: int, variants: int, seed: int) -> list[Job]:
    """Return a team's submissions in a drawn order."""
    drawn = random.Random(f"{seed}/{team}")
    jobs = [
        Job(phase, drawn.randrange(variants), f"{phase.slug}-{number:02d}-of-the-storm", in_parts=number % 2 == 1)
        for phase in phases
        for number in range(each)
    ]
    drawn.shuffle(jobs)
    return jobs
