"""gunicorn's settings beside its command line: `gunicorn --config python:bayerboard.operations.gunicorn …`.

Its log has the form of all others. Requests are logged by the site (`bayerboard.lib.requests`), with their number, so
that its own access log is off; were it on, its line would have the path alone: a query may hold a signature.
"""

from __future__ import annotations

from bayerboard.settings import LOGGING

_loggers = {
    name: {"handlers": ["console"], "level": level, "propagate": False}
    for name, level in (("gunicorn.error", "INFO"), ("gunicorn.access", "WARNING"))
}
logconfig_dict = {**LOGGING, "loggers": {**LOGGING["loggers"], **_loggers}}
# Gunicorn kills a process that has not begun to answer by then, and starts another, which fares no better. Its own 30 s
# are too few for a slow machine on which the workers start at the same time.
timeout = 180
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms'
