"""What a storm is: who sends how much, and what dies how often and in which order; all by a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Kill(StrEnum):
    """The ways to die; SIGKILL where nothing else is said."""

    SCORING_PROCESS = "a scoring process (Celery's prefork child)"
    SCORE_WORKER = "a whole score worker"
    WEB_PROCESS = "a process of the site (gunicorn's worker)"
    SITE = "the whole site (gunicorn's master)"
    BEAT = "beat"
    BROKER = "the broker"
    BROKER_WIPED = "the broker, its data wiped"
    POSTGRES = "PostgreSQL"
    POSTGRES_RESTART = "PostgreSQL, by a fast restart (SIGINT)"
    STORE = "the S3 server"
    STORE_AWAY = "the S3 server, for a minute (counted from its return)"
    STORE_HUNG = "the S3 server hung for a minute by SIGSTOP (counted from its return)"
    POWER = "everything at once but the servers outside (a power cut)"


ON_POSTGRES = {Kill.POSTGRES, Kill.POSTGRES_RESTART}
LASTING = {Kill.STORE_AWAY, Kill.STORE_HUNG}
ON_S3 = {Kill.STORE, *LASTING}
DATABASES, STORES = ("sqlite", "postgres"), ("disk", "s3")


@dataclass(frozen=True)
class Plan:
    """A storm: `teams` send `each` submissions to each of the two phases, while `kills` happen in this order."""

    teams: int
    each: int
    kills: tuple[Kill, ...]
    seed: int
    database: str
    store: str

    @property
    def submissions(self) -> int:
        return 2 * self.teams * self.each

    def kills_before(self, acknowledged: int) -> int:
        """Return how many of the kills belong before the submission of this number.

        The last eighth of the submissions follows the last kill, and shows that it was survived.
        """
        return min(len(self.kills), len(self.kills) * acknowledged * 8 // (self.submissions * 7))


def short_plan(database: str, store: str, seed: int) -> Plan:
    """Return the form for every day: each way to die at once, and the likeliest one twice."""
    kinds = [kill for kill in _kinds(database, store) if kill not in LASTING]
    return Plan(2, 3, _shuffled([*kinds, Kill.SCORING_PROCESS], seed), seed, database, store)


def long_plan(database: str, store: str, seed: int, submissions: int) -> Plan:
    """Return the long form, with as many kills as a bad year."""
    rare = {Kill.BROKER_WIPED: 1, Kill.POWER: 2, Kill.SCORING_PROCESS: 16, **dict.fromkeys(LASTING, 1)}
    kills = [kill for kill in _kinds(database, store) for _ in range(rare.get(kill, 5))]
    return Plan(10, max(1, submissions // 20), _shuffled(kills, seed), seed, database, store)


def _kinds(database: str, store: str) -> list[Kill]:
    absent = (set() if database == "postgres" else ON_POSTGRES) | (set() if store == "s3" else ON_S3)
    return [kill for kill in Kill if kill not in absent]


def _shuffled(kills: list[Kill], seed: int) -> tuple[Kill, ...]:
    return tuple(random.Random(seed).sample(kills, len(kills)))
