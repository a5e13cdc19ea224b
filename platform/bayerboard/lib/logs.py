"""Logs: lines of text for a person, lines of JSON for a machine; with the context of the request or task, no secret.

Code logs with the standard library's `logging`. What belongs to every line of a request or a task (its id, the
submission) is bound once, with `bound`, and added here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import structlog
from structlog.contextvars import bound_contextvars

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "…"
# What must never reach a log, whoever writes it: a signed address is as good as a password until it expires.
SECRETS = (
    # the query of an address or a path: signatures, tokens, session keys
    (re.compile(r"(?<=[\w/~.-])\?[^\s\"'<>]*=[^\s\"'<>]*"), f"?{HIDDEN}"),
    # user:password@host, in a database's or a broker's address
    (re.compile(r"(\w://[^/\s:@]*):[^/\s@]+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(AWS4-HMAC-SHA256)\s[^\n]*", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"""(\b(?:[\w-]*(?:password|passwd|secret|token|signature|credential)[\w-]*|sessionid|set-cookie|cookie)"""
            r"""["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;)}\]]+)""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # the keys in mails: a new password, a confirmed address
    (re.compile(r"(/accounts/(?:password/reset/key|confirm-email)/)[^\s/]+"), rf"\1{HIDDEN}"),
)
# Their lines of debugging quote whole requests, with signatures and headers.
TALKATIVE = ("boto3", "botocore", "s3transfer", "urllib3")


def bound(**values: Any) -> AbstractContextManager[None]:
    """Add these values to every line that is logged inside the `with` block, by whatever module."""
    return bound_contextvars(**values)


def redact(text: str) -> str:
    """Return the text without what would let a reader of logs in."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


def redact_event(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Redact every text of a line, a traceback included."""
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


def render_text(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """Write a line as a person reads it: time, level, logger, message, then what is bound."""
    head = [event.pop(key, "") for key in ("timestamp", "level", "logger", "event")]
    exception = event.pop("exception", "")
    line = " ".join(
        [head[0], head[1].upper(), head[2], str(head[3]), *(f"{key}={event[key]}" for key in sorted(event))]
    )
    return f"{line}\n{exception}" if exception else line


def config(style: str, level: str) -> dict[str, Any]:
    """Return the settings of `logging.config.dictConfig`, `style` being text or json.

    The site, the workers, beat and gunicorn use the same.
    """
    # Records of `logging` come as they are; these give them the form that structlog's own would have.
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        # what a line names with `extra=`; Celery's own extras quote whole messages
        structlog.stdlib.ExtraAdder(allow=("submission", "evaluation")),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    end: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redact_event,
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False) if style == "json" else render_text,
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": structlog.stdlib.ProcessorFormatter, "foreign_pre_chain": chain, "processors": end}
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
            **{name: {"level": "WARNING"} for name in TALKATIVE},
        },
    }
