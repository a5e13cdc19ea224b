"""Publishes tasks by name: the site never imports `workers`."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError

from bayerboard.celery import app

logger = logging.getLogger(__name__)


# A hint that nobody took in this time is dropped: beat repeats it as long as there is something to do.
HINT_EXPIRES_S = 20 * 60


def publish(name: str, *, expires_s: float = HINT_EXPIRES_S, **kwargs: Any) -> bool:
    """Send the task to its queue now; False when the broker does not answer (beat will repeat the hint)."""
    try:
        app.send_task(name, kwargs=kwargs, retry=False, expires=expires_s)
    except (OperationalError, OSError) as error:
        logger.warning("broker does not answer; %s waits in the database: %s", name, error)
        return False
    return True


def publish_on_commit(name: str, **kwargs: Any) -> None:
    """Send the task once the running transaction is committed, so that no worker sees a row that may vanish."""
    # robust: what is committed is acknowledged, whatever becomes of the hint
    transaction.on_commit(lambda: publish(name, **kwargs), robust=True)
