"""Bayerboard as a newcomer meets it: in a real browser, by mouse and keyboard, on a phone, and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import CHALLENGE
from tests.e2e.oracle import mean_scores, score_images
from tests.e2e.person import Person
from tests.e2e.visitor import PASSWORD, Visitor
from tests.factories import write_zip
from tests.patience import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_playwright.pytest_playwright import CreateContextCallback

    from tests.e2e.conftest import Phases
    from tests.e2e.running import Bayerboard

pytestmark = [pytest.mark.browser, pytest.mark.processes]

NewPerson = Callable[..., Person]
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}

_numbers = count(1)


@pytest.fixture
def new_person(new_context: CreateContextCallback) -> Iterator[NewPerson]:
    """Give people with browsers of their own; in the end none of their pages may have complained."""
    people: list[Person] = []

    def make(**options: Any) -> Person:
        people.append(Person(new_context(**options)))
        return people[-1]

    yield make
    assert [complaint for person in people for complaint in person.complaints] == []


def make_participant(bayerboard: Bayerboard, name: str = "") -> Visitor:
    """Return somebody who has just joined the challenge, over HTTP."""
    one = Visitor(bayerboard.url, name or f"surfer{next(_numbers)}")
    one.join(CHALLENGE, one.name)
    return one


@dataclass(frozen=True)
class Resident:
    """A participant who has been here for a while, and every page there is to see."""

    visitor: Visitor
    scored: int
    rejected: int

    @property
    def pages(self) -> dict[str, int]:
        """Paths and the statuses that they answer with."""
        track = f"/challenges/{CHALLENGE}/s7/"
        found = [
            "/",
            f"/challenges/{CHALLENGE}/",
            track,
            f"{track}development/",
            f"{track}development/submit/",
            f"{track}closed/",
            f"{track}closed/submit/",
            "/submissions/",
            f"/submissions/{self.scored}/",
            f"/submissions/{self.rejected}/",
            "/accounts/email/",
            "/accounts/password/change/",
            "/accounts/logout/",
        ]
        return {**dict.fromkeys(found, 200), "/nowhere/": 404}


PUBLIC_PAGES = {
    "/": 200,
    f"/challenges/{CHALLENGE}/": 200,
    f"/challenges/{CHALLENGE}/s7/": 200,
    f"/challenges/{CHALLENGE}/s7/development/": 200,
    "/accounts/signup/": 200,
    "/accounts/login/": 200,
    "/accounts/password/reset/": 200,
    "/nowhere/": 404,
}


@pytest.fixture(scope="module")
def resident(bayerboard: Bayerboard, phases: Phases, tmp_path_factory: pytest.TempPathFactory) -> Resident:
    folder = tmp_path_factory.mktemp("resident")
    visitor = make_participant(bayerboard, "resident")
    good = visitor.submit(phases.development.path(CHALLENGE), phases.development.zip(folder / "good.zip", 7), "Good")
    bad = visitor.submit(phases.development.path(CHALLENGE), write_zip(folder / "bad.zip", {}), "Not so good")
    assert bayerboard.wait_for_end(good)["status"] == "scored"
    assert bayerboard.wait_for_end(bad)["status"] == "rejected"
    return Resident(visitor, good, bad)


# --- From nothing to the leaderboard ----------------------------------------------------------------------------------


def test_a_newcomer_signs_up_joins_submits_and_stands_on_the_board(
    bayerboard: Bayerboard, phases: Phases, new_person: NewPerson, tmp_path: Path
) -> None:
    rival = make_participant(bayerboard)
    theirs = rival.submit(phases.duel.path(CHALLENGE), phases.duel.zip(tmp_path / "rival.zip", 20), "Rival's")
    bayerboard.wait_for_end(theirs)
    person = new_person()
    page = person.page

    person.open("/")
    page.get_by_role("link", name="Sign up").click()
    page.fill("input[name=username]", "newcomer")
    page.fill("input[name=email]", "newcomer@example.org")
    page.fill("input[name=password1]", PASSWORD)
    page.locator("main").get_by_role("button").click()
    page.wait_for_url(bayerboard.url)

    page.locator("main").get_by_role("link", name="Tryout").click()
    page.fill("input[name=team_name]", "The Newcomers")
    page.check("input[name=accept_terms]")
    page.get_by_role("button", name="Join").click()
    expect(page.locator("main")).to_contain_text("The Newcomers")

    page.locator("main").get_by_role("link", name="Track P20").first.click()
    expect(page.get_by_role("link", name="Mosaic")).to_be_visible()

    archive = phases.duel.zip(tmp_path / "ours.zip", 5)
    with bayerboard.workers_held():
        submission = person.submit(phases.duel, archive, "Ours")
        person.expect_status("queued")
        page.evaluate("window.stillTheSamePage = true")
    person.expect_status("scored")
    assert page.evaluate("window.stillTheSamePage"), "the page was loaded again, instead of updating itself"

    scores = mean_scores(score_images(phases.duel.references, phases.duel.predictions(5)))
    shown = page.locator("main")
    expect(shown).to_contain_text(f"{scores['psnr']:.2f} dB")
    expect(shown).to_contain_text(f"{scores['ssim']:.4f}")
    expect(shown.locator(".readouts")).to_contain_text("Rank")
    assert bayerboard.evaluation(submission)["attempts"] == 1

    shown.get_by_role("link", name="leaderboard").click()
    own = page.locator("tr.own")
    expect(own).to_have_count(1)
    expect(own).to_contain_text("The Newcomers")
    expect(own.locator(".rank")).to_have_text("1")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text(rival.name)
    plain, marked = (
        row.evaluate("row => getComputedStyle(row.cells[0]).backgroundColor") for row in (rows.nth(1), own)
    )
    assert plain != marked, "one's own row looks like any other"


def test_a_bad_zip_is_explained_error_by_error(
    bayerboard: Bayerboard, phases: Phases, new_person: NewPerson, tmp_path: Path
) -> None:
    images: dict[str, np.ndarray[Any, Any]] = dict(phases.development.predictions(5))
    del images["6_0"]
    images["6_2"] = images["6_2"][:-1]
    images["6_10"] = (images["6_10"] / 1023).astype(np.float32)
    archive = write_zip(tmp_path / "bad.zip", {**images, "99_0": images["6_2"]})
    # With scripts such a zip is stopped before it is sent: see test_browser_uploads.py.
    person = new_person(java_script_enabled=False)
    person.become(make_participant(bayerboard))

    bayerboard.wait_for_end(person.submit(phases.development, archive, "Hasty"))
    person.page.reload()
    person.expect_status("rejected")
    found = {}
    for item in person.page.locator(".problems:not(.minor) > li").all():
        code, file = (part.inner_text() for part in item.locator(".code > *").all())
        found[code] = file
        assert file in item.locator(".what").inner_text()
        assert item.locator(".todo").inner_text().endswith(".")
    assert found == {
        "image-missing": "6_0.npy",
        "wrong-shape": "6_2.npy",
        "looks-normalised": "6_10.npy",
        "image-surplus": "99_0.npy",
    }
    person.open(f"/challenges/{phases.development.path(CHALLENGE)}/submit/")
    expect(person.page.locator("main")).to_contain_text("0 of 50")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_double_click_makes_one_submission(
    bayerboard: Bayerboard, phases: Phases, new_person: NewPerson, tmp_path: Path, *, scripts: bool
) -> None:
    visitor = make_participant(bayerboard)
    person = new_person(java_script_enabled=scripts)
    person.become(visitor)
    person.fill_in_submission(phases.development, phases.development.zip(tmp_path / "twice.zip", 5), visitor.name)
    person.page.get_by_role("button", name="Submit", exact=True).dblclick()
    person.page.wait_for_url("**/submissions/*/")
    sent = bayerboard.rows("SELECT id FROM submissions_submission WHERE method_name = ?", visitor.name)
    assert [row["id"] for row in sent] == [person.submission]


def test_it_all_works_without_scripts(
    bayerboard: Bayerboard, phases: Phases, new_person: NewPerson, tmp_path: Path
) -> None:
    person = new_person(java_script_enabled=False)
    page = person.page
    person.open(f"/accounts/signup/?next=/challenges/{CHALLENGE}/")
    page.fill("input[name=username]", "scriptless")
    page.fill("input[name=email]", "scriptless@example.org")
    page.fill("input[name=password1]", PASSWORD)
    page.locator("main").get_by_role("button").click()
    page.fill("input[name=team_name]", "No Script")
    page.check("input[name=accept_terms]")
    page.get_by_role("button", name="Join").click()
    submission = person.submit(phases.development, phases.development.zip(tmp_path / "plain.zip", 5), "Plain")
    bayerboard.wait_for_end(submission)
    page.reload()
    person.expect_status("scored")
    expect(page.locator(".readouts")).to_contain_text("PSNR")


# --- Every page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_without_a_complaint(resident: Resident, new_person: NewPerson, scheme: str) -> None:
    outsider, insider = new_person(color_scheme=scheme), new_person(color_scheme=scheme)
    insider.become(resident.visitor)
    assert {path: outsider.open(path) for path in PUBLIC_PAGES} == PUBLIC_PAGES
    assert {path: insider.open(path) for path in resident.pages} == resident.pages


def test_no_page_scrolls_sideways_on_a_phone(resident: Resident, new_person: NewPerson) -> None:
    person = new_person(**PHONE)
    too_wide = {}
    for path in (*PUBLIC_PAGES, None, *resident.pages):
        if path is None:
            person.become(resident.visitor)
            continue
        person.open(path)
        root = "document.documentElement"
        width, room = person.page.evaluate(f"[{root}.scrollWidth, {root}.clientWidth]")
        if width > room:
            too_wide[path] = width
    assert too_wide == {}


def test_the_page_is_dark_where_the_system_is_and_the_button_changes_it(new_person: NewPerson) -> None:
    person = new_person(color_scheme="dark")
    person.open("/")
    assert lightness(person) < 0.25
    person.page.get_by_role("button", name="Switch between light and dark").click()
    assert lightness(person) > 0.75
    person.page.reload()
    assert lightness(person) > 0.75


def lightness(person: Person) -> float:
    """Return how light the page's ground is, 0..1."""
    colour: list[int] = person.page.evaluate(
        """() => {
            const context = new OffscreenCanvas(1, 1).getContext("2d");
            context.fillStyle = getComputedStyle(document.body).backgroundColor;
            context.fillRect(0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data];
        }"""
    )
    assert colour[3] == 255, "the page's ground is not painted"
    return sum(colour[:3]) / (3 * 255)


def test_the_keyboard_reaches_the_form_past_the_header(
    phases: Phases, resident: Resident, new_person: NewPerson
) -> None:
    person = new_person()
    person.become(resident.visitor)
    person.open(f"/challenges/{phases.development.path(CHALLENGE)}/submit/")
    keyboard = person.page.keyboard
    keyboard.press("Tab")
    focused = person.page.locator(":focus")
    expect(focused).to_have_text("Skip to the content")
    expect(focused).to_be_in_viewport()
    keyboard.press("Enter")
    expect(person.page.locator("#main")).to_be_focused()
    reached = []
    for _ in range(12):
        keyboard.press("Tab")
        reached.append(focused.evaluate("element => element.name || element.type || element.tagName"))
        if reached[-1] == "submit":
            break
    assert [name for name in reached if name != "A"] == ["archive", "method_name", "description", "submit"]


# --- Strangers --------------------------------------------------------------------------------------------------------


def test_a_stranger_sees_nothing_of_a_submission(
    bayerboard: Bayerboard, resident: Resident, new_person: NewPerson
) -> None:
    paths = [f"/submissions/{resident.scored}/{part}" for part in ("", "status/", "archive/")]
    owner, stranger, nobody = new_person(), new_person(), new_person()
    owner.become(resident.visitor)
    stranger.become(make_participant(bayerboard))
    assert [owner.context.request.get(path).status for path in paths] == [200, 200, 200]
    assert [stranger.open(path) for path in paths] == [404, 404, 404]
    for path in paths:
        nobody.open(path)
        assert "/accounts/login/" in nobody.page.url
    for person in (stranger, nobody):
        person.open("/challenges/tryout/s7/development/")
        links = person.page.locator("main a").evaluate_all("links => links.map((link) => link.href)")
        assert not [link for link in links if "/submissions/" in link]


def test_scores_of_single_images_stay_hidden_where_the_references_are(
    bayerboard: Bayerboard, phases: Phases, resident: Resident, new_person: NewPerson, tmp_path: Path
) -> None:
    person = new_person()
    person.become(make_participant(bayerboard))
    person.submit(phases.test, phases.test.zip(tmp_path / "hidden.zip", 5), "Curious")
    person.expect_status("scored")
    images = score_images(phases.test.references, phases.test.predictions(5))
    expect(person.page.locator("main")).to_contain_text(f"{mean_scores(images)['psnr']:.2f}")
    html = person.page.content()
    for name, scores in images.items():
        assert name not in html
        assert f"{scores['psnr']:.4f}" not in html
    # where the references are public, they are shown
    owner = new_person()
    owner.become(resident.visitor)
    owner.open(f"/submissions/{resident.scored}/")
    assert all(name in owner.page.content() for name in phases.development.references)


# --- The ear itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))", "script-src"),
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        ("fetch('/nowhere/')", "/nowhere/ answered 404"),
        ("setTimeout(() => { throw new Error('ouch') })", "ouch"),
    ],
)
def test_a_complaint_would_be_heard(
    bayerboard: Bayerboard, new_context: CreateContextCallback, script: str, heard: str
) -> None:
    person = Person(new_context())
    person.open("/")
    person.page.evaluate(f"() => {{ {script} }}")
    found = wait_for(lambda: person.page.evaluate("true") and [text for text in person.complaints if heard in text])
    assert len(found) >= 1
