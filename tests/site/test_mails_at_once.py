"""Mails that are asked for, or sent, at the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core import mail as django_mail

from bayerboard.mails.limits import AT_MOST_PER_ADDRESS, AT_MOST_PER_CLIENT, TooManyMails, queue_account_mail
from bayerboard.mails.models import Mail, State
from tests.site.test_upload_at_once import at_once
from workers.mails import send_mails

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

ADA = "ada@example.org"


@pytest.fixture(autouse=True)
def _sends_mail(settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.example.org"


def asked(address: str, client: str) -> bool:
    try:
        queue_account_mail("unknown-account", address, client=client)
    except TooManyMails:
        return False
    return True


def test_requests_for_one_address_are_counted_one_after_the_other() -> None:
    calls = [lambda n=n: asked(ADA, f"192.0.2.{n}") for n in range(AT_MOST_PER_ADDRESS + 3)]

    assert sum(at_once(*calls)) == AT_MOST_PER_ADDRESS
    assert Mail.objects.count() == AT_MOST_PER_ADDRESS


def test_requests_of_one_client_are_counted_one_after_the_other() -> None:
    for number in range(AT_MOST_PER_CLIENT - 2):
        asked(f"earlier{number}@example.org", "192.0.2.1")
    calls = [lambda n=n: asked(f"person{n}@example.org", "192.0.2.1") for n in range(5)]

    assert sum(at_once(*calls)) == 2


def test_workers_at_once_send_each_mail_once() -> None:
    for number in range(12):
        queue_account_mail("unknown-account", f"person{number}@example.org")

    at_once(*[send_mails] * 4)

    assert sorted(message.to[0] for message in django_mail.outbox) == sorted(
        f"person{n}@example.org" for n in range(12)
    )
    assert set(Mail.objects.values_list("state", flat=True)) == {State.SENT}
