"""Beat's broom: clears the remains of uploads."""

from __future__ import annotations

import logging

from celery import shared_task

from bayerboard.lib.storage import StorageUnavailable
from bayerboard.mails.models import Mail
from bayerboard.operations.sweep import clear_storage, give_up_abandoned

logger = logging.getLogger(__name__)


@shared_task(name="workers.sweep.sweep_uploads")
def sweep_uploads() -> None:
    """End uploads that were not finished in time; files that cannot be deleted wait for the next round."""
    try:
        given_up = give_up_abandoned()
    except StorageUnavailable as error:
        logger.warning("sweep: the storage does not answer: %s", error)
        return
    if given_up:
        logger.info("sweep: %d uploads given up", given_up)


@shared_task(name="workers.sweep.sweep_storage")
def sweep_storage() -> None:
    """Remove archives and half files that nobody refers to, and the rows of old mails."""
    if forgotten := Mail.objects.forget_old():
        logger.info("sweep: %d old mails removed", forgotten)
    try:
        archives, leftovers = clear_storage()
    except StorageUnavailable as error:
        logger.warning("sweep: the storage does not answer: %s", error)
        return
    if archives or leftovers:
        logger.info("sweep: %d archives and %d leftovers removed", archives, leftovers)
