"""The Celery application. A message is only a hint that wakes a worker; the database decides what is done."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bayerboard.settings")

from django.conf import settings

app = Celery("bayerboard")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    # A web request must not hang on a dead broker: the message is a hint, and beat repeats it.
    # One retry at once, and no more: kombu would otherwise try for seconds. Workers and beat, which do have to wait for
    # their broker, have their own loop for that (`broker_connection_retry_on_startup`).
    broker_transport_options={
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "visibility_timeout": 3600,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    },
    task_publish_retry=False,
    # Nobody waits for a result: the database holds it.
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    task_default_queue="default",
    task_routes={
        "workers.score.*": {"queue": "score"},
        "workers.baseline.*": {"queue": "baseline"},
    },
    beat_schedule={
        "recover": {"task": "workers.recover.recover", "schedule": settings.RECOVER_EVERY_S},
        "sweep-uploads": {"task": "workers.sweep.sweep_uploads", "schedule": settings.SWEEP_EVERY_S},
        # It lists all of the storage.
        "sweep-storage": {"task": "workers.sweep.sweep_storage", "schedule": 3600},
    },
    beat_schedule_filename=str(settings.DATA_DIR / "celerybeat-schedule"),
    timezone="UTC",
    imports=("workers.score", "workers.baseline", "workers.recover", "workers.sweep"),
)
