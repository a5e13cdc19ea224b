"""Sends the mails that wait."""

from __future__ import annotations

import logging

from celery import shared_task

from bayerboard.mails.models import MAIL_TASK
from bayerboard.mails.outbox import send_due

logger = logging.getLogger(__name__)


@shared_task(name=MAIL_TASK)
def send_mails() -> None:
    """Send the mails that are due; beat repeats it for those that are put off."""
    sent = send_due()
    if sent:
        logger.info("%d mails sent", sent)
