"""Somebody at a browser, whose pages must have nothing to complain about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.conftest import CHALLENGE
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from http.cookiejar import Cookie
    from pathlib import Path

    from playwright.sync_api import BrowserContext, ConsoleMessage, Response

    from tests.e2e.challenge import PhaseData
    from tests.e2e.visitor import Visitor

REPORT_CSP = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
BAD_REQUEST = 400
PATIENCE_MS = 1000 * PATIENCE_S

expect.set_options(timeout=PATIENCE_MS)


class Person:
    """A browser context with one page; `complaints` holds what went wrong on any page it visited.

    `site` is the address of another Bayerboard than the one that the tests share.
    """

    def __init__(self, context: BrowserContext, site: str = "") -> None:
        self.context = context
        self.site = site
        self.complaints: list[str] = []
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(f"exception: {error.error}"))
        context.on("response", self._check)
        context.add_init_script(REPORT_CSP)
        self.page = context.new_page()

    def _hear(self, message: ConsoleMessage) -> None:
        # What could not be loaded is judged in `_check`, which knows a page from what it is made of.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"{message.type} on {message.location['url']}: {message.text}")

    def _check(self, response: Response) -> None:
        if response.status >= BAD_REQUEST and not response.request.is_navigation_request():
            self.complaints.append(f"{response.url} answered {response.status}")

    def become(self, visitor: Visitor) -> None:
        """Go on as somebody who signed up over HTTP."""
        self.context.add_cookies(
            [{"name": cookie.name, "value": value_of(cookie), "url": visitor.site} for cookie in visitor.cookies]
        )

    def open(self, path: str) -> int:
        """Open a page; return its status."""
        response = self.page.goto(self.site + path)
        assert response is not None
        return response.status

    def fill_in_submission(self, phase: PhaseData, archive: Path, method: str) -> None:
        """Open the submit page and fill in its form."""
        assert self.open(f"/challenges/{phase.path(CHALLENGE)}/submit/") == 200
        self.page.set_input_files("input[name=archive]", archive)
        self.page.fill("input[name=method_name]", method)

    def submit(self, phase: PhaseData, archive: Path, method: str) -> int:
        """Submit through the form; return the submission."""
        self.fill_in_submission(phase, archive, method)
        self.page.get_by_role("button", name="Submit", exact=True).click()
        self.page.wait_for_url("**/submissions/*/")
        return self.submission

    @property
    def submission(self) -> int:
        """The submission whose page is open."""
        return int(self.page.url.rstrip("/").rpartition("/")[2])

    def expect_status(self, status: str) -> None:
        """Wait until the submission's page says where it stands."""
        expect(self.page.locator("#status .pill").first).to_have_text(status)


def value_of(cookie: Cookie) -> str:
    """Return a cookie's value; the site's cookies all have one."""
    assert cookie.value is not None
    return cookie.value
