"""What gunicorn is told beside its command line: `gunicorn --config python:bayerboard.operations.gunicorn …`.

Its log has the form of all others. Requests are logged by the site (`bayerboard.lib.requests`), with their number; for
whoever turns gunicorn's own access log on, its line has the path alone: a query may hold a signature.
"""

from __future__ import annotations

from bayerboard.settings import LOGGING

_logger = {"handlers": ["console"], "level": "INFO", "propagate": False}
logconfig_dict = {**LOGGING, "loggers": {**LOGGING["loggers"], "gunicorn.error": _logger, "gunicorn.access": _logger}}
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms'
