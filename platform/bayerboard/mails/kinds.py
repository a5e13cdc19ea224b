"""The kinds of mail.

Each app registers its own in a module `mail`, with the function that writes such a mail at the moment of sending: a
row of the table holds no text, and above all no link that lets its reader in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.core.mail import EmailMessage

    from bayerboard.mails.models import Mail


class Priority(IntEnum):
    """The order of sending: the lower, the earlier."""

    # Somebody sits before the page and waits for the link.
    ACCOUNT = 10
    NOTICE = 50
    MASS = 90


@dataclass(frozen=True)
class MailKind:
    """A kind of mail: when it is sent, how often, and by whom it is written."""

    code: str
    priority: Priority
    # Sent again where a worker died over it or a connection broke, so that it may come twice; otherwise never twice.
    at_least_once: bool
    # Write the mail from the data of this moment; None: it is not wanted any more.
    compose: Callable[[Mail], EmailMessage | None]


_kinds: dict[str, MailKind] = {}


def register(kind: MailKind) -> MailKind:
    """Add a kind of mail."""
    if kind.code in _kinds:
        raise ValueError(f"There is a kind of mail with the code {kind.code} already.")
    _kinds[kind.code] = kind
    return kind


def mail_kind(code: str) -> MailKind | None:
    """Return the kind with this code; None for one of another version of Bayerboard."""
    return _kinds.get(code)


def mail_kinds() -> tuple[MailKind, ...]:
    """Return every kind."""
    return tuple(_kinds.values())
