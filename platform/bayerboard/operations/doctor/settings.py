"""Settings that work and are unwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from bayerboard.operations.doctor.finding import Area, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

AREA = Area("settings")
SECRET_LENGTH = 40
SECRET_VARIETY = 10


def look() -> Iterator[Finding]:
    """Look at debugging, hosts, the secret, HTTPS, mail and the lease."""
    yield _debug()
    yield _hosts()
    yield _secret()
    yield _https()
    yield _mail()
    yield _lease()


def _debug() -> Finding:
    if settings.DEBUG:
        return AREA.problem("debugging", "on: pages of errors show settings and code", "Unset BAYERBOARD_DEBUG.")
    return AREA.ok("debugging", "off")


def _hosts() -> Finding:
    if "*" in settings.ALLOWED_HOSTS:
        return AREA.problem("hosts", "any name is taken", "Name them: BAYERBOARD_HOSTS=challenge.example.org")
    return AREA.ok("hosts", ", ".join(settings.ALLOWED_HOSTS))


def _secret() -> Finding:
    secret = settings.SECRET_KEY
    if len(secret) < SECRET_LENGTH or len(set(secret)) < SECRET_VARIETY:
        return AREA.problem(
            "secret",
            "short enough to be guessed",
            'Set SECRET_KEY to what `python -c "import secrets; print(secrets.token_urlsafe(50))"` prints.',
        )
    return AREA.ok("secret", f"{len(secret)} characters")


def _https() -> Finding:
    if settings.HTTPS:
        if not settings.CSRF_TRUSTED_ORIGINS:
            return AREA.warning(
                "https",
                "on, but no origin is trusted: forms may be refused behind a proxy",
                "Set BAYERBOARD_ORIGINS=https://challenge.example.org",
            )
        return AREA.ok("https", "on")
    if settings.EMBEDDED:
        return AREA.ok("https", "off: fine on one's own machine")
    return AREA.problem(
        "https", "off: passwords cross the network in clear", "Put a TLS proxy in front and set BAYERBOARD_HTTPS=1."
    )


def _mail() -> Finding:
    if settings.EMAIL_HOST:
        return AREA.ok("mail", f"by {settings.EMAIL_HOST}:{settings.EMAIL_PORT}, from {settings.DEFAULT_FROM_EMAIL}")
    if settings.EMBEDDED:
        return AREA.ok("mail", "none: fine on one's own machine")
    return AREA.warning(
        "mail", "none: addresses are not confirmed, passwords cannot be reset", "Set EMAIL_HOST and EMAIL_FROM."
    )


def _lease() -> Finding:
    if settings.LEASE_S < 3 * settings.RECOVER_EVERY_S:
        return AREA.warning(
            "lease",
            f"{settings.LEASE_S} s, with a round of beat every {settings.RECOVER_EVERY_S} s",
            "Make BAYERBOARD_LEASE_S at least three times BAYERBOARD_RECOVER_EVERY_S.",
        )
    return AREA.ok("lease", f"{settings.LEASE_S} s, {settings.MAX_ATTEMPTS} attempts")
