"""Sending an archive from a real browser: the check before, the parts, and all that may interrupt them."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import numpy as np
import pytest
from playwright.sync_api import expect

from scoring.check import check_archive
from scoring.manifest import Manifest
from scoring.protocol import load_protocol
from tests.e2e.conftest import CHALLENGE
from tests.e2e.person import Person
from tests.e2e.visitor import Visitor
from tests.factories import write_zip
from tests.scoring.archives import write_submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import Request, Route
    from pytest_playwright.pytest_playwright import CreateContextCallback

    from tests.e2e.challenge import PhaseData
    from tests.e2e.conftest import Phases
    from tests.e2e.running import Bayerboard

T = TypeVar("T")

pytestmark = [pytest.mark.browser, pytest.mark.processes]

PART = re.compile(r"/uploads/[0-9a-f-]+/parts/(\d+)/data/")
# The large phase's images, not compressed: 30 MB, which are four parts.
PART_COUNT = 4

_numbers = count(1)


@pytest.fixture
def visitor(bayerboard: Bayerboard) -> Visitor:
    one = Visitor(bayerboard.url, f"uploader{next(_numbers)}")
    one.join(CHALLENGE, one.name)
    return one


@pytest.fixture
def person(visitor: Visitor, new_context: CreateContextCallback) -> Iterator[Person]:
    """Give a participant's browser; in the end no page may have complained."""
    one = Person(new_context())
    one.become(visitor)
    yield one
    assert one.complaints == []


@pytest.fixture(scope="module")
def large(phases: Phases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a good archive of several parts."""
    path = tmp_path_factory.mktemp("large") / "large.zip"
    return write_submission(path, phases.large.predictions(5), compression=zipfile.ZIP_STORED)


def expect_kind(person: Person, kind: str) -> None:
    """Wait until the line below the file says that things stand so."""
    expect(person.page.locator("[data-line]")).to_have_attribute("data-kind", kind)


def press(person: Person, name: str) -> None:
    person.page.get_by_role("button", name=name, exact=True).click()


def uploads_of(bayerboard: Bayerboard, visitor: Visitor) -> list[Mapping[str, Any]]:
    return bayerboard.rows(
        """SELECT upload.* FROM uploads_upload upload JOIN accounts_user user ON user.id = upload.opened_by_id
        WHERE user.username = ? ORDER BY upload.opened_at""",
        visitor.name,
    )


def expect_stored_and_scored(bayerboard: Bayerboard, person: Person, archive: Path) -> None:
    """See that the submission whose page comes has the archive, byte for byte, and a score."""
    person.page.wait_for_url("**/submissions/*/")
    (row,) = bayerboard.rows("SELECT archive_key FROM submissions_submission WHERE id = ?", person.submission)
    assert (bayerboard.data_dir / "objects" / row["archive_key"]).read_bytes() == archive.read_bytes()
    person.expect_status("scored")


class HeldParts:
    """Lets the first parts pass and holds the others; `sent` lists the numbers of all that left the page."""

    def __init__(self, person: Person, passing: int) -> None:
        self.page, self.passing = person.page, passing
        self.sent: list[int] = []
        self.page.route(PART, self._decide)

    def _decide(self, route: Route, request: Request) -> None:
        number = number_of(request)
        if number <= self.passing:
            self.sent.append(number)
            route.continue_()

    def stop(self) -> None:
        self.page.unroute(PART)


@dataclass(frozen=True)
class Scene:
    """Somebody at a browser, before Bayerboard."""

    bayerboard: Bayerboard
    person: Person
    visitor: Visitor

    def wait_for(self, look: Callable[[], T | None]) -> T:
        def look_while_listening() -> T | None:
            # Playwright hears what the page does only while it is asked something.
            self.person.page.wait_for_timeout(50)
            return look()

        return self.bayerboard.wait_for(look_while_listening)

    def begin_upload(self, phase: PhaseData, archive: Path) -> tuple[HeldParts, Mapping[str, Any]]:
        """Send the first two parts, and hold the others."""
        parts = HeldParts(self.person, passing=2)
        self.person.fill_in_submission(phase, archive, "Interrupted")
        press(self.person, "Submit")
        (upload,) = self.wait_for(lambda: uploads_of(self.bayerboard, self.visitor))
        path = f"/uploads/{UUID(upload['id'])}/parts/"
        self.wait_for(lambda: self.visitor.get(path).count('"etag"') == parts.passing)
        return parts, upload


@pytest.fixture
def scene(bayerboard: Bayerboard, person: Person, visitor: Visitor) -> Scene:
    return Scene(bayerboard, person, visitor)


def number_of(request: Request) -> int:
    found = PART.search(request.url)
    assert found is not None
    return int(found[1])


# --- The check --------------------------------------------------------------------------------------------------------


def make_bad_zip(phase: PhaseData, path: Path) -> Path:
    images: dict[str, np.ndarray[Any, Any]] = dict(phase.predictions(5))
    del images["6_0"]
    images["6_2"] = images["6_2"][:-1]
    images["6_10"] = (images["6_10"] / 1023).astype(np.float32)
    return write_zip(path, {**images, "99_0": images["6_2"]})


def test_a_bad_zip_is_stopped_with_the_servers_words(
    bayerboard: Bayerboard, phases: Phases, person: Person, visitor: Visitor, tmp_path: Path
) -> None:
    archive = make_bad_zip(phases.development, tmp_path / "bad.zip")
    protocol = load_protocol(phases.development.protocol)
    report = check_archive(archive, Manifest.for_names(phases.development.references, protocol), protocol)

    person.fill_in_submission(phases.development, archive, "Hasty")

    expect_kind(person, "bad")
    expected = [f"{found.code} {found.file} {found.message} {found.hint}" for found in report.errors]
    shown = [" ".join(item.inner_text().split()) for item in person.page.locator(".problems > li").all()]
    assert shown == [" ".join(text.split()) for text in expected]
    assert len(shown) == 4
    expect(person.page.locator(".problems > li").first).to_be_focused()
    expect(person.page.get_by_role("button", name="Submit", exact=True)).to_be_disabled()
    person.page.locator("input[name=method_name]").press("Enter")
    assert uploads_of(bayerboard, visitor) == []


def test_a_good_zip_after_a_bad_one_can_be_sent(
    bayerboard: Bayerboard, phases: Phases, person: Person, tmp_path: Path
) -> None:
    person.fill_in_submission(
        phases.development, make_bad_zip(phases.development, tmp_path / "bad.zip"), "Second thoughts"
    )
    expect_kind(person, "bad")
    good = phases.development.zip(tmp_path / "good.zip", 5)

    person.page.set_input_files("input[name=archive]", good)

    expect_kind(person, "good")
    expect(person.page.locator(".problems")).to_have_count(0)
    press(person, "Submit")
    expect_stored_and_scored(bayerboard, person, good)


def test_the_fact_sheet_is_shown_as_it_was_read(phases: Phases, person: Person, tmp_path: Path) -> None:
    person.fill_in_submission(phases.development, phases.development.zip(tmp_path / "good.zip", 5), "Declared")

    expect_kind(person, "good")
    shown = person.page.locator("[data-report] .facts")
    expect(shown).to_contain_text("500 ms per image")
    expect(shown).to_contain_text("GPU")


def test_a_warning_stops_nobody(bayerboard: Bayerboard, phases: Phases, person: Person, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "quiet.zip", phases.development.predictions(5), readme=None)
    person.fill_in_submission(phases.development, archive, "Quiet")

    expect_kind(person, "good")
    expect(person.page.locator(".problems.minor .code")).to_contain_text("readme-missing")
    press(person, "Submit")
    expect_stored_and_scored(bayerboard, person, archive)


def test_of_very_many_problems_the_first_are_listed_and_all_are_counted(
    phases: Phases, person: Person, tmp_path: Path
) -> None:
    image = next(iter(phases.development.references.values()))[:2, :2]
    archive = write_zip(tmp_path / "other.zip", {f"77_{number}": image for number in range(100)})

    person.fill_in_submission(phases.development, archive, "Of another track")

    expect_kind(person, "bad")
    expect(person.page.locator(".problems > li")).to_have_count(50)
    expect(person.page.locator("[data-text]")).to_contain_text("103 problems")
    expect(person.page.locator("[data-report]")).to_contain_text("And 53 more.")


# --- The upload -------------------------------------------------------------------------------------------------------


def test_a_good_zip_is_sent_in_parts_and_scored(
    bayerboard: Bayerboard, phases: Phases, person: Person, visitor: Visitor, large: Path
) -> None:
    parts = HeldParts(person, passing=PART_COUNT)
    person.fill_in_submission(phases.large, large, "In parts")

    press(person, "Submit")

    expect_stored_and_scored(bayerboard, person, large)
    assert sorted(parts.sent) == list(range(1, PART_COUNT + 1))
    (upload,) = uploads_of(bayerboard, visitor)
    assert (upload["state"], upload["submission_id"]) == ("complete", person.submission)


def test_a_killed_web_server_costs_no_part_that_arrived(scene: Scene, phases: Phases, large: Path) -> None:
    parts, _ = scene.begin_upload(phases.large, large)

    died = scene.bayerboard.kill_program("web")
    # The parts that were on their way meet a closed door.
    parts.stop()
    scene.bayerboard.wait_for_restart("web", died)

    expect_stored_and_scored(scene.bayerboard, scene.person, large)
    assert sorted(parts.sent) == [1, 2]


def test_after_a_reload_the_same_file_goes_on_from_what_arrived(scene: Scene, phases: Phases, large: Path) -> None:
    person, page = scene.person, scene.person.page
    parts, upload = scene.begin_upload(phases.large, large)

    page.reload()
    parts.stop()
    expect_kind(person, "odd")
    expect(page.locator("[data-text]")).to_have_text("The upload of large.zip was interrupted.")
    sent: list[int] = []
    page.on("request", lambda request: sent.append(number_of(request)) if PART.search(request.url) else None)
    person.fill_in_submission(phases.large, large, "After")
    expect(page.locator("[data-hint]")).to_contain_text("the upload goes on from what has arrived")
    press(person, "Submit")

    expect_stored_and_scored(scene.bayerboard, person, large)
    assert sorted(sent) == [3, 4]
    assert [row["id"] for row in uploads_of(scene.bayerboard, scene.visitor)] == [upload["id"]]


def test_another_file_does_not_go_on_with_the_first_ones_parts(
    scene: Scene, phases: Phases, large: Path, tmp_path: Path
) -> None:
    parts, _ = scene.begin_upload(phases.large, large)
    # Of the same name and size: only the images differ.
    other = write_submission(tmp_path / large.name, phases.large.predictions(6), compression=zipfile.ZIP_STORED)
    assert other.stat().st_size == large.stat().st_size

    scene.person.page.reload()
    parts.stop()
    scene.person.fill_in_submission(phases.large, other, "Another")
    press(scene.person, "Submit")

    expect_stored_and_scored(scene.bayerboard, scene.person, other)


def test_an_upload_waits_while_it_is_paused(scene: Scene, phases: Phases, large: Path) -> None:
    page = scene.person.page
    parts, _ = scene.begin_upload(phases.large, large)

    press(scene.person, "Pause")
    expect(page.locator("[data-text]")).to_have_text("The upload is paused.")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_focused()
    parts.passing = PART_COUNT
    press(scene.person, "Resume")

    expect_stored_and_scored(scene.bayerboard, scene.person, large)
    assert sorted(parts.sent) == [1, 2, 3, 4]


def test_a_cancelled_upload_leaves_nothing_behind(scene: Scene, phases: Phases, large: Path) -> None:
    page = scene.person.page
    scene.begin_upload(phases.large, large)

    press(scene.person, "Cancel")

    expect(page.locator("[data-text]")).to_have_text("The upload is cancelled.")
    scene.wait_for(lambda: uploads_of(scene.bayerboard, scene.visitor)[0]["state"] == "aborted")
    page.reload()
    expect(page.locator("[data-upload]")).to_be_hidden()
