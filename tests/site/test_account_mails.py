"""The mails about accounts: asked for in a request, sent by a worker, and never promised in vain."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import allauth
import pytest
from allauth.account.models import EmailAddress
from django.core import mail as django_mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bayerboard.accounts.adapter import KIND_OF_TEMPLATE
from bayerboard.accounts.models import User
from bayerboard.mails.limits import AT_MOST_PER_ADDRESS, AT_MOST_PER_CLIENT
from bayerboard.mails.models import Mail, State
from tests import factories
from tests.site.pages import Page
from workers.mails import send_mails

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = [pytest.mark.database, pytest.mark.django_db]

SITE = "https://bayerboard.example.org"
ADA = {"username": "ada", "email": "ada@example.org", "password1": "a long passphrase"}
SIGN_IN = {"login": "ada", "password": ADA["password1"]}
ON_ITS_WAY = "on its way"


class NoMailHere(BaseEmailBackend):
    """A mail server that is dead, and that no request may call."""

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError("nobody listens")


@pytest.fixture(autouse=True)
def _dead_server(settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.SITE_URL = SITE
    settings.EMAIL_BACKEND = f"{__name__}.NoMailHere"


@pytest.fixture
def _no_mail(settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"


@pytest.fixture
def ada() -> User:
    user = factories.make_user("ada")
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def post(client: Client, path: str, fields: dict[str, str], **headers: Any) -> Any:
    """Send a form and follow where it leads."""
    return client.post(f"/accounts/{path}", fields, follow=True, **headers)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def waiting() -> list[tuple[str, str]]:
    return list(Mail.objects.filter(state=State.PENDING).order_by("pk").values_list("kind", "address"))


def deliver(settings: Settings) -> list[str]:
    """Let a worker send what waits by a server that answers; return the texts."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    send_mails()
    return [str(message.body) for message in django_mail.outbox]


def link_in(body: str) -> str:
    (path,) = re.findall(rf"{SITE}(/accounts/(?:confirm-email|password/reset/key)/\S+)", body)
    return str(path)


# --- While the mail server is dead ---


def test_signing_up() -> None:
    response = post(Client(), "signup/", ADA)

    assert response.status_code == 200
    assert ON_ITS_WAY in Page(response).text
    assert waiting() == [("confirmation", "ada@example.org")]


def test_signing_in_before_the_address_is_confirmed() -> None:
    post(Client(), "signup/", ADA)

    response = post(Client(), "login/", SIGN_IN)

    assert response.status_code == 200
    assert ON_ITS_WAY in Page(response).text
    assert waiting() == [("confirmation", "ada@example.org")] * 2


def test_asking_for_the_link_again(ada: User) -> None:
    EmailAddress.objects.update(verified=False)

    response = post(signed_in(ada), "email/", {"action_send": "", "email": ada.email})

    assert response.status_code == 200
    assert "A mail to ada@example.org with a link to confirm it is on its way." in Page(response).text
    assert waiting() == [("confirmation", "ada@example.org")]


def test_another_address(ada: User) -> None:
    response = post(signed_in(ada), "email/", {"action_add": "", "email": "ada@university.example"})

    assert response.status_code == 200
    assert ON_ITS_WAY in Page(response).text
    assert waiting() == [("confirmation", "ada@university.example")]


def test_a_forgotten_password(ada: User) -> None:
    response = post(Client(), "password/reset/", {"email": ada.email})

    assert response.status_code == 200
    assert ON_ITS_WAY in Page(response).text
    assert waiting() == [("password-reset", "ada@example.org")]


def test_an_address_without_account_gets_the_same_page(ada: User) -> None:
    known = post(Client(), "password/reset/", {"email": ada.email})
    unknown = post(Client(), "password/reset/", {"email": "nobody@example.org"})

    assert Page(known).text == Page(unknown).text
    assert waiting()[1:] == [("unknown-account", "nobody@example.org")]


def test_an_address_without_account_costs_the_same_queries(ada: User) -> None:
    counts = []
    for email in (ada.email, "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            Client().post("/accounts/password/reset/", {"email": email})
        counts.append(len([query for query in queries.captured_queries if "mails_mail" in query["sql"]]))

    assert counts[0] == counts[1] > 0


def test_signing_up_with_a_known_address_tells_its_owner_alone(ada: User) -> None:
    response = post(Client(), "signup/", {**ADA, "username": "mallory"})

    assert ON_ITS_WAY in Page(response).text
    assert waiting() == [("account-exists", "ada@example.org")]


# --- The worker ---


def test_the_link_confirms_an_unconfirmed_address(settings: Settings) -> None:
    post(Client(), "signup/", ADA)

    (body,) = deliver(settings)
    Client().post(link_in(body))

    assert EmailAddress.objects.get().verified


def test_the_link_sets_a_new_password(ada: User, settings: Settings) -> None:
    post(Client(), "password/reset/", {"email": ada.email})

    (body,) = deliver(settings)
    client = Client()
    form: Any = client.get(link_in(body), follow=True)
    password = {"password1": "another passphrase", "password2": "another passphrase"}
    client.post(form.redirect_chain[-1][0], password)

    ada.refresh_from_db()
    assert ada.check_password("another passphrase")


@pytest.mark.parametrize("header", ["HTTP_HOST", "SERVER_PORT"])
def test_links_lead_to_the_site_and_not_where_a_request_says(ada: User, settings: Settings, header: str) -> None:
    value = {"HTTP_HOST": "localhost:6666", "SERVER_PORT": "6666"}[header]
    post(Client(), "password/reset/", {"email": ada.email}, **{header: value})
    post(Client(), "password/reset/", {"email": "nobody@example.org"}, **{header: value})
    post(Client(), "signup/", {**ADA, "username": "b", "email": "b@example.org"}, **{header: value})

    bodies = deliver(settings)

    assert len(bodies) == 3
    texts = [*bodies, *(str(message.subject) for message in django_mail.outbox)]
    assert [text for text in texts if "6666" in text or "localhost" in text] == []
    assert all(SITE in body for body in bodies)


def test_no_link_and_no_token_is_stored_or_logged(
    ada: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    post(Client(), "password/reset/", {"email": ada.email})
    post(Client(), "signup/", {**ADA, "username": "b", "email": "b@example.org"})

    bodies = deliver(settings)

    tokens = [link_in(body).rstrip("/").split("/")[-1] for body in bodies]
    assert len(tokens) == 2
    rows = str(list(Mail.objects.values()))
    assert [token for token in tokens if token in rows or token in caplog.text] == []
    assert list(Mail.objects.values_list("data", flat=True)) == [{}, {}]


def test_an_address_that_was_confirmed_meanwhile_gets_no_link(settings: Settings) -> None:
    post(Client(), "signup/", ADA)
    EmailAddress.objects.update(verified=True)

    assert deliver(settings) == []
    assert Mail.objects.get().state == State.DROPPED


def test_an_account_that_is_switched_off_meanwhile_gets_no_link(ada: User, settings: Settings) -> None:
    post(Client(), "password/reset/", {"email": ada.email})
    User.objects.update(is_active=False)

    assert deliver(settings) == []


def test_an_address_that_changed_hands_gets_no_link(ada: User, settings: Settings) -> None:
    post(Client(), "password/reset/", {"email": ada.email})
    EmailAddress.objects.update(email="ada@elsewhere.example")
    User.objects.update(email="ada@elsewhere.example")

    assert deliver(settings) == []


def test_a_person_who_is_gone_gets_no_mail(ada: User, settings: Settings) -> None:
    post(Client(), "password/reset/", {"email": ada.email})
    ada.delete()

    assert deliver(settings) == []


def test_every_mail_of_allauth_is_known_here() -> None:
    """An update of allauth that sends another must not meet a site that cannot queue it."""
    folder = Path(allauth.__file__).parent / "templates" / "account" / "email"
    names = {f"account/email/{path.name.removesuffix('_message.txt')}" for path in folder.glob("*_message.txt")}
    own = {"email_confirmation", "email_confirmation_signup", "password_reset_key"}
    # ACCOUNT_EMAIL_NOTIFICATIONS and sign-in by code are off.
    off = {
        *("email_changed", "email_confirm", "email_deleted", "password_changed", "password_reset", "password_set"),
        *("login_code", "password_reset_code", "base"),
    }
    assert names == {*KIND_OF_TEMPLATE, *(f"account/email/{name}" for name in own | off)}


# --- Limits ---


@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org"], ids=["account", "no account"])
def test_beyond_the_limit_of_an_address_the_page_says_when(ada: User, email: str) -> None:
    for _ in range(AT_MOST_PER_ADDRESS):
        post(Client(), "password/reset/", {"email": email})

    response = post(Client(), "password/reset/", {"email": email})

    assert response.status_code == 429
    page = Page(response)
    assert ON_ITS_WAY not in page.text
    assert "You can ask for another from" in page.text
    assert "<time" in page.html
    assert 0 < int(response["Retry-After"]) <= 3600
    assert Mail.objects.count() == AT_MOST_PER_ADDRESS


def test_the_limit_counts_all_account_mails(ada: User) -> None:
    EmailAddress.objects.update(verified=False)
    for _ in range(AT_MOST_PER_ADDRESS):
        post(Client(), "password/reset/", {"email": ada.email})

    response = post(signed_in(ada), "email/", {"action_send": "", "email": ada.email})

    assert response.status_code == 429
    assert ON_ITS_WAY not in Page(response).text


def test_beyond_the_limit_of_a_client_signing_up_makes_the_account_and_says_when() -> None:
    for number in range(AT_MOST_PER_CLIENT):
        Mail.objects.create(kind="confirmation", priority=10, address=f"{number}@example.org", client="127.0.0.1")

    response = post(Client(), "signup/", ADA)

    assert response.status_code == 429
    assert ON_ITS_WAY not in Page(response).text
    assert User.objects.filter(username="ada").exists()


def test_another_address_beyond_the_limit(ada: User) -> None:
    for number in range(AT_MOST_PER_CLIENT):
        Mail.objects.create(kind="confirmation", priority=10, address=f"{number}@example.org", client="127.0.0.1")

    response = post(signed_in(ada), "email/", {"action_add": "", "email": "ada@university.example"})

    assert response.status_code == 429
    assert ON_ITS_WAY not in Page(response).text


def test_behind_a_proxy_clients_are_told_apart(ada: User, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    for client in ("192.0.2.1", "203.0.113.9, 192.0.2.2"):
        post(Client(), "password/reset/", {"email": ada.email}, HTTP_X_FORWARDED_FOR=client)

    assert list(Mail.objects.order_by("pk").values_list("client", flat=True)) == ["192.0.2.1", "192.0.2.2"]


def test_without_a_proxy_nobody_chooses_his_address(ada: User) -> None:
    post(Client(), "password/reset/", {"email": ada.email}, HTTP_X_FORWARDED_FOR="192.0.2.1")

    assert Mail.objects.get().client == "127.0.0.1"


# --- A site without mail ---


@pytest.mark.usefixtures("_no_mail")
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("signup/", {**ADA, "username": "b", "email": "b@example.org"}),
        ("password/reset/", {"email": "ada@example.org"}),
        ("password/reset/", {"email": "nobody@example.org"}),
        ("email/", {"action_add": "", "email": "ada@university.example"}),
        ("email/", {"action_send": "", "email": "ada@example.org"}),
    ],
)
def test_a_site_without_mail_promises_none(ada: User, path: str, fields: dict[str, str]) -> None:
    EmailAddress.objects.update(verified=False)
    client = signed_in(ada) if path == "email/" else Client()

    response = post(client, path, fields)

    assert response.status_code == 200
    text = Page(response).text.lower()
    assert [promise for promise in (ON_ITS_WAY, "sent", "look at your mail") if promise in text] == []
    assert not Mail.objects.exists()


@pytest.mark.usefixtures("_no_mail")
@pytest.mark.parametrize("path", ["confirm-email/", "password/reset/done/", "confirm-email/nonsense/", "email/"])
def test_no_page_of_a_site_without_mail_speaks_of_a_link(ada: User, path: str) -> None:
    page = Page(signed_in(ada).get(f"/accounts/{path}", follow=True))

    text = page.text.lower()
    assert [promise for promise in (ON_ITS_WAY, "sent", "send a new link", "send the link") if promise in text] == []
