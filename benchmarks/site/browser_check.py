"""The check before the upload, in a real browser, of a 480-image zip: ``python -m benchmarks.site.browser_check``."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from benchmarks.site import challenge
from benchmarks.site.sites import ROOT, Site

IMAGES, TIMES = 480, 10
WITHIN_MS = 60_000
# From the choice of the file until the line below it has its verdict, on the page's own clock.
WATCH = """
window.checked = new Promise((resolve) => {
  const line = document.querySelector("[data-line]");
  let began = 0;
  document.querySelector("input[name=archive]").addEventListener(
    "change", () => { began = performance.now(); }, { capture: true });
  new MutationObserver(() => {
    const kind = line.dataset.kind;
    if (began && ["good", "bad", "odd"].includes(kind)) resolve([kind, performance.now() - began]);
  }).observe(line, { attributes: true });
});
"""


def report(images: int = IMAGES, times: int = TIMES) -> str:
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data")
        measured = challenge.create(site, Path(folder), images)
        (cookies,) = challenge.participants(site, 1)
        with site.served() as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"] * (not os.geteuid()))
            context = browser.new_context()
            context.add_cookies(
                [{"name": name, "value": value, "url": f"http://{server.address}"} for name, value in cookies.items()]
            )
            page = context.new_page()
            seconds = [
                _once(page, f"http://{server.address}/challenges/{measured.phase}/submit/", measured.submission)
                for _ in range(times)
            ]
            version, size_mb = browser.version, measured.submission_mb
            browser.close()
    return "\n".join(
        [
            f"A right zip of {images} images, {size_mb:.0f} MB, in Chromium {version}, {times} times, "
            "each on a page that was just opened: every entry's place, and every image's inflated header.",
            "",
            "| median | longest |",
            "| ---: | ---: |",
            f"| {median(seconds):.2f} s | {max(seconds):.2f} s |",
        ]
    )


def _once(page: Page, address: str, archive: Path) -> float:
    page.goto(address)
    page.evaluate(f"() => {{ {WATCH} }}")  # a statement: an expression would be waited for
    page.set_input_files("input[name=archive]", archive, timeout=WITHIN_MS)
    kind, milliseconds = page.evaluate("window.checked")
    if kind != "good":
        raise RuntimeError(f"the check said: {page.locator('[data-line]').inner_text()}")
    return float(milliseconds) / 1000


def chromium() -> str:
    """Return the path of the system's Chromium, which is installed where that is possible."""
    done = subprocess.run([ROOT / "tools" / "chromium.sh"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    print(report())
