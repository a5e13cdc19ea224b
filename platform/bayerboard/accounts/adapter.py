"""allauth's mails go into the table of mails: a request sends none, and needs no mail server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.core.exceptions import ImmediateHttpResponse
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

from bayerboard.accounts.mail import ACCOUNT_EXISTS, CONFIRMATION, PASSWORD_RESET, UNKNOWN_ACCOUNT
from bayerboard.mails.limits import TooManyMails, queue_account_mail
from bayerboard.mails.links import site_name

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from bayerboard.accounts.models import User

# allauth has more templates, for things that are switched off here. A test holds the two lists together.
KIND_OF_TEMPLATE = {
    "account/email/unknown_account": UNKNOWN_ACCOUNT,
    "account/email/account_already_exists": ACCOUNT_EXISTS,
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Queues allauth's mails; beyond the limits it answers with the time of the next."""

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Queue the link that confirms an address."""
        address = emailconfirmation.email_address
        self._queue(CONFIRMATION, address.email, user_id=address.user_id, about=address.pk)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Queue the link that sets a new password; the one in `context` is left unused."""
        self._queue(PASSWORD_RESET, email, user_id=user.pk)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue a mail that needs nothing but its address."""
        self._queue(KIND_OF_TEMPLATE[template_prefix], email)

    def format_email_subject(self, subject: str) -> str:
        """Put the site's name before a subject; a worker has no request to take it from."""
        return f"[{site_name()}] {subject}"

    def _queue(self, kind: str, address: str, **about: int) -> None:
        request = allauth_context.request
        client = self.get_client_ip(request) if request is not None else None
        try:
            queue_account_mail(kind, address, client=client, **about)
        except TooManyMails as refusal:
            raise ImmediateHttpResponse(refused(request, refusal.retry_at)) from refusal


def refused(request: HttpRequest | None, retry_at: datetime) -> HttpResponse:
    """Answer that no mail is sent before a moment. It is the same for an address with and without an account."""
    page = render_to_string("account/mail_refused.html", {"retry_at": retry_at}, request)
    wait_s = max(1, round((retry_at - timezone.now()).total_seconds()))
    return HttpResponse(page, status=429, headers={"Retry-After": str(wait_s)})
