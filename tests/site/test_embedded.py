"""What the embedded mode keeps for itself."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bayerboard.lib import embedded
from bayerboard.lib.env import SettingError

if TYPE_CHECKING:
    from pathlib import Path

ASK = "import pathlib, sys; from bayerboard.lib import embedded; print(embedded.secret_key(pathlib.Path(sys.argv[1])))"


def test_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = embedded.make_data_dir(tmp_path / "a" / "var")

    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_secret_key_stays_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = embedded.secret_key(tmp_path)

    assert embedded.secret_key(tmp_path) == key
    assert len(key) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_processes_that_start_together_agree_on_it(tmp_path: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", ASK, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]

    keys = {process.communicate()[0] for process in started}

    assert len(keys) == 1
    assert len(keys.pop().strip()) >= 50


def test_who_is_late_takes_the_key_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = embedded.secret_key(tmp_path)
    # it looked before the first was there
    monkeypatch.setattr("pathlib.Path.exists", lambda path: False)

    assert embedded.secret_key(tmp_path) == first


def test_the_runtime_folder_is_short_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    folder = embedded.runtime_dir(tmp_path / ("deep" * 60))

    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(folder.name) < 40
    assert folder == embedded.runtime_dir(tmp_path / ("deep" * 60))
    assert folder != embedded.runtime_dir(tmp_path / "other")


def test_a_runtime_folder_that_is_gone_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert embedded.runtime_dir(tmp_path).parent == tmp_path


def test_a_runtime_folder_that_others_can_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    embedded.runtime_dir(tmp_path).chmod(0o755)

    with pytest.raises(SettingError, match="is not a private folder"):
        embedded.runtime_dir(tmp_path)


def test_a_link_in_its_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = embedded.runtime_dir(tmp_path)
    folder.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)

    with pytest.raises(SettingError, match="is not a private folder"):
        embedded.runtime_dir(tmp_path)
