"""Parts that a real browser sends straight to an S3 server of another origin, by the rules that the bucket is given."""

from __future__ import annotations

import hashlib
import re
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from bayerboard.operations.management.commands.prepare_bucket import cors
from tests.e2e.challenge import PhaseData, smooth_references, write_challenge
from tests.e2e.conftest import CHALLENGE
from tests.e2e.person import Person
from tests.e2e.running import running
from tests.e2e.visitor import Visitor
from tests.fault_proxy import FaultProxy
from tests.scoring.archives import write_submission
from tests.services.outside import outside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_playwright.pytest_playwright import CreateContextCallback

    from tests.e2e.running import Bayerboard

pytestmark = [pytest.mark.browser, pytest.mark.processes]

# 24 images, not compressed: 12 MB, which are two parts.
PART_COUNT = 2


@pytest.fixture(scope="module")
def phase() -> PhaseData:
    return PhaseData("s7", "large", smooth_references("s7", [f"14_{tile}" for tile in range(24)]))


@pytest.fixture(scope="module")
def archive(phase: PhaseData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.zip"
    return write_submission(path, phase.predictions(5), compression=zipfile.ZIP_STORED)


@pytest.fixture(scope="module")
def public() -> Iterator[FaultProxy]:
    """Stand where browsers find the S3 server, once its port is known."""
    with FaultProxy(target_port=0) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def in_bucket(public: FaultProxy, phase: PhaseData, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bayerboard]:
    """Give a Bayerboard whose objects lie in a bucket, beside the one that the other browser tests share."""
    folder = tmp_path_factory.mktemp("s3")
    with outside(folder, with_postgres=False, with_s3=True) as servers:
        assert servers.s3 is not None
        public.target_port = servers.s3.port
        with running(folder / "data", outside=servers, BAYERBOARD_S3_PUBLIC_URL=public.endpoint_url) as one:
            created = one.manage("create_challenge", str(write_challenge(folder, CHALLENGE, [phase])))
            assert created.returncode == 0, created.stderr
            yield one


def enter(bayerboard: Bayerboard, context: CreateContextCallback, name: str) -> tuple[Visitor, Person]:
    visitor = Visitor(bayerboard.url, name)
    visitor.join(CHALLENGE, name)
    person = Person(context(), visitor.site)
    person.become(visitor)
    return visitor, person


def origin_of(bayerboard: Bayerboard) -> str:
    """Return what browsers send as Origin, and CSRF_TRUSTED_ORIGINS lists."""
    return bayerboard.url.rstrip("/")


def test_parts_go_straight_to_the_bucket(
    in_bucket: Bayerboard, public: FaultProxy, phase: PhaseData, archive: Path, new_context: CreateContextCallback
) -> None:
    public.cors = cors([origin_of(in_bucket)])["CORSRules"]
    public.requests.clear()
    visitor, person = enter(in_bucket, new_context, "straight")

    submission = person.submit(phase, archive, "Straight")

    person.expect_status("scored")
    sent = [path for method, path in public.requests if method == "PUT"]
    assert sorted(re.findall(r"partNumber=(\d+)", " ".join(sent))) == [str(n + 1) for n in range(PART_COUNT)]
    stored = visitor.download(f"/submissions/{submission}/archive/")
    assert hashlib.sha256(stored).digest() == hashlib.sha256(archive.read_bytes()).digest()
    assert person.complaints == []


def test_a_bucket_that_lets_no_browser_in_costs_nothing_and_the_plain_form_still_works(
    in_bucket: Bayerboard, public: FaultProxy, phase: PhaseData, archive: Path, new_context: CreateContextCallback
) -> None:
    public.cors = cors(["https://another.example.org"])["CORSRules"]
    visitor, person = enter(in_bucket, new_context, "shut-out")

    person.fill_in_submission(phase, archive, "Shut out")
    person.page.get_by_role("button", name="Submit", exact=True).click()

    expect(person.page.locator("[data-line]")).to_have_attribute("data-kind", "odd")
    assert urlsplit(public.endpoint_url).netloc not in person.page.locator("main").inner_text()
    assert in_bucket.rows("SELECT id FROM submissions_submission WHERE method_name = 'Shut out'") == []
    form = visitor.fill_in(phase.path(CHALLENGE), archive, "sent-by-the-plain-form")
    submission = visitor.send(form).submission
    assert submission is not None
    assert in_bucket.wait_for_end(submission)["status"] == "scored"
