"""The mails about accounts, with allauth's texts; each link is made here, at sending, and stands nowhere else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse

from bayerboard.mails.kinds import MailKind, Priority, register
from bayerboard.mails.links import absolute, site_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.core.mail import EmailMessage

    from bayerboard.mails.models import Mail

CONFIRMATION = "confirmation"
PASSWORD_RESET = "password-reset"  # noqa: S105 - the code of a mail
UNKNOWN_ACCOUNT = "unknown-account"
ACCOUNT_EXISTS = "account-exists"


def compose_confirmation(mail: Mail) -> EmailMessage | None:
    """Write the link that confirms an address; None once it is confirmed, or belongs to nobody."""
    unconfirmed = EmailAddress.objects.filter(pk=mail.about, email__iexact=mail.address, verified=False)
    address = unconfirmed.select_related("user").first()
    if address is None or not address.user.is_active:
        return None
    path = reverse("account_confirm_email", args=[EmailConfirmationHMAC(address).key])
    return _render("email_confirmation", mail, user=address.user, activate_url=absolute(path))


def compose_password_reset(mail: Mail) -> EmailMessage | None:
    """Write the link that sets a new password; None where the account has the address no longer."""
    user = next((user for user in _users_of(mail.address) if user.pk == mail.user_id), None)
    if user is None:
        return None
    key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    path = reverse("account_reset_password_from_key", kwargs=key)
    return _render("password_reset_key", mail, password_reset_url=absolute(path), username=user.get_username())


def compose_unknown_account(mail: Mail) -> EmailMessage | None:
    """Say that nobody has this address; None where somebody has it by now."""
    if not app_settings.EMAIL_UNKNOWN_ACCOUNTS or _users_of(mail.address):
        return None
    return _render("unknown_account", mail, signup_url=absolute(reverse("account_signup")))


def compose_account_exists(mail: Mail) -> EmailMessage | None:
    """Say to somebody who signs up again that the account is there; None where it is gone."""
    if not _users_of(mail.address):
        return None
    return _render("account_already_exists", mail, password_reset_url=absolute(reverse("account_reset_password")))


def _users_of(address: str) -> list[Any]:
    users: list[Any] = filter_users_by_email(address, is_active=True, prefer_verified=True, for_login=True)
    return users


def _render(template: str, mail: Mail, **context: Any) -> EmailMessage:
    site = SimpleNamespace(name=site_name(), domain=site_name())
    message: EmailMessage = get_adapter().render_mail(
        f"account/email/{template}",
        mail.address,
        {"email": mail.address, "current_site": site, **context},
        headers={"Auto-Submitted": "auto-generated"},
    )
    return message


def _register(code: str, compose: Callable[[Mail], EmailMessage | None]) -> None:
    register(MailKind(code, Priority.ACCOUNT, at_least_once=True, compose=compose))


_register(CONFIRMATION, compose_confirmation)
_register(PASSWORD_RESET, compose_password_reset)
_register(UNKNOWN_ACCOUNT, compose_unknown_account)
_register(ACCOUNT_EXISTS, compose_account_exists)
