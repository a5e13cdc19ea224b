"""Objects as files below one folder."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bayerboard.lib.storage.disk_parts import PartsFolder
from bayerboard.lib.storage.files import children, flush, make_folder, raises_storage_full, remove_old
from bayerboard.lib.storage.interface import ObjectStore, Part, StorageFull, StoredObject, check_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

DRAFT_PREFIX = ".put-"
# Left free beside an upload: the database and the logs lie on the same disk more often than not.
RESERVE_BYTES = 64 * 2**20


class LocalDisk(ObjectStore):
    """Objects below `root`; what is still arriving lies in `root`/incoming, so that the last step is a rename."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def put(self, key: str, source: Path) -> None:
        target = self._path(key)
        with raises_storage_full():
            make_folder(target.parent)
            descriptor, draft_name = tempfile.mkstemp(dir=target.parent, prefix=DRAFT_PREFIX)
            os.close(descriptor)
            draft = Path(draft_name)
            try:
                # A rename on the same disk; a copy beside the target otherwise, so that the last step is a rename too.
                try:
                    source.replace(draft)
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    shutil.copyfile(source, draft)
                # The age of an object is that of its storing, whatever the file went through before.
                os.utime(draft)
                flush(draft)
                draft.replace(target)
                flush(target.parent)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise

    def open(self, key: str) -> BinaryIO:
        return self._path(key).open("rb")

    @contextmanager
    def local_copy(self, key: str, on_chunk: Callable[[], object] | None = None) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        yield path

    def size_bytes(self, key: str) -> int:
        return self._path(key).stat().st_size

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        folder = self._path(prefix.rstrip("/"))
        for path in sorted(folder.rglob("*")):
            if path.name.startswith(DRAFT_PREFIX) or not path.is_file():
                continue
            try:
                state = path.stat()
            except FileNotFoundError:
                continue  # deleted meanwhile
            modified_at = datetime.fromtimestamp(state.st_mtime, UTC)
            yield StoredObject(path.relative_to(self.root).as_posix(), state.st_size, modified_at)

    def download_url(self, key: str, filename: str, content_type: str) -> None:
        check_key(key)

    # --- Parts ---

    @property
    def _incoming(self) -> Path:
        return self.root / "incoming"

    def _parts(self, parts_id: str) -> PartsFolder:
        return PartsFolder(self._incoming / "parts" / check_key(parts_id))

    def open_parts(self, key: str, size_bytes: int, part_size_bytes: int) -> str:
        make_folder(self._incoming)
        if shutil.disk_usage(self._incoming).free < size_bytes + RESERVE_BYTES:
            raise StorageFull(f"no room for {size_bytes} bytes")
        return PartsFolder.make(self._incoming / "parts", part_size_bytes).name

    def part_url(self, key: str, parts_id: str, number: int, size_bytes: int, expires_s: int) -> None:
        check_key(key)

    def write_part(self, parts_id: str, number: int, size_bytes: int, chunks: Iterable[bytes]) -> Part:
        """Take one part in, whole or not at all; a repeated part replaces the earlier one.

        Raises PartsGone, WrongPartSize, StorageFull, and what `chunks` raises.
        """
        return self._parts(parts_id).write(number, size_bytes, chunks)

    def list_parts(self, key: str, parts_id: str) -> list[Part]:
        return self._parts(parts_id).list()

    def complete_parts(self, key: str, parts_id: str, parts: Sequence[Part]) -> None:
        folder = self._parts(parts_id)
        # Under the lock, so that no part that still arrives can be written into what is an object by then.
        with folder.locked():
            self.put(key, folder.content())
        folder.remove()

    def abort_parts(self, key: str, parts_id: str) -> None:
        self._parts(parts_id).remove()

    def clear_leftovers(self, before: datetime, keep: Collection[str]) -> int:
        parts = self._incoming / "parts"
        found = [path for path in children(parts) if path.name not in keep]
        found += [path for path in children(self._incoming) if path != parts]
        found += [path for path in self.root.rglob(f"{DRAFT_PREFIX}*") if self._incoming not in path.parents]
        return sum(remove_old(path, before) for path in found)
