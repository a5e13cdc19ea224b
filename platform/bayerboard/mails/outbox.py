"""Sends due mails, the first in line first; later where the mail server is away."""

from __future__ import annotations

import logging
import smtplib
import traceback
from enum import Enum, auto
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import get_connection

from bayerboard.mails.kinds import mail_kind
from bayerboard.mails.models import Mail

if TYPE_CHECKING:
    from django.core.mail import EmailMessage
    from django.core.mail.backends.base import BaseEmailBackend

    from bayerboard.mails.kinds import MailKind

logger = logging.getLogger(__name__)

MAILS_PER_ROUND = 200
PERMANENT = 500  # SMTP's codes from here on: the same mail would be refused again


class Delivery(Enum):
    """How the mail server took a mail."""

    TAKEN = auto()
    PUT_OFF = auto()
    REFUSED = auto()
    # The line broke: it may have gone out before.
    UNKNOWN = auto()


def send_due() -> int:
    """Send the due mails; return how many went out. Two of these at a time do not send the same mail."""
    if not settings.EMAIL_HOST:
        return 0
    Mail.objects.take_back()
    if not Mail.objects.due().exists():
        return 0
    connection = get_connection()
    # Before anything is claimed: a mail server that is away costs no attempt.
    if not _opens(connection):
        return 0
    sent = 0
    try:
        for _ in range(MAILS_PER_ROUND):
            # Looked up each time: a link for which somebody waits goes before the rest of a thousand notices.
            mail = Mail.objects.due().first()
            if mail is None:
                break
            if not mail.claim():
                continue
            delivery = _send(mail, connection)
            sent += delivery is Delivery.TAKEN
            if delivery is Delivery.UNKNOWN and not _reopens(connection):
                break
    finally:
        connection.close()
    return sent


def _opens(connection: BaseEmailBackend) -> bool:
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("mail server does not answer, mails wait: %s", error)
        return False
    return True


def _reopens(connection: BaseEmailBackend) -> bool:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        logger.info("the broken connection to the mail server could not be closed")
    return _opens(connection)


def _send(mail: Mail, connection: BaseEmailBackend) -> Delivery | None:
    """Write and send a claimed mail; return None where nothing was sent to the server."""
    kind = mail_kind(mail.kind)
    if kind is None:
        logger.error("%s is of no kind that this version knows", mail)
        mail.give_up()
        return None
    try:
        message = kind.compose(mail)
    except Exception as error:  # noqa: BLE001 - one mail that cannot be written must not hold up the others
        # Without the error's text, which may hold a link.
        frames = "".join(traceback.format_tb(error.__traceback__))
        logger.error("%s could not be written: %s\n%s", mail, type(error).__name__, frames)
        mail.put_off()
        return None
    if message is None:
        mail.drop()
        return None
    delivery = _deliver(mail, message, connection)
    _note(mail, kind, delivery)
    return delivery


def _deliver(mail: Mail, message: EmailMessage, connection: BaseEmailBackend) -> Delivery:
    """Hand a message to the server. A log line has the code alone: the server's words may quote the mail."""
    message.connection = connection
    try:
        message.send()
    except smtplib.SMTPSenderRefused as refusal:
        # That is about us and not about this mail: somebody will mend the settings.
        logger.warning("%s: the mail server refused the sender with %d", mail, refusal.smtp_code)
        return Delivery.PUT_OFF
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as refusal:
        code = _code(refusal)
        logger.warning("%s: the mail server refused it with %d", mail, code)
        return Delivery.REFUSED if code >= PERMANENT else Delivery.PUT_OFF
    except (OSError, smtplib.SMTPException, ValueError) as error:
        logger.warning("%s: it is not known whether it went out: %s", mail, type(error).__name__)
        return Delivery.UNKNOWN
    return Delivery.TAKEN


def _code(refusal: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) -> int:
    if isinstance(refusal, smtplib.SMTPResponseException):
        return refusal.smtp_code
    return max(code for code, _ in refusal.recipients.values())


def _note(mail: Mail, kind: MailKind, delivery: Delivery) -> None:
    """Store how it went. Of a mail that may come only once, one that may have gone out is given up."""
    if delivery is Delivery.TAKEN:
        mail.mark_sent()
    elif delivery is Delivery.PUT_OFF or (delivery is Delivery.UNKNOWN and kind.at_least_once):
        mail.put_off()
    else:
        mail.give_up()
