"""The broker and the workers that listen to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayerboard.celery import app
from bayerboard.lib.jobs import job_kinds
from bayerboard.operations.doctor.database import skew
from bayerboard.operations.doctor.finding import Area, Finding
from bayerboard.operations.readiness import BROKER_ERRORS, with_broker

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKER, WORKERS = Area("broker"), Area("workers")
ANSWER_WITHIN_S = 3.0
MACHINE_FACTS = "machine_facts"


@dataclass(frozen=True)
class Queue:
    """A queue, and the harm where no worker listens to it."""

    name: str
    consequence: str
    is_optional: bool


def queues() -> list[Queue]:
    """Return the queues of beat's own tasks and of every kind of job."""
    consequences, required = {"default": ["nothing stuck is ever taken back"]}, {"default"}
    for kind in job_kinds():
        consequences.setdefault(kind.queue, []).append(f"{kind.label} stay queued")
        if not kind.is_optional:
            required.add(kind.queue)
    return [Queue(name, ", ".join(texts), name not in required) for name, texts in consequences.items()]


def look() -> Iterator[Finding]:
    """Look at the broker, then ask every worker that it reaches."""
    try:
        info, options = with_broker(lambda client: (client.info("server"), client.config_get()))
    except BROKER_ERRORS as error:
        yield BROKER.problem(
            "server",
            f"does not answer ({type(error).__name__})",
            "Start it, or mend REDIS_URL. What is sent meanwhile waits in the database.",
        )
        return
    yield BROKER.ok("server", f"{info.get('server_name', 'redis')} {info.get('valkey_version', info['redis_version'])}")
    yield from _options(options)
    # A connection of its own, and not of the application's pool: that one may still be to a server that is gone.
    with app.connection_for_write() as connection:
        yield from _workers(connection)


def _options(options: dict[str, str]) -> Iterator[Finding]:
    if options.get("appendonly") == "yes":
        yield BROKER.ok("append-only file", "on")
    else:
        yield BROKER.warning(
            "append-only file",
            "off: a restart forgets who was to be woken, until beat's next round",
            "Set appendonly yes.",
        )
    policy = options.get("maxmemory-policy", "")
    if policy == "noeviction":
        yield BROKER.ok("memory", "nothing is evicted")
    else:
        yield BROKER.problem("memory", f"{policy}: messages may vanish", "Set maxmemory-policy noeviction.")


def _workers(connection: Any) -> Iterator[Finding]:
    inspect = app.control.inspect(timeout=ANSWER_WITHIN_S, connection=connection)
    listening: Any = inspect.active_queues() or {}
    for queue in queues():
        names = sorted(name for name, theirs in listening.items() if queue.name in {one["name"] for one in theirs})
        if names:
            yield WORKERS.ok(f"queue {queue.name}", ", ".join(names))
        else:
            yield _nobody(queue)
    for name, facts in sorted(_facts(connection).items()):
        yield from _machine(name, facts)


def _nobody(queue: Queue) -> Finding:
    command = f"celery --app bayerboard.celery:app worker --queues {queue.name}"
    judge = WORKERS.warning if queue.is_optional else WORKERS.problem
    return judge(f"queue {queue.name}", f"no worker answers: {queue.consequence}", f"Start one: {command}")


def _facts(connection: Any) -> dict[str, dict[str, Any]]:
    """Ask every worker about its machine; `workers.control` answers."""
    asked = time.time()
    replies = app.control.broadcast(MACHINE_FACTS, reply=True, timeout=ANSWER_WITHIN_S, connection=connection) or []
    answered = time.time()
    found = {name: facts for reply in replies for name, facts in reply.items() if "time" in facts}
    for facts in found.values():
        # It looked at its clock some time between the two.
        facts["ahead_s"] = max(0.0, facts["time"] - answered) + min(0.0, facts["time"] - asked)
    return found


def _machine(name: str, facts: dict[str, Any]) -> Iterator[Finding]:
    yield skew(WORKERS, f"clock of {name}", facts["ahead_s"], "this machine's")
    if not name.startswith("baseline@"):
        return
    if not facts["torch"]:
        yield WORKERS.warning(
            f"torch of {name}",
            "not installed: methods that need it fail",
            "Install it: pip install .[baselines]",
        )
    elif not facts["gpus"]:
        yield WORKERS.ok(f"torch of {name}", f"{facts['torch']}, no GPU: slow, and right")
    else:
        yield WORKERS.ok(f"torch of {name}", f"{facts['torch']} on {', '.join(facts['gpus'])}")
