"""Backups: what is restored is what was there, on both databases."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps

from bayerboard.operations.backup.manifest import BackupFolder, Manifest
from bayerboard.operations.backup.stored import KEY_COLUMNS
from tests.operations.own_site import OwnSite
from tests.s3_server import S3Server
from tests.services.postgres import Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.processes
# What does not depend on the engine is tried on SQLite alone.
on_both_engines = pytest.mark.parametrize("server", ["sqlite", "postgresql"], indirect=True)

# Columns whose name ends like a key, and that name no stored object.
# Of a session, a request, a mail, and a column of a board: no objects of the storage.
OTHER_KEYS = {"Submission.idempotency_key", "Session.session_key", "EmailConfirmation.key", "Score.key"}


class Sites:
    """Makes empty sites that use one engine."""

    def __init__(self, folder: Path, server: Postgres | None) -> None:
        self.folder = folder
        self.server = server
        self.count = 0

    def make(self, **variables: str) -> OwnSite:
        self.count += 1
        name = f"site{self.count}"
        data_dir = self.folder / name
        data_dir.mkdir()
        if self.server is None:
            return OwnSite(data_dir, variables)
        database = self.server.make_database(f"{name}_{id(self)}")
        return OwnSite(data_dir, {"DATABASE_URL": database, "SECRET_KEY": "x" * 50, **variables})


@contextmanager
def server_of(engine: str) -> Iterator[Postgres | None]:
    if engine == "sqlite":
        yield None
    else:
        with postgres() as server:
            yield server


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Postgres | None]:
    with server_of(getattr(request, "param", "sqlite")) as one:
        yield one


@pytest.fixture(scope="module")
def filled(server: Postgres | None, tmp_path_factory: pytest.TempPathFactory) -> OwnSite:
    """Fill a site with a challenge and scores; no test changes it."""
    site = Sites(tmp_path_factory.mktemp("filled"), server).make()
    site.fill()
    return site


@pytest.fixture
def sites(server: Postgres | None, tmp_path: Path) -> Sites:
    return Sites(tmp_path, server)


@pytest.fixture(scope="module")
def made(filled: OwnSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "backup"
    done = filled.manage("backup", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def backup(made: Path, tmp_path: Path) -> BackupFolder:
    """Copy the backup of the filled site for one test."""
    return BackupFolder(shutil.copytree(made, tmp_path / "backup"))


def manifest_of(backup: BackupFolder) -> Manifest:
    return Manifest.read(backup.find())


@on_both_engines
def test_a_restored_site_shows_the_same(filled: OwnSite, backup: BackupFolder, sites: Sites) -> None:
    fresh = sites.make()

    done = fresh.manage("restore", str(backup.root))

    assert done.returncode == 0, done.stderr
    assert "all as the manifest says" in done.stdout
    before, after = filled.show(), fresh.show()
    assert "31.5" in before["boards"][0]
    assert len(before["objects"]) == 5
    assert after == before
    # New rows get new numbers, and nothing is left to migrate.
    fresh.fill(first_number=1000)
    assert len(fresh.show()["submissions"]) == 2 * len(before["submissions"])
    assert fresh.manage("migrate", "--check").returncode == 0


def test_a_site_moves_into_a_bucket_and_out_again(filled: OwnSite, made: Path, sites: Sites, tmp_path: Path) -> None:
    before = filled.show()
    with S3Server(tmp_path / "s3") as server:
        address = server.make_bucket()
        in_bucket = sites.make(
            BAYERBOARD_S3_BUCKET=address.bucket,
            BAYERBOARD_S3_ENDPOINT_URL=address.endpoint_url,
            AWS_ACCESS_KEY_ID=address.access_key_id,
            AWS_SECRET_ACCESS_KEY=address.secret_access_key,
        )
        moved = in_bucket.manage("restore", str(made))
        assert moved.returncode == 0, moved.stderr
        assert in_bucket.show() == before
        assert not list((in_bucket.data_dir / "objects").rglob("*.zip"))

        taken = in_bucket.manage("backup", str(tmp_path / "from-the-bucket"))
        assert taken.returncode == 0, taken.stderr
    out_again = sites.make()
    moved = out_again.manage("restore", str(tmp_path / "from-the-bucket"))
    assert moved.returncode == 0, moved.stderr
    assert out_again.show() == before


@on_both_engines
def test_a_site_that_is_not_empty_is_left_alone(filled: OwnSite, backup: BackupFolder) -> None:
    before = filled.show()

    done = filled.manage("restore", str(backup.root))

    assert done.returncode == 1
    assert "This site is not empty: it has people, challenges, teams, submissions." in done.stderr
    assert filled.show() == before


def test_the_second_backup_copies_only_what_is_new(filled: OwnSite, backup: BackupFolder) -> None:
    times = {path: path.stat().st_mtime_ns for path in backup.objects.rglob("*.zip")}
    next(iter(times)).unlink()

    assert filled.manage("backup", str(backup.root)).returncode == 0

    again = {path: path.stat().st_mtime_ns for path in backup.objects.rglob("*.zip")}
    assert again.keys() == times.keys()
    assert sum(again[path] != times[path] for path in times) == 1
    assert [manifest_of(backup).objects] == [Manifest.read(backup.complete()[0]).objects]


def test_an_object_that_was_damaged_in_the_backup_is_not_restored(backup: BackupFolder, sites: Sites) -> None:
    path = next(backup.objects.rglob("archives/*.zip"))
    path.write_bytes(bytes(path.stat().st_size))
    fresh = sites.make()

    done = fresh.manage("restore", str(backup.root))

    assert done.returncode == 1
    assert f"{path} is damaged" in done.stderr
    # Nothing is there that a second try would stumble over.
    assert fresh.manage("migrate", "--verbosity", "0").returncode == 0
    assert fresh.show()["boards"] == []


def test_a_database_that_was_damaged_in_the_backup_is_not_restored(backup: BackupFolder, sites: Sites) -> None:
    folder = backup.find()
    with (folder / manifest_of(backup).database[0].name).open("r+b") as file:
        file.write(b"?")

    done = sites.make().manage("restore", str(backup.root))

    assert done.returncode == 1
    assert "is not as the manifest says" in done.stderr


def test_a_restore_that_was_broken_off_goes_on(filled: OwnSite, backup: BackupFolder, sites: Sites) -> None:
    fresh = sites.make()
    path = next(backup.objects.rglob("references/*.zip"))
    aside = path.rename(path.with_suffix(".aside"))
    assert f"{path} is missing" in fresh.manage("restore", str(backup.root)).stderr
    aside.rename(path)

    assert fresh.manage("restore", str(backup.root)).returncode == 0
    assert fresh.show() == filled.show()


def test_a_backup_of_a_newer_version_is_refused(backup: BackupFolder, sites: Sites) -> None:
    change_manifest(backup, migrations=[["accounts", "0099_of_tomorrow"]])

    done = sites.make().manage("restore", str(backup.root))

    assert done.returncode == 1
    assert "accounts.0099_of_tomorrow" in done.stderr


def test_a_backup_of_the_other_engine_is_refused(backup: BackupFolder, sites: Sites) -> None:
    change_manifest(backup, engine="another")

    assert "The backup is of another" in sites.make().manage("restore", str(backup.root)).stderr


def test_where_there_is_no_whole_backup_nothing_is_restored(sites: Sites, tmp_path: Path) -> None:
    (tmp_path / "empty" / "backups" / "2026-01-01").mkdir(parents=True)

    assert "holds no whole backup" in sites.make().manage("restore", str(tmp_path / "empty")).stderr


def test_an_object_that_the_storage_lost_is_named(sites: Sites, tmp_path: Path) -> None:
    site = sites.make()
    site.fill()
    key = site.show()["submissions"][0][2]
    (site.data_dir / "objects" / key).unlink()

    done = site.manage("backup", str(tmp_path / "backup"))

    assert done.returncode == 1
    assert key in done.stderr
    assert manifest_of(BackupFolder(tmp_path / "backup")).missing == [key]


def test_old_backups_go_with_the_objects_that_they_alone_named(filled: OwnSite, backup: BackupFolder) -> None:
    (backup.objects / "archives" / "of-an-old-one.zip").write_bytes(b"old")
    (backup.backups / "broken-off").mkdir()
    first = backup.find()

    done = filled.manage("backup", str(backup.root), "--keep", "1", "--verify")

    assert "Older backups removed: 1." in done.stdout
    assert [path.name for path in backup.backups.iterdir()] == [backup.find().name]
    assert backup.find() != first
    kept = {str(path.relative_to(backup.objects)) for path in backup.objects.rglob("*") if path.is_file()}
    assert kept == {item.name for item in manifest_of(backup).objects}


def test_a_backup_is_for_its_owner_alone(backup: BackupFolder) -> None:
    assert {path.stat().st_mode & 0o077 for path in (backup.root, backup.objects, backup.find())} == {0}


def change_manifest(backup: BackupFolder, **values: Any) -> None:
    path = backup.find() / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_every_column_of_keys_is_known() -> None:
    """Whoever adds one decides here whether a backup follows it."""
    columns = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name == "key" or field.name.endswith("_key")
    }
    known = {f"{column.model.rpartition('.')[2]}.{column.field}" for column in KEY_COLUMNS}
    assert columns == known | OTHER_KEYS
