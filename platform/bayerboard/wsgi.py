"""The WSGI entry point that gunicorn serves."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bayerboard.settings")

application = get_wsgi_application()

# What is loaded by now, the views included, stays for good. A collector that walks through it again now and then stops
# the process for 50 ms.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
