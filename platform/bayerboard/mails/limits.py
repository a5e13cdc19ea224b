"""Limits of account mails: nobody's mailbox is filled by strangers, and no client makes the site send without end.

They count rows, so that every web process counts the same.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bayerboard.lib.locks import hold
from bayerboard.mails.kinds import Priority
from bayerboard.mails.models import Mail

if TYPE_CHECKING:
    from datetime import datetime

    from bayerboard.mails.models import MailQuerySet

WINDOW = timedelta(hours=1)
AT_MOST_PER_ADDRESS = 3
AT_MOST_PER_CLIENT = 20
# So much of an IPv6 address is one customer's: the rest he chooses himself.
IPV6_PREFIX_BITS = 64


class TooManyMails(Exception):
    """No account mail is sent to this address, or for this client, before a moment."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__(f"not before {retry_at}")
        self.retry_at = retry_at


def queue_account_mail(
    kind: str, address: str, *, user_id: int | None = None, about: int | None = None, client: str | None = None
) -> None:
    """Queue an account mail; TooManyMails, and nothing is queued, beyond the limits."""
    if not settings.EMAIL_HOST:
        return
    client = client and network_of(client)
    mail = Mail.make(kind, address, user_id=user_id, about=about, client=client)
    with transaction.atomic():
        # Two requests at a time must not both find room for the last one.
        hold(f"mails to {mail.address}", f"mails for {client}")
        moments = [_retry_at(Mail.objects.filter(address=mail.address), AT_MOST_PER_ADDRESS)]
        if client is not None:
            moments.append(_retry_at(Mail.objects.filter(client=client), AT_MOST_PER_CLIENT))
        if full := [moment for moment in moments if moment is not None]:
            raise TooManyMails(max(full))
        Mail.objects.queue([mail])


def network_of(client: str) -> str:
    """Return the address by which a client is counted."""
    address = ip_address(client)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX_BITS), strict=False).network_address)
    return str(address)


def _retry_at(mails: MailQuerySet, at_most: int) -> datetime | None:
    """Return when the next mail may be queued; None for now."""
    recent = mails.filter(priority=Priority.ACCOUNT, created_at__gt=timezone.now() - WINDOW).order_by("-created_at")
    moments = list(recent.values_list("created_at", flat=True)[:at_most])
    return moments[-1] + WINDOW if len(moments) == at_most else None
