"""Data folder, secret key and short runtime folder of the embedded mode."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from bayerboard.lib.env import SettingError


def make_data_dir(folder: Path) -> Path:
    """Create the data folder, readable by its owner alone: it holds references, archives and secrets."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def secret_key(data_dir: Path) -> str:
    """Return the key in `data_dir`, made at the first start; two processes that start together agree on one."""
    file = data_dir / "secret_key"
    if not file.exists():
        # Written whole beside it and linked into place: link() fails if another process was first.
        draft = data_dir / f".secret_key.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()


def runtime_dir(data_dir: Path) -> Path:
    """Return a short private folder for sockets: a unix socket's path is limited to 107 bytes."""
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    # After `su`, it may name the other user's folder, or one that is gone.
    usable = bool(named) and os.access(named, os.W_OK | os.X_OK) and Path(named).stat().st_uid == os.getuid()
    folder = Path(named if usable else tempfile.gettempdir()) / f"bayerboard-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise SettingError(f"{folder} is not a private folder of this user. Remove it, then start again.")
    return folder
