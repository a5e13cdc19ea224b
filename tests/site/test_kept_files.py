"""Copies of remote objects: brought once, shared between processes, bounded, never half."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bayerboard.lib.kept_files import KeptFiles, kept_copy
from bayerboard.lib.storage import LocalDisk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.lib.storage import ObjectStore

KEY = "references/3fe1.zip"
CONTENT = b"0123456789"


class Remote:
    """A storage elsewhere, which counts how often it is asked."""

    def __init__(self, folder: Path, content: bytes = CONTENT) -> None:
        self.folder, self.content, self.asked = folder, content, 0

    @contextmanager
    def fetch(self) -> Iterator[Path]:
        self.asked += 1
        path = self.folder / "download"
        path.write_bytes(self.content)
        yield path
        path.unlink()


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path)


@pytest.fixture
def kept(tmp_path: Path) -> KeptFiles:
    return KeptFiles(tmp_path / "kept", max_bytes=25)


def held(kept: KeptFiles) -> int:
    return sum(path.stat().st_size for path in kept.folder.iterdir())


def use(kept: KeptFiles, remote: Remote, key: str) -> bytes:
    with kept.hold(key, len(CONTENT), remote.fetch) as path:
        return path.read_bytes()


def test_it_is_brought_once(kept: KeptFiles, remote: Remote) -> None:
    assert [use(kept, remote, KEY) for _ in range(3)] == [CONTENT] * 3
    assert remote.asked == 1


def test_only_its_owner_can_read_it(kept: KeptFiles, remote: Remote) -> None:
    use(kept, remote, KEY)

    assert kept.folder.stat().st_mode & 0o777 == 0o700


def test_a_copy_of_another_size_is_brought_again(kept: KeptFiles, remote: Remote) -> None:
    with kept.hold(KEY, len(CONTENT), remote.fetch) as path:
        path.write_bytes(b"half")

    assert use(kept, remote, KEY) == CONTENT
    assert remote.asked == 2


def test_what_came_short_is_not_kept(kept: KeptFiles, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="4 bytes in place of 10"):
        use(kept, Remote(tmp_path, b"half"), KEY)

    assert use(kept, Remote(tmp_path), KEY) == CONTENT


def test_the_one_not_used_for_the_longest_time_goes(kept: KeptFiles, remote: Remote) -> None:
    for age, key in enumerate(("a", "b")):
        with kept.hold(key, len(CONTENT), remote.fetch) as path:
            pass
        os.utime(path, (1000 - age, 1000 - age))

    use(kept, remote, "c")
    use(kept, remote, "a")

    assert remote.asked == 3
    assert held(kept) <= kept.max_bytes


def test_what_is_being_read_stays(kept: KeptFiles, remote: Remote) -> None:
    with (
        kept.hold("a", len(CONTENT), remote.fetch) as first,
        kept.hold("b", len(CONTENT), remote.fetch),
        kept.hold("c", len(CONTENT), remote.fetch),
    ):
        assert first.read_bytes() == CONTENT


def test_what_does_not_fit_is_not_kept(kept: KeptFiles, tmp_path: Path) -> None:
    large = Remote(tmp_path, bytes(26))

    for _ in range(2):
        with kept.hold(KEY, 26, large.fetch) as path:
            assert path.stat().st_size == 26

    assert large.asked == 2
    assert not kept.folder.exists()


PROCESS = """
import sys
from contextlib import contextmanager
from pathlib import Path
from bayerboard.lib.kept_files import KeptFiles

folder = Path(sys.argv[1])

@contextmanager
def fetch():
    path = folder / f"download-{sys.argv[2]}"
    path.write_bytes(bytes(4_000_000))
    yield path

with KeptFiles(folder / "kept", 5_000_000).hold("key", 4_000_000, fetch) as path:
    assert path.stat().st_size == 4_000_000
"""


def test_processes_that_ask_together_bring_it_once(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", PROCESS, str(tmp_path), str(n)]) for n in range(4)]

    assert [process.wait() for process in processes] == [0] * 4
    assert len(list(tmp_path.glob("download-*"))) == 1


def stored(store: ObjectStore, folder: Path) -> ObjectStore:
    source = folder / "source"
    source.write_bytes(CONTENT)
    store.put(KEY, source)
    return store


def test_a_reference_elsewhere_is_kept(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store, remote = stored(LocalDisk(tmp_path / "objects"), tmp_path), Remote(tmp_path)
    monkeypatch.setattr("bayerboard.lib.kept_files.LocalDisk", Remote)

    for _ in range(2):
        with kept_copy(store, KEY, len(CONTENT), remote.fetch) as path:
            assert path.is_relative_to(settings.REFERENCE_CACHE_DIR)
            assert path.read_bytes() == CONTENT

    assert remote.asked == 1


def test_on_the_local_disk_there_is_nothing_to_copy(tmp_path: Path, settings: Settings) -> None:
    store = LocalDisk(tmp_path / "objects")
    stored(store, tmp_path)

    with kept_copy(store, KEY, len(CONTENT), partial(store.local_copy, KEY)) as path:
        assert path == store.root / KEY
    assert not settings.REFERENCE_CACHE_DIR.exists()
