"""Makes participants: ``python -m benchmarks.site.people CHALLENGE NUMBER`` with the site's environment.

Not by the sign-up page, which takes twenty a minute from one address. Prints their cookies, as JSON.
"""

# ruff: noqa: E402

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import get_random_string

from bayerboard.accounts.models import User
from bayerboard.challenges.models import Challenge
from bayerboard.teams.models import Membership, Team


def main(slug: str, number: int) -> None:
    challenge = Challenge.objects.get(slug=slug)
    cookies = []
    for place in range(number):
        user = User.objects.create_user(f"person{place}", f"person{place}@example.org")
        team = Team.objects.create(challenge=challenge, name=f"Team {place}")
        Membership.objects.create(challenge=challenge, team=team, user=user, terms_sha256="d" * 64)
        cookies.append({**session_of(user), settings.CSRF_COOKIE_NAME: get_random_string(32)})
    print(json.dumps(cookies))


def session_of(user: User) -> dict[str, str]:
    """Return the cookie of somebody who signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    assert session.session_key is not None
    return {settings.SESSION_COOKIE_NAME: session.session_key}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
