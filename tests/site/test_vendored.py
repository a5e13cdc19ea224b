"""What is built for the browser is what its manifest says, and its manifest what `frontend/` asks for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders

ROOT = Path(__file__).parents[2]
VENDORED = ROOT / "platform" / "bayerboard" / "static" / "vendor" / "uppy"
LIMIT_BYTES = 1_000_000


def manifest() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((VENDORED / "manifest.json").read_text())
    return data


def versions() -> dict[str, str]:
    return {package["name"]: package["version"] for package in manifest()["packages"]}


def test_the_built_file_is_the_one_of_the_manifest() -> None:
    content = (VENDORED / manifest()["file"]).read_bytes()

    assert hashlib.sha256(content).hexdigest() == manifest()["sha256"]
    assert len(content) == manifest()["size_bytes"] < LIMIT_BYTES


def test_it_holds_the_versions_that_are_asked_for_and_locked() -> None:
    asked = json.loads((ROOT / "frontend" / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]

    assert asked.items() <= versions().items()
    for name, version in versions().items():
        assert version in {entry["version"] for path, entry in locked.items() if path.endswith(f"node_modules/{name}")}


def test_the_lock_names_no_host() -> None:
    locked = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]

    assert [path for path, entry in locked.items() if "resolved" in entry] == []


def test_every_package_has_its_licence_beside_it() -> None:
    texts = (VENDORED / "LICENSES.txt").read_text()

    for package in manifest()["packages"]:
        assert package["license"] in {"MIT", "ISC"}
        assert f"{package['name']} {package['version']} ({package['license']})" in texts


def test_the_site_serves_it() -> None:
    assert finders.find("vendor/uppy/uppy.js") == str(VENDORED / "uppy.js")
