"""The table of mails: who is sent first, how often, and what becomes of those that do not go out."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bayerboard.mails import kinds
from bayerboard.mails.kinds import MailKind, Priority, mail_kinds, register
from bayerboard.mails.limits import (
    AT_MOST_PER_ADDRESS,
    AT_MOST_PER_CLIENT,
    WINDOW,
    TooManyMails,
    network_of,
    queue_account_mail,
)
from bayerboard.mails.models import KEPT, MAIL_TASK, MAIL_TRIES, Mail, State
from bayerboard.mails.outbox import send_due
from tests.operations.test_metrics import plan_of
from workers.mails import send_mails
from workers.sweep import sweep_storage

if TYPE_CHECKING:
    from pytest_django import Settings
    from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

pytestmark = [pytest.mark.database, pytest.mark.django_db]

ADA = "ada@example.org"


def compose(mail: Mail) -> EmailMessage:
    return EmailMessage(subject=f"{mail.kind} {mail.about}", body="text", to=[mail.address])


@pytest.fixture(autouse=True)
def _kinds(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the site send mail, of two kinds that are written in one line."""
    settings.EMAIL_HOST = "mail.example.org"
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    register(MailKind("link", Priority.ACCOUNT, at_least_once=True, compose=compose))
    register(MailKind("news", Priority.NOTICE, at_least_once=False, compose=compose))


class Server(EmailBackend):
    """A mail server that does what `trouble` says, once a mail comes."""

    trouble: Exception | None = None
    opened = 0

    def open(self) -> bool:
        Server.opened += 1
        return True

    def send_messages(self, messages: Any) -> int:
        if self.trouble is not None:
            raise self.trouble
        return super().send_messages(messages)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> type[Server]:
    monkeypatch.setattr(Server, "trouble", None)
    monkeypatch.setattr(Server, "opened", 0)
    monkeypatch.setattr("bayerboard.mails.outbox.get_connection", Server)
    return Server


class Died(BaseException):
    """The worker's process is gone."""


def queue(kind: str, about: int = 1, address: str = ADA) -> Mail:
    mail = Mail.make(kind, address, about=about)
    Mail.objects.queue([mail])
    return mail


def sent() -> list[str]:
    return [str(message.subject) for message in django_mail.outbox]


def states() -> list[str]:
    return list(Mail.objects.order_by("pk").values_list("state", flat=True))


def make_due() -> None:
    """Let waits and claims be over."""
    past = timezone.now() - timedelta(seconds=1)
    Mail.objects.update(due_at=past)
    Mail.objects.exclude(claimed_until=None).update(claimed_until=past)


# --- In line ---


def test_a_worker_is_woken_once_the_row_is_stored(
    published: list[tuple[str, dict[str, Any]]], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        queue("link")
        assert published == []

    assert published == [(MAIL_TASK, {})]


def test_account_mails_go_before_notices_that_came_earlier() -> None:
    queue("news", 1)
    queue("link", 2)
    queue("news", 3)

    send_mails()

    assert sent() == ["link 2", "news 1", "news 3"]
    assert states() == [State.SENT] * 3


def test_a_link_that_comes_while_notices_are_sent_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    queue("news", 1)
    queue("news", 2)
    written: list[int] = []

    def write(mail: Mail) -> EmailMessage:
        if not written:
            queue("link", 3)
        written.append(mail.pk)
        return compose(mail)

    monkeypatch.setitem(kinds._kinds, "news", MailKind("news", Priority.NOTICE, at_least_once=False, compose=write))

    send_mails()

    assert sent() == ["news 1", "link 3", "news 2"]


def test_the_text_is_written_at_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = queue("link", 1)
    Mail.objects.filter(pk=mail.pk).update(about=7)

    send_mails()

    assert sent() == ["link 7"]


def test_where_no_mail_goes_out_none_waits(settings: Settings) -> None:
    settings.EMAIL_HOST = ""

    queue("news")
    queue_account_mail("link", ADA)

    assert not Mail.objects.exists()


def test_what_waits_is_kept_while_the_site_sends_no_mail(settings: Settings) -> None:
    queue("link")
    settings.EMAIL_HOST = ""

    assert send_due() == 0
    assert states() == [State.PENDING]
    assert sent() == []


def test_a_mail_that_is_wanted_no_more_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = MailKind("news", Priority.NOTICE, at_least_once=False, compose=lambda mail: None)
    monkeypatch.setitem(kinds._kinds, "news", kind)
    queue("news")

    send_mails()

    assert sent() == []
    assert states() == [State.DROPPED]


def test_a_kind_has_one_code() -> None:
    with pytest.raises(ValueError, match="news"):
        register(MailKind("news", Priority.MASS, at_least_once=False, compose=compose))


def test_a_mail_of_no_kind_is_not_queued() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Mail.make("nothing", ADA)


def test_a_kind_of_another_version_holds_nobody_up() -> None:
    Mail.objects.create(kind="of tomorrow", priority=Priority.ACCOUNT, address=ADA)
    queue("news", 2)

    send_mails()

    assert sent() == ["news 2"]
    assert states() == [State.FAILED, State.SENT]


def test_notices_and_account_mails_are_registered() -> None:
    often = {kind.code: (kind.priority, kind.at_least_once) for kind in mail_kinds()}
    account = dict.fromkeys(
        ("confirmation", "password-reset", "unknown-account", "account-exists"), (Priority.ACCOUNT, True)
    )

    assert {code: often[code] for code in often if code not in {"link", "news"}} == {
        **account,
        "notice": (Priority.NOTICE, False),
    }


# --- Once, and in the end ---


def test_nobody_gets_it_twice() -> None:
    queue("link", 1)
    queue("news", 2)

    for _ in range(3):
        send_mails()
        make_due()

    assert sent() == ["link 1", "news 2"]


def test_of_two_claims_one_wins() -> None:
    queue("link")
    first, second = Mail.objects.get(), Mail.objects.get()

    assert first.claim()
    assert not second.claim()


def test_a_mail_that_another_worker_holds_is_left_to_it() -> None:
    for kind in ("link", "news"):
        assert queue(kind).claim()

    send_mails()

    assert sent() == []
    assert states() == [State.CLAIMED] * 2


def test_a_worker_that_dies_before_sending_costs_a_notice_and_no_link(
    server: type[Server],
) -> None:
    queue("link", 1)
    queue("news", 2)
    server.trouble = Died()  # type: ignore[assignment]
    for _ in range(2):
        with pytest.raises(Died):
            send_mails()
    assert states() == [State.CLAIMED] * 2
    server.trouble = None

    make_due()
    send_mails()

    assert sent() == ["link 1"]
    assert states() == [State.SENT, State.CLAIMED]


def test_a_worker_that_dies_after_sending_sends_a_link_twice_and_a_notice_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(mail: Mail) -> None:
        raise Died

    queue("link", 1)
    queue("news", 2)
    with monkeypatch.context() as patch:
        patch.setattr(Mail, "mark_sent", die)
        for _ in range(2):
            with pytest.raises(Died):
                send_mails()
    make_due()

    send_mails()

    assert sorted(sent()) == ["link 1", "link 1", "news 2"]


def test_a_mail_that_kills_its_worker_is_given_up_in_the_end(server: type[Server]) -> None:
    queue("link")
    server.trouble = Died()  # type: ignore[assignment]
    for _ in range(MAIL_TRIES):
        with pytest.raises(Died):
            send_mails()
        make_due()

    send_mails()

    assert states() == [State.FAILED]


def test_a_worker_whose_claim_ran_out_changes_nothing() -> None:
    queue("link")
    slow = Mail.objects.get()
    assert slow.claim()
    make_due()
    Mail.objects.take_back()
    assert Mail.objects.get().claim()

    slow.give_up()

    assert states() == [State.CLAIMED]


def test_a_server_that_is_away_costs_no_attempt(server: type[Server], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(backend: Server) -> None:
        raise ConnectionRefusedError("nobody listens")

    queue("link", 1)
    with monkeypatch.context() as patch:
        patch.setattr(Server, "open", refuse)
        send_mails()
    assert list(Mail.objects.values_list("state", "attempts")) == [(State.PENDING, 0)]

    send_mails()

    assert sent() == ["link 1"]


def test_nobody_is_called_where_nothing_is_due(server: type[Server]) -> None:
    send_mails()

    assert server.opened == 0


LATER = smtplib.SMTPRecipientsRefused({ADA: (450, b"greylisted")})
NEVER = smtplib.SMTPRecipientsRefused({ADA: (550, b"unknown")})
OURS = smtplib.SMTPSenderRefused(530, b"Must issue STARTTLS first", "bayerboard@example.org")
BROKEN = smtplib.SMTPServerDisconnected("the line broke")


@pytest.mark.parametrize(
    ("trouble", "link", "news"),
    [
        (LATER, State.PENDING, State.PENDING),
        (NEVER, State.FAILED, State.FAILED),
        (OURS, State.PENDING, State.PENDING),
        (BROKEN, State.PENDING, State.FAILED),
        (TimeoutError("no answer"), State.PENDING, State.FAILED),
    ],
    ids=["put off", "refused", "our fault", "line broke", "no answer"],
)
def test_how_the_server_answers_decides(server: type[Server], trouble: Exception, link: str, news: str) -> None:
    queue("link")
    queue("news")
    server.trouble = trouble

    send_mails()

    assert states() == [link, news]


def test_a_broken_line_is_opened_anew(server: type[Server]) -> None:
    queue("link")
    queue("news")
    server.trouble = BROKEN

    send_mails()

    assert server.opened == 3


def test_a_mail_that_is_put_off_waits_and_then_goes_out(server: type[Server]) -> None:
    queue("news", 1)
    server.trouble = LATER
    send_mails()
    server.trouble = None

    send_mails()
    assert sent() == []
    make_due()
    send_mails()

    assert sent() == ["news 1"]


def test_but_not_for_ever(server: type[Server]) -> None:
    queue("link")
    server.trouble = LATER

    for _ in range(MAIL_TRIES):
        assert states() == [State.PENDING]
        make_due()
        send_mails()

    assert states() == [State.FAILED]


def test_a_mail_that_cannot_be_written_holds_nobody_up_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    link = "https://example.org/5up3rs3cr3t"

    def fail(mail: Mail) -> EmailMessage:
        raise RuntimeError(link)

    monkeypatch.setitem(kinds._kinds, "link", MailKind("link", Priority.ACCOUNT, at_least_once=True, compose=fail))
    queue("link", 1)
    queue("news", 2)

    send_mails()

    assert sent() == ["news 2"]
    assert states() == [State.PENDING, State.SENT]
    assert "RuntimeError" in caplog.text
    assert "5up3rs3cr3t" not in caplog.text


def test_the_words_of_a_server_stay_out_of_the_log(server: type[Server], caplog: pytest.LogCaptureFixture) -> None:
    queue("link")
    server.trouble = smtplib.SMTPDataError(451, b"no links such as https://example.org/5up3rs3cr3t")

    send_mails()

    assert "451" in caplog.text
    assert "5up3rs3cr3t" not in caplog.text


def test_old_mails_are_forgotten() -> None:
    for state in State:
        Mail.objects.create(kind="link", priority=10, address=ADA, state=state, created_at=timezone.now() - KEPT)
    kept = queue("link")

    sweep_storage()

    assert Mail.objects.get() == kept


# --- Limits of account mails ---


def ask(address: str = ADA, client: str | None = "192.0.2.1") -> None:
    queue_account_mail("link", address, client=client)


def test_an_address_gets_three_an_hour() -> None:
    for number in range(AT_MOST_PER_ADDRESS):
        ask(client=f"192.0.2.{number}")

    with pytest.raises(TooManyMails) as refusal:
        ask(ADA.upper(), client="192.0.2.99")

    assert Mail.objects.count() == AT_MOST_PER_ADDRESS == 3
    first = Mail.objects.order_by("pk")[0]
    assert refusal.value.retry_at == first.created_at + WINDOW


def test_a_client_gets_twenty_an_hour() -> None:
    for number in range(AT_MOST_PER_CLIENT):
        ask(f"person{number}@example.org")

    with pytest.raises(TooManyMails):
        ask("another@example.org")
    ask("another@example.org", client="192.0.2.2")

    assert Mail.objects.count() == AT_MOST_PER_CLIENT + 1 == 21


def test_an_hour_later_there_is_room() -> None:
    for _ in range(AT_MOST_PER_ADDRESS):
        ask()
    Mail.objects.update(created_at=timezone.now() - WINDOW)

    ask()

    assert Mail.objects.count() == AT_MOST_PER_ADDRESS + 1


def test_mails_count_whatever_became_of_them() -> None:
    for state in (State.SENT, State.FAILED, State.DROPPED):
        Mail.objects.create(kind="link", priority=Priority.ACCOUNT, address=ADA, state=state)

    with pytest.raises(TooManyMails):
        ask()


@pytest.mark.parametrize("client", [None, "192.0.2.1"])
def test_the_limits_are_counted_by_an_index(client: str | None) -> None:
    ask()
    with CaptureQueriesContext(connection) as queries:
        ask(client=client)

    counts = [query["sql"] for query in queries.captured_queries if query["sql"].startswith('SELECT "mails_mail')]
    plans = [plan_of(sql) for sql in counts]
    assert len(plans) == (1 if client is None else 2)
    assert [line for lines in plans for line in lines if "SCAN mails_" in line or "Seq Scan" in line] == []


def test_notices_take_nothing_from_the_limit() -> None:
    for number in range(2 * AT_MOST_PER_ADDRESS):
        queue("news", number)

    ask()

    assert Mail.objects.count() == 2 * AT_MOST_PER_ADDRESS + 1


def test_a_mail_of_no_client_counts_for_its_address_alone() -> None:
    for number in range(AT_MOST_PER_CLIENT + 1):
        ask(f"person{number}@example.org", client=None)

    assert Mail.objects.count() == AT_MOST_PER_CLIENT + 1


@pytest.mark.parametrize(
    ("client", "network"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")],
)
def test_an_ipv6_client_is_its_network(client: str, network: str) -> None:
    assert network_of(client) == network
