"""Takes the README's pictures of a running demo (`make demo` in another terminal) with the system's Chromium.

    python tools/screenshots.py [--site http://127.0.0.1:8000] [--data var] [--out docs/pictures]

The demo's passwords are read from its data folder. CHROMIUM names another browser.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from playwright.sync_api import Error, sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHALLENGE = "/challenges/aim22-reversed-isp-demo"
BOARD = f"{CHALLENGE}/s7/development/"
DESK = {"viewport": {"width": 1280, "height": 860}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
# Who has a scored submission, and who has a rejected one.
GOOD, BAD = "ada", "lise"
LIMIT_BYTES = 300_000
GAP_PX = 24
COLOURS = 256


@dataclass(frozen=True)
class Tour:
    """A browser, the site, and where the pictures go."""

    browser: Browser
    site: str
    passwords: dict[str, str]
    out: Path

    def visitor(self, username: str, scheme: str, device: dict[str, Any]) -> Page:
        """Return the page of somebody who has just signed in."""
        page = self.browser.new_context(base_url=self.site, color_scheme=scheme, locale="en-GB", **device).new_page()  # type: ignore[arg-type]
        page.goto("/accounts/login/")
        page.fill("input[name=login]", username)
        page.fill("input[name=password]", self.passwords[username])
        page.locator("main").get_by_role("button").click()
        page.wait_for_url(self.site + "/")
        return page

    def take(self, page: Page) -> Image.Image:
        """Return what the page looks like, once it has settled."""
        page.wait_for_load_state("networkidle")
        data = page.screenshot(animations="disabled", caret="hide")
        return Image.open(io.BytesIO(data)).convert("RGB")

    def save(self, name: str, picture: Image.Image) -> None:
        """Write a picture as small as need be."""
        path = self.out / f"{name}.png"
        picture.save(path, optimize=True)
        if path.stat().st_size > LIMIT_BYTES:
            picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"{path}: {picture.width} × {picture.height}, {path.stat().st_size / 1000:.0f} KB")
        if path.stat().st_size > LIMIT_BYTES:
            raise SystemExit(f"{path} is larger than {LIMIT_BYTES / 1000:.0f} KB.")


def open_own_submission(page: Page) -> None:
    """Open the submission that stands for one's team on the board."""
    page.goto(BOARD)
    page.locator("tr.own a:visible").first.click()
    page.wait_for_url("**/submissions/*/")


def open_rejected_submission(page: Page) -> None:
    """Open the newest submission that was rejected."""
    page.goto("/submissions/")
    row = page.locator("tbody tr").filter(has=page.locator(".pill.rejected")).first
    row.get_by_role("link").first.click()
    page.wait_for_url("**/submissions/*/")


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """Put pictures of one height next to each other."""
    width = sum(picture.width for picture in pictures) + GAP_PX * (len(pictures) - 1)
    canvas = Image.new("RGB", (width, max(picture.height for picture in pictures)), "white")
    left = 0
    for picture in pictures:
        canvas.paste(picture, (left, 0))
        left += picture.width + GAP_PX
    return canvas


def take_all(tour: Tour) -> None:
    """Take every picture of the README."""
    for scheme in ("light", "dark"):
        page = tour.visitor(GOOD, scheme, DESK)
        page.goto(BOARD)
        tour.save(f"board-{scheme}", tour.take(page))
    page = tour.visitor(GOOD, "light", DESK)
    page.goto(f"{CHALLENGE}/s7/")
    tour.save("track", tour.take(page))
    open_own_submission(page)
    tour.save("submission-scored", tour.take(page))
    page.goto(f"{BOARD}submit/")
    tour.save("submit", tour.take(page))
    page = tour.visitor(BAD, "light", DESK)
    open_rejected_submission(page)
    tour.save("submission-rejected", tour.take(page))
    page = tour.visitor(GOOD, "light", PHONE)
    page.goto(BOARD)
    board = tour.take(page)
    open_own_submission(page)
    tour.save("phone", side_by_side([board, tour.take(page)]))


def main() -> int:
    """Parse the command line and take the pictures; 0, or 1 with a message."""
    parser = argparse.ArgumentParser(description="Take the README's pictures of a running demo.")
    parser.add_argument("--site", default="http://127.0.0.1:8000", help="where the demo runs (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=Path("var"), help="the demo's data folder (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="(default: %(default)s)")
    options = parser.parse_args()
    accounts = options.data / "demo" / "accounts.json"
    chromium = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if not accounts.is_file():
        print(f"{accounts} is not there: start the demo first (make demo), or name its folder with --data.")
        return 1
    if chromium is None:
        print("Chromium is needed: install it (Debian: apt-get install chromium), or set CHROMIUM.")
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        try:
            take_all(Tour(browser, options.site.rstrip("/"), json.loads(accounts.read_text()), options.out))
        except Error as error:
            print(f"The demo at {options.site} does not look as expected: {error}")
            return 1
        finally:
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
