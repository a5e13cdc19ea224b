"""A private PostgreSQL server. It refuses to run as root, so that for root it runs as another user."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from tests.services.service import ANSWERS_WITHIN_S, Service, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "bayerboard"
NO_POSTGRES = (
    "The tests on PostgreSQL need its server: install it (Debian: apt-get install postgresql), "
    "or name the folder of its programs in the environment: POSTGRES=/path/to/bin."
)
# A test that does not cut the power need not wait for the disk.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One server, its superuser `bayerboard`, and databases made on demand."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.port = free_port()
        self.password = secrets.token_urlsafe(12)
        programs, become = find_programs(), become_unprivileged()
        self._make_cluster(folder, programs, become)
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(folder),
            "shared_buffers": "32MB",
            **({} if durable else FORGETFUL),
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [*become, str(programs / "postgres"), "-D", str(folder / "data"), *words]
        # SIGINT is its "fast" way to stop: it waits for no client.
        self.service = Service("postgres", command, folder / "postgres.log", self.answers, signal.SIGINT)

    def _make_cluster(self, folder: Path, programs: Path, become: list[str]) -> None:
        password = folder / "password"
        password.write_text(self.password)
        if become:
            for path in (folder, password):
                shutil.chown(path, unprivileged_user())
        command = [*become, str(programs / "initdb"), "--pgdata", str(folder / "data"), "--username", USER]
        command += ["--auth", "scram-sha-256", "--pwfile", str(password), "--no-sync", "--no-instructions"]
        command += ["--encoding", "UTF8", "--locale", "C.UTF-8"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def url(self, database: str) -> str:
        """Return what DATABASE_URL takes."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def answers(self) -> bool:
        """Whether it takes connections: neither starting nor recovering."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=ANSWERS_WITHIN_S).close()
        except psycopg.OperationalError:
            return False
        return True

    def make_database(self, name: str) -> str:
        """Make an empty database; return its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)


def find_programs() -> Path:
    """Return the folder of `postgres` and `initdb`, as tools/postgres.sh does."""
    named = os.environ.get("POSTGRES")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    for folder in [Path(named)] if named else [*debian, *([Path(on_path).parent] if on_path else [])]:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    pytest.fail(NO_POSTGRES, pytrace=False)


def unprivileged_user() -> str:
    """Return the user that root starts the server as."""
    return "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"


def become_unprivileged() -> list[str]:
    """Return what stands before a command so that it does not run as root; nothing for anybody else."""
    if os.geteuid() != 0:
        return []
    user = unprivileged_user()
    # A change of user forgets the wish to die with one's parent: it is renewed here.
    return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups", "--pdeathsig=KILL"]


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a server for the length of a block; `durable` makes it wait for the disk as in production."""
    # Not below pytest's folder, which other users may not enter; and short, for the socket's sake.
    with tempfile.TemporaryDirectory(prefix="bayerboard-pg-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder), durable=durable)
        server.service.start()
        try:
            yield server
        finally:
            server.service.stop()
