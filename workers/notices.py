"""Sends the e-mails that wait."""

from __future__ import annotations

import logging

from celery import shared_task

from bayerboard.notices.models import MAIL_TASK
from bayerboard.notices.outbox import send_due

logger = logging.getLogger(__name__)


@shared_task(name=MAIL_TASK)
def send_mails() -> None:
    """Send what is due. Whatever goes wrong stays here: the result that the mail tells of is stored."""
    sent = send_due()
    if sent:
        logger.info("%d mails sent", sent)
