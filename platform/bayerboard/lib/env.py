"""Typed readers of environment variables that fail loudly: a typo in a setting stops the start, not a submission."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class SettingError(Exception):
    """An environment variable that cannot be used; the message says which, and what it may be."""


def text(name: str, default: str | None = None) -> str:
    """Return the variable, or `default`; without either, fail."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise SettingError(f"{name} is not set, and outside the embedded mode it has no default.")
    return default


def integer(name: str, default: int, minimum: int = 0) -> int:
    """Return the variable as a whole number of at least `minimum`."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise SettingError(f"{name} must be a whole number, not {raw!r}.") from None
    if value < minimum:
        raise SettingError(f"{name} must be at least {minimum}, not {value}.")
    return value


def boolean(name: str, default: bool) -> bool:
    """Return the variable as true (1, true, yes, on) or false (0, false, no, off)."""
    raw = os.environ.get(name, "").strip().lower()
    if not raw:
        return default
    if raw in TRUE | FALSE:
        return raw in TRUE
    raise SettingError(f"{name} must be one of 1, true, yes, on, 0, false, no, off; not {raw!r}.")


def words(name: str, default: list[str]) -> list[str]:
    """Return the variable as a list that commas separate."""
    raw = os.environ.get(name, "").strip()
    return [word.strip() for word in raw.split(",") if word.strip()] if raw else default


def choice(name: str, allowed: list[str], default: str) -> str:
    """Return the variable as one of the words that are allowed."""
    value = os.environ.get(name, "").strip().lower() or default
    if value not in allowed:
        raise SettingError(f"{name} must be one of {', '.join(allowed)}; not {value!r}.")
    return value


def path(name: str, default: Path) -> Path:
    """Return the variable as an absolute path."""
    raw = os.environ.get(name, "").strip()
    return (Path(raw).expanduser() if raw else default).resolve()


def both(first: str, second: str) -> tuple[str, str]:
    """Return two variables that make sense only together; both empty when neither is set."""
    values = text(first, ""), text(second, "")
    if bool(values[0]) != bool(values[1]):
        raise SettingError(f"{first} and {second} belong together: set both of them, or none.")
    return values


def origin(name: str) -> str:
    """Return the variable as `http(s)://HOST[:PORT]`, without a slash at its end; empty when it is not set."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return ""
    try:
        url = urlsplit(raw)
        is_origin = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_origin = False
    if not is_origin or "@" in url.netloc or url.path.strip("/") or url.query or url.fragment:
        # The value is not shown: somebody may have written a password into it.
        raise SettingError(f"{name} must look like https://HOST or http://HOST:PORT, and have nothing after that.")
    return f"{url.scheme}://{url.netloc}"


def postgres(name: str) -> dict[str, object] | None:
    """Return Django's settings for `postgresql://user:password@host:port/name`, or None when it is not set."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return None
    try:
        url = urlsplit(raw)
        port = url.port
        is_complete = url.scheme in {"postgres", "postgresql"} and bool(url.path.strip("/"))
    except ValueError:
        is_complete = False
    if not is_complete:
        # The value is not shown, nor what the parser says of it: it holds a password.
        raise SettingError(f"{name} must look like postgresql://USER:PASSWORD@HOST:PORT/NAME.")
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    prepare_after = options.pop("prepare_threshold", "5")
    if prepare_after != "none" and not (prepare_after.isascii() and prepare_after.isdigit()):
        raise SettingError(f"{name}: prepare_threshold must be a number of executions, or none.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.strip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(port or ""),
        "OPTIONS": {
            # What a page asks again and again is planned once: half of the time that the longer queries take.
            "server_side_binding": True,
            "prepare_threshold": None if prepare_after == "none" else int(prepare_after),
            # such as sslmode=require
            **options,
        },
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
