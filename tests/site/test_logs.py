"""Logs: their form, what is bound to a line, and what must never be in one."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client, RequestFactory
from django.urls import resolve
from structlog.contextvars import clear_contextvars, get_contextvars

from bayerboard.celery import bind_task, unbind_task
from bayerboard.lib import logs
from bayerboard.lib.requests import shown_path
from bayerboard.operations import gunicorn
from tests import factories
from workers.score import score_next

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.factories import Cast

Lines = list[dict[str, Any]]

SECRETS = [
    "GET /uploads/12/parts/3?expires=1700000000&signature=5up3rs3cr3t HTTP/1.1",
    "https://s3.example.org/bucket/archives/3f.zip?X-Amz-Credential=AKIA&X-Amz-Signature=5up3rs3cr3t",
    "Authorization: Bearer 5up3rs3cr3t",
    "authorization: AWS4-HMAC-SHA256 Credential=AKIA/2026, Signature=5up3rs3cr3t",
    "cannot connect to postgresql://bayerboard:5up3rs3cr3t@db:5432/bayerboard",
    "cannot connect to redis://:5up3rs3cr3t@valkey:6379/0",
    "settings: {'SECRET_KEY': '5up3rs3cr3t'}",
    'AWS_SECRET_ACCESS_KEY="5up3rs3cr3t"',
    "Set-Cookie: sessionid=5up3rs3cr3t; HttpOnly",
    "Not Found: /accounts/password/reset/key/1-5up3rs3cr3t/",
    "Not Found: /accounts/confirm-email/5up3rs3cr3t/",
]


@pytest.fixture(autouse=True)
def _nothing_bound() -> None:
    clear_contextvars()


def formatter(style: str) -> logging.Formatter:
    settings = logs.config(style, "INFO")["formatters"]["line"]
    made: logging.Formatter = settings["()"](
        foreign_pre_chain=settings["foreign_pre_chain"], processors=settings["processors"]
    )
    return made


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def written(stream: io.StringIO) -> Iterator[Callable[[], Lines]]:
    """Give the lines that are written from here on, read from their JSON."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter("json"))
    loggers = [logging.getLogger(), logging.getLogger("django")]
    for logger in loggers:
        logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    for logger in loggers:
        logger.removeHandler(handler)


def record(message: str, *args: object, exc_info: Any = None) -> logging.LogRecord:
    return logging.LogRecord("test", logging.WARNING, __file__, 1, message, args, exc_info)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("style", ["text", "json"])
def test_no_secret_passes(style: str, secret: str) -> None:
    line = formatter(style).format(record("%s", secret))

    assert "5up3rs3cr3t" not in line
    assert "…" in line


def test_no_secret_passes_in_a_traceback() -> None:
    error = OSError("PUT https://s3.example.org/b/k?X-Amz-Signature=5up3rs3cr3t failed")

    line = formatter("text").format(record("upload failed", exc_info=(OSError, error, None)))

    assert "https://s3.example.org/b/k?… failed" in line
    assert "5up3rs3cr3t" not in line


@pytest.mark.parametrize(
    "text",
    ["submission 12: scored 480 images", "GET /submissions/12/: 200 in 3 ms", "what now? nothing", "a=1, b=2"],
)
def test_an_ordinary_line_is_left_alone(text: str) -> None:
    assert logs.redact(text) == text


def test_a_line_of_json_has_what_is_bound_to_it() -> None:
    with logs.bound(submission=12, task_id="abc"):
        line = json.loads(formatter("json").format(record("scored %d images", 480)))

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "scored 480 images",
        "level": "warning",
        "logger": "test",
        "submission": 12,
        "task_id": "abc",
    }


def test_a_line_of_text_has_what_is_bound_to_it_at_its_end() -> None:
    with logs.bound(submission=12):
        line = formatter("text").format(record("scored"))

    assert line.endswith(" WARNING test scored submission=12")


def test_a_block_that_is_over_binds_nothing() -> None:
    with logs.bound(submission=12):
        pass

    assert "submission" not in formatter("json").format(record("later"))


def test_the_settings_are_what_python_takes(stream: io.StringIO) -> None:
    logging.config.DictConfigurator(gunicorn.logconfig_dict)
    assert gunicorn.logconfig_dict["formatters"]["line"]["()"] is not None
    assert "%(q)s" not in gunicorn.access_log_format
    assert "%(r)s" not in gunicorn.access_log_format


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_number_and_without_its_query(written: Callable[[], Lines]) -> None:
    response = Client().get("/?signature=5up3rs3cr3t")

    (line,) = [line for line in written() if line["logger"] == "bayerboard.lib.requests"]
    assert line["event"].startswith("GET /: 200 in ")
    assert line["request_id"] == response["X-Request-ID"]
    assert "5up3rs3cr3t" not in str(line)


@pytest.mark.django_db
def test_two_requests_have_two_numbers() -> None:
    client = Client()
    assert client.get("/")["X-Request-ID"] != client.get("/")["X-Request-ID"]


def test_what_machines_ask_every_few_seconds_is_not_logged(written: Callable[[], Lines]) -> None:
    Client().get("/health/")
    assert written() == []


def test_the_page_of_a_submission_binds_its_number(cast: Cast, tmp_path: Path, written: Callable[[], Lines]) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)

    cast.client("stranger").get(submission.get_absolute_url())

    lines = [line for line in written() if "request_id" in line]
    assert {line["submission"] for line in lines} == {submission.pk}
    assert {line["logger"] for line in lines} == {"django.request", "bayerboard.lib.requests"}


def test_an_accepted_submission_is_logged_with_its_number(
    cast: Cast, tmp_path: Path, written: Callable[[], Lines]
) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)

    (line,) = [line for line in written() if line["logger"] == "bayerboard.submissions.submit"]
    assert line["submission"] == submission.pk


def test_the_key_of_a_mail_is_cut_out_of_the_path() -> None:
    request = RequestFactory().get("/accounts/password/reset/key/1-abcdef/")
    request.resolver_match = resolve(request.path)

    assert shown_path(request) == "/accounts/password/reset/key/…-…/"


def test_what_a_worker_logs_has_the_submission_and_the_evaluation(
    cast: Cast, tmp_path: Path, written: Callable[[], Lines]
) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)

    score_next()

    (line,) = [line for line in written() if line["logger"] == "workers.score"]
    assert (line["submission"], line["evaluation"]) == (submission.pk, submission.evaluation.pk)


def test_a_task_binds_its_name_and_number_and_leaves_nothing_behind() -> None:
    bind_task(task_id="abc", task=score_next)
    assert get_contextvars() == {"task": "workers.score.score_next", "task_id": "abc"}

    unbind_task()
    assert get_contextvars() == {}
