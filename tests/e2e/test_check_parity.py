"""The check in the browser says of an archive what `scoring.check` says of it, word for word."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from scoring.check import check_archive
from scoring.manifest import Manifest
from scoring.protocol import load_protocol
from tests.e2e.conftest import CHALLENGE
from tests.e2e.person import Person
from tests.e2e.visitor import Visitor
from tests.scoring.archives import BAD_ARCHIVES, FOUND_BY_SCORING_ONLY, npy_with_header, write_submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.e2e.conftest import Phases
    from tests.e2e.running import Bayerboard
    from tests.scoring.archives import Builder, Images

pytestmark = [pytest.mark.browser, pytest.mark.processes]

# What neither the check on the command line nor the one in the browser can know: it takes the pixels of every image.
ONLY_THE_SERVER_FINDS = FOUND_BY_SCORING_ONLY

CHECK = """
async () => {
  const { checkArchive } = await import("/static/bayerboard/check/check.js");
  const { Api } = await import("/static/bayerboard/submit/api.js");
  const api = new Api({
    checkUrl: new URL("../check.json", location).href,
    readmeUrl: new URL("../check/readme/", location).href,
    token: document.querySelector("[name=csrfmiddlewaretoken]").value,
  });
  const facts = await api.facts();
  const [file] = document.querySelector("input[name=archive]").files;
  const readReadme = (bytes, path) => api.readReadme(bytes, path);
  const started = performance.now();
  const { errors, warnings } = await checkArchive(file, facts, readReadme);
  const told = (problems) => problems.map(({ code, message, hint, file }) => ({ code, message, hint, file }));
  return { errors: told(errors), warnings: told(warnings), milliseconds: performance.now() - started };
}
"""


@pytest.fixture(scope="module")
def person(bayerboard: Bayerboard, phases: Phases, browser: Browser) -> Iterator[Person]:
    visitor = Visitor(bayerboard.url, "comparer")
    visitor.join(CHALLENGE, visitor.name)
    context = browser.new_context(base_url=bayerboard.url)
    person = Person(context)
    person.become(visitor)
    person.open(f"/challenges/{phases.development.path(CHALLENGE)}/submit/")
    yield person
    context.close()


def in_the_browser(person: Person, archive: Path) -> dict[str, Any]:
    person.page.set_input_files("input[name=archive]", archive)
    found: dict[str, Any] = person.page.evaluate(CHECK)
    return found


def on_the_server(archive: Path, phases: Phases) -> dict[str, Any]:
    protocol = load_protocol(phases.development.protocol)
    manifest = Manifest.for_names(phases.development.references, protocol)
    report = check_archive(archive, manifest, protocol, name=archive.name)
    return {
        "errors": [found.to_json() for found in report.errors],
        "warnings": [found.to_json() for found in report.warnings],
    }


def assert_same(person: Person, phases: Phases, archive: Path) -> None:
    found = in_the_browser(person, archive)
    expected = on_the_server(archive, phases)
    assert {kind: found[kind] for kind in expected} == expected


@pytest.mark.parametrize("code", sorted(BAD_ARCHIVES))
def test_of_a_bad_archive_both_say_the_same(code: str, person: Person, phases: Phases, tmp_path: Path) -> None:
    archive = BAD_ARCHIVES[code](tmp_path / "bad.zip", phases.development.predictions(5))

    assert_same(person, phases, archive)
    assert (code in [found["code"] for found in on_the_server(archive, phases)["errors"]]) == (
        code not in ONLY_THE_SERVER_FINDS
    )


def _streamed(path: Path, images: Images) -> Path:
    """Written as to a pipe: sizes and checksums stand behind the data."""

    class Pipe:
        def __init__(self, file: Any) -> None:
            self.write, self.flush = file.write, file.flush

    with path.open("wb") as file, zipfile.ZipFile(Pipe(file), "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for stem, image in images.items():
            with archive.open(f"{stem}.npy", "w") as member:
                np.save(member, image)
    return path


def _wide(path: Path, images: Images) -> Path:
    """With sizes of 64 bits."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for stem, image in images.items():
            with archive.open(f"{stem}.npy", "w", force_zip64=True) as member:
                np.save(member, image)
    return path


def _commented(path: Path, images: Images) -> Path:
    with zipfile.ZipFile(write_submission(path, images), "a") as archive:
        archive.comment = b"made on a Sunday"
    return path


def _behind_something(path: Path, images: Images) -> Path:
    write_submission(path, images)
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    return path


def _first_as(array: Callable[[Any], Any]) -> Builder:
    def build(path: Path, images: Images) -> Path:
        stem = next(iter(images))
        return write_submission(path, {**images, stem: array(images[stem])})

    return build


def _first_with_header(header: str) -> Builder:
    return lambda path, images: write_submission(path, images, replace={next(iter(images)): npy_with_header(header)})


def _all_as(array: Callable[[Any], Any]) -> Builder:
    return lambda path, images: write_submission(path, {stem: array(image) for stem, image in images.items()})


OTHER_ARCHIVES: dict[str, Builder] = {
    "good": write_submission,
    "stored": lambda path, images: write_submission(path, images, compression=zipfile.ZIP_STORED),
    "at the top": lambda path, images: write_submission(path, images, folder=""),
    "streamed": _streamed,
    "wide": _wide,
    "commented": _commented,
    "behind something": _behind_something,
    "without readme": lambda path, images: write_submission(path, images, readme=None),
    "empty readme": lambda path, images: write_submission(path, images, readme=" "),
    "short readme": lambda path, images: write_submission(path, images, readme="runtime: 12 ms"),
    "utf-16 readme": lambda path, images: write_submission(
        path, images, readme="runtime: 1 ms\nCPU: 0".encode("utf-16")
    ),
    "junk": lambda path, images: write_submission(path, images, extra={"__MACOSX/._6_0.npy": b"", ".DS_Store": b""}),
    "ignored": lambda path, images: write_submission(path, images, extra={f"f{n}.log": b"" for n in range(25)}),
    "names that are long, odd and foreign": lambda path, images: write_submission(
        path, images, extra={"x" * 200 + ".npy": b"", "line\nbreak\u202e.npy": b"", "größe.npy": b"", "日本.npy": b""}
    ),
    "half floats": _all_as(lambda image: (image / 1024).astype(np.float16)),
    "big-endian doubles": _all_as(lambda image: (image / 1024).astype(">f8")),
    "signed, without a negative value": _first_as(lambda image: image.astype(np.int64)),
    "complex": _first_as(lambda image: image.astype(np.complex64)),
    "booleans": _first_as(lambda image: image > 500),
    "text": _first_as(lambda image: np.array(["a", "bc"])),
    "big-endian integers": _first_as(lambda image: image.astype(">u2")),
    "one dimension": _first_as(lambda image: image.ravel()),
    "a scalar": _first_as(lambda image: np.array(7, dtype=np.uint16)),
    "Fortran order": _first_as(np.asfortranarray),
    "a structured type": _first_as(lambda image: np.zeros(3, dtype=[("r", "<u2"), ("g", "<u2")])),
    "a type that does not exist": _first_with_header("{'descr': '<u3', 'fortran_order': False, 'shape': (2, 2), }"),
    "a header that is code": _first_with_header("__import__('os').system('true')"),
    "a key twice": _first_with_header("{'descr': '<u2', 'descr': '<u2', 'fortran_order': False, 'shape': (2,), }"),
    "a shape that is a number": _first_with_header("{'descr': '<u2', 'fortran_order': False, 'shape': (2), }"),
    "a shape without end": _first_with_header(
        "{'descr': '<u2', 'fortran_order': False, 'shape': (" + "999999999999999999, " * 8 + "), }"
    ),
    "names with other separators": lambda path, images: write_submission(
        path, {f"{stem.replace('_', ' 0')}": image for stem, image in images.items()}
    ),
}


@pytest.mark.parametrize("kind", OTHER_ARCHIVES)
def test_of_any_other_archive_too(kind: str, person: Person, phases: Phases, tmp_path: Path) -> None:
    archive = OTHER_ARCHIVES[kind](tmp_path / "archive.zip", phases.development.predictions(5))

    assert_same(person, phases, archive)


def test_no_code_is_left_to_the_server_but_those_of_pixels(phases: Phases) -> None:
    assert {"crc-mismatch", "value-above-max"} == ONLY_THE_SERVER_FINDS
