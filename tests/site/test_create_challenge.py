"""`manage.py create_challenge`: from files on disk to rows, twice, and what it refuses."""

from __future__ import annotations

import errno
import os
import zipfile
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from bayerboard.challenges.models import (
    AuditEntry,
    Board,
    Challenge,
    Download,
    InputSet,
    Phase,
    ReferenceSet,
    ScoringVersion,
    Selection,
    Track,
)
from bayerboard.importing import inputs
from bayerboard.importing.importer import check_challenge, import_challenge
from bayerboard.importing.spec import (
    PhaseSpec,
    SpecError,
    SpecProblem,
    load_challenge_spec,
)
from bayerboard.lib.storage import object_store
from scoring.protocol import load_protocol
from scoring.reference import Reference
from tests import factories
from tests.scoring.archives import npy_bytes
from tests.scoring.pictures import npz_bytes, npz_of, picture_bytes, png_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bayerboard.accounts.models import User
    from bayerboard.importing.report import ImportReport

pytestmark = pytest.mark.django_db

S7 = load_protocol("aim22-s7")
TEXT = """\
slug: demo
title: Demo
time_zone: Europe/Zurich
tracks:
  - slug: s7
    title: Samsung S7
    protocol: aim22-s7
    baselines: [mosaic]
    downloads:
      - title: Kit
        path: kit
      - title: Terms
        path: kit/readme.md
    phases:
      - slug: dev
        title: Development
        starts_at: 2026-01-01 09:30
        ends_at: 2100-01-01 00:00
        inputs: rgb
        reference: raw
"""


class Organiser:
    """Somebody with a folder, a challenge file in it, and a terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "challenge.yaml"
        self.text = TEXT
        self.write_images("rgb", {name: factories.jpg_bytes(S7, seed) for seed, name in enumerate(("6_10", "6_2"))})
        self.write_reference(levels=100)
        (folder / "kit").mkdir()
        (folder / "kit" / "readme.md").write_text("Read me.")

    def write_images(self, name: str, images: Mapping[str, bytes]) -> None:
        (self.folder / name).mkdir(exist_ok=True)
        for stem, data in images.items():
            (self.folder / name / f"{stem}.jpg").write_bytes(data)

    def write_reference(self, levels: int, names: tuple[str, ...] = ("6_10", "6_2")) -> None:
        (self.folder / "raw").mkdir(exist_ok=True)
        for name in names:
            np.save(self.folder / "raw" / f"{name}.npy", np.full(S7.shape, levels, np.uint16))

    def replace(self, old: str, new: str) -> None:
        assert old in self.text
        self.text = self.text.replace(old, new)

    def run(self) -> ImportReport:
        self.file.write_text(self.text)
        return import_challenge(load_challenge_spec(self.file))

    def problems(self) -> list[SpecProblem]:
        with pytest.raises(SpecError) as caught:
            self.run()
        return caught.value.problems

    def problem(self) -> SpecProblem:
        (problem,) = self.problems()
        return problem

    def command(self, *options: str) -> str:
        self.file.write_text(self.text)
        output = StringIO()
        call_command("create_challenge", str(self.file), *options, stdout=output, no_color=True)
        return output.getvalue()


def roles(challenge: Challenge) -> dict[User, str]:
    return {grant.user: grant.role for grant in challenge.grants.all()}


@pytest.fixture
def organiser(tmp_path: Path) -> Organiser:
    return Organiser(tmp_path)


def details(report: ImportReport, kind: str) -> dict[str, str]:
    return {change.subject: change.detail for change in report.changes if change.kind == kind}


def names_in(key: str) -> list[str]:
    with object_store().open(key) as stream, zipfile.ZipFile(stream) as archive:
        return archive.namelist()


# --- Creating ----------------------------------------------------------------------------------------------------


def test_the_challenge_and_its_track_are_created(organiser: Organiser) -> None:
    organiser.run()
    track = Track.objects.get(challenge__slug="demo", challenge__time_zone="Europe/Zurich")
    assert (track.slug, track.title, track.baselines, track.protocol) == ("s7", "Samsung S7", ["mosaic"], S7)


def test_the_phase_is_created(organiser: Organiser) -> None:
    organiser.run()
    phase = Phase.objects.get(track__slug="s7")
    assert phase.starts_at == datetime(2026, 1, 1, 8, 30, tzinfo=UTC)
    assert (phase.quota_per_day, phase.quota_total, phase.max_archive_bytes) == (5, 100, 500_000_000)


def test_the_public_manifest_is_made_of_the_inputs_names_and_the_protocol(organiser: Organiser) -> None:
    organiser.run()
    files = Phase.objects.get().manifest.files
    assert [(file.name, file.shape, file.dtype) for file in files] == [
        ("6_2", S7.shape, "uint16"),
        ("6_10", S7.shape, "uint16"),
    ]


def test_the_inputs_are_stored_as_one_zip(organiser: Organiser) -> None:
    organiser.run()
    stored = InputSet.objects.get()
    assert stored.names == ["6_2", "6_10"]
    assert names_in(stored.storage_key) == ["6_2.jpg", "6_10.jpg"]


def test_only_pictures_leave_the_folder_of_the_inputs(organiser: Organiser) -> None:
    np.save(organiser.folder / "rgb" / "6_2.npy", np.zeros(3))
    report = organiser.run()
    assert names_in(InputSet.objects.get().storage_key) == ["6_2.jpg", "6_10.jpg"]
    assert details(report, "note") == {"phase s7/dev": "left out 1 files beside the inputs that are not .jpg"}


def test_the_reference_is_stored_with_its_private_manifest(organiser: Organiser) -> None:
    organiser.run()
    stored = ReferenceSet.objects.get()
    with object_store().local_copy(stored.storage_key) as path, Reference.open(path, S7) as reference:
        assert reference.private_manifest() == stored.manifest_data
        assert int(reference.load("6_2").max()) == 100


def test_the_first_scoring_version_is_published(organiser: Organiser) -> None:
    organiser.run()
    version = Phase.objects.select_related("published_version").get().published_version
    assert version is not None
    assert (version.number, version.reference_set.version, version.protocol) == (1, 1, S7)
    assert version.published_at is not None


def test_a_folder_to_download_is_zipped(organiser: Organiser) -> None:
    organiser.run()
    download = Download.objects.get(title="Kit")
    assert download.filename == "kit.zip"
    assert names_in(download.storage_key) == ["kit/readme.md"]


def test_a_file_to_download_stays_as_it_is(organiser: Organiser) -> None:
    organiser.run()
    download = Download.objects.get(title="Terms")
    with object_store().open(download.storage_key) as stream:
        assert stream.read() == b"Read me."
    assert (organiser.folder / "kit" / "readme.md").is_file()


def test_inputs_and_reference_may_be_zips(organiser: Organiser) -> None:
    for folder in ("rgb", "raw"):
        with zipfile.ZipFile(organiser.folder / f"{folder}.zip", "w") as archive:
            archive.writestr("__MACOSX/._6_2.jpg", b"")
            for path in (organiser.folder / folder).iterdir():
                archive.write(path, f"{folder}/{path.name}")
    organiser.run()
    organiser.replace("inputs: rgb", "inputs: rgb.zip")
    organiser.replace("reference: raw", "reference: raw.zip")
    assert not organiser.run().is_change


def test_the_words_for_visibility_reach_the_phase(organiser: Organiser) -> None:
    organiser.text += (
        "        board: own-row\n        board_opens_at: 2100-01-02 00:00\n        selection: latest\n"
        "        image_results: published\n        own_scores: hidden\n"
    )
    organiser.run()
    phase = Phase.objects.get()
    assert (phase.board, phase.selection) == (Board.OWN_ROW, Selection.LATEST)
    assert (phase.publishes_images, phase.shows_own_scores) == (True, False)


@pytest.mark.parametrize(("key", "choices"), [("board", Board), ("selection", Selection)])
def test_the_file_knows_the_same_words_as_the_database(key: str, choices: Any) -> None:
    assert set(choices.values) == set(PhaseSpec.model_fields[key].annotation.__args__)  # type: ignore[union-attr]


# --- Organisers --------------------------------------------------------------------------------------------------


def test_organisers_are_found_by_name_and_by_confirmed_address(organiser: Organiser) -> None:
    ada, ben = factories.make_user("ada"), factories.make_user("ben")
    EmailAddress.objects.create(user=ben, email="ben@example.org", verified=True, primary=True)
    organiser.text += "organisers: [Ada, Ben@example.org]\n"
    organiser.run()
    assert roles(Challenge.objects.get()) == {ada: "owner", ben: "organiser"}


def test_an_address_that_nobody_confirmed_makes_nobody_an_organiser(organiser: Organiser) -> None:
    mallory = factories.make_user("mallory")
    EmailAddress.objects.create(user=mallory, email="prof@example.org", verified=False, primary=True)
    organiser.text += "organisers: [prof@example.org]\n"
    assert organiser.problem().path == "organisers[0]"
    assert not Challenge.objects.exists()


def test_an_organiser_without_an_account(organiser: Organiser) -> None:
    organiser.text += "organisers: [nobody]\n"
    problem = organiser.problem()
    assert (problem.line, problem.message) == (21, "There is no account “nobody”.")


# --- Running it again --------------------------------------------------------------------------------------------


def test_a_second_run_changes_nothing(organiser: Organiser) -> None:
    organiser.run()
    report = organiser.run()
    assert {change.kind for change in report.changes} == {"unchanged"}
    counts = [model.objects.count() for model in (Challenge, Track, Phase, InputSet, ReferenceSet, ScoringVersion)]
    assert counts == [1, 1, 1, 1, 1, 1]


def test_a_changed_date_is_updated_and_shown(organiser: Organiser) -> None:
    organiser.run()
    organiser.replace("2100-01-01 00:00", "2100-02-01 00:00")
    assert details(organiser.run(), "updated") == {
        "phase s7/dev": "ends at: 2099-12-31 23:00 UTC → 2100-01-31 23:00 UTC"
    }


def test_a_long_text_is_updated_and_named(organiser: Organiser) -> None:
    organiser.run()
    organiser.text += f"description: {'long ' * 50}\n"
    assert details(organiser.run(), "updated") == {"challenge demo": "description"}


def test_changed_inputs_of_the_same_names_replace_the_earlier_ones(organiser: Organiser) -> None:
    organiser.run()
    organiser.write_images("rgb", {"6_2": factories.jpg_bytes(S7, 77)})
    assert list(details(organiser.run(), "updated")) == ["phase s7/dev"]
    assert Phase.objects.get().input_set == InputSet.objects.latest("pk")


def test_phases_with_the_same_inputs_share_them(organiser: Organiser) -> None:
    phase = organiser.text[organiser.text.index("      - slug: dev") :]
    organiser.text += phase.replace("slug: dev", "slug: test")
    organiser.run()
    assert (Phase.objects.count(), InputSet.objects.count()) == (2, 1)


def test_a_changed_download_is_updated(organiser: Organiser) -> None:
    organiser.run()
    (organiser.folder / "kit" / "more.txt").write_text("More.")
    assert list(details(organiser.run(), "updated")) == ["download s7/Kit"]
    assert names_in(Download.objects.get(title="Kit").storage_key) == ["kit/more.txt", "kit/readme.md"]


def test_a_download_that_was_to_come_later_is_released_at_once(organiser: Organiser) -> None:
    organiser.replace("path: kit\n", "path: kit\n        released_at: 2100-01-01 00:00\n")
    organiser.run()
    assert not Download.objects.get(title="Kit").is_released()
    organiser.replace("        released_at: 2100-01-01 00:00\n", "")
    organiser.run()
    assert Download.objects.get(title="Kit").is_released()


def test_what_is_missing_in_the_file_is_reported_and_kept(organiser: Organiser) -> None:
    ada = factories.make_user("ada")
    track = organiser.text[organiser.text.index("  - slug: s7") :]
    organiser.text += track.replace("slug: s7", "slug: second")
    organiser.text += "organisers: [ada]\n"
    organiser.run()
    organiser.text = TEXT.replace("slug: dev", "slug: other").replace("title: Kit", "title: New kit")
    notes = details(organiser.run(), "note")
    assert set(notes) == {"owner ada", "track second", "phase dev", "download s7/Kit"}
    assert all("not in the file" in note for note in notes.values())
    challenge = Challenge.objects.get()
    assert (challenge.tracks.count(), roles(challenge)) == (2, {ada: "owner"})


# --- What never changes behind anyone's back ---------------------------------------------------------------------


def submit_something(organiser: Organiser, levels: int = 90) -> None:
    phase = Phase.objects.get()
    team = factories.make_team(phase.track.challenge)
    images = {file.name: np.full(file.shape, levels, np.uint16) for file in phase.manifest.files}
    archive = factories.write_zip(organiser.folder / "submission.zip", images)
    factories.make_submission(phase, team, organiser.folder, archive=archive)


def test_a_changed_reference_waits_for_a_rescore(organiser: Organiser) -> None:
    organiser.run()
    submit_something(organiser)
    organiser.write_reference(levels=200)
    notes = details(organiser.run(), "note")
    assert notes == {"reference s7/dev": "version 2 scores nothing yet: run manage.py rescore demo/s7/dev"}
    published = Phase.objects.get().published_version
    assert published is not None
    assert published.reference_set.version == 1


def test_a_reference_that_waits_is_named_again_and_not_made_again(organiser: Organiser) -> None:
    organiser.run()
    submit_something(organiser)
    organiser.write_reference(levels=200)
    organiser.run()
    report = organiser.run()
    assert "reference s7/dev" in details(report, "note")
    assert ReferenceSet.objects.count() == 2


def test_a_changed_reference_counts_at_once_while_there_is_nothing_to_rescore(organiser: Organiser) -> None:
    organiser.run()
    organiser.write_reference(levels=200)
    organiser.run()
    published = Phase.objects.get().published_version
    assert published is not None
    assert (published.number, published.reference_set.version) == (2, 2)


def test_the_published_reference_stays_readable(organiser: Organiser) -> None:
    organiser.run()
    organiser.write_reference(levels=200)
    organiser.run()
    first = ReferenceSet.objects.get(version=1)
    with object_store().local_copy(first.storage_key) as path, Reference.open(path, S7) as reference:
        assert int(reference.load("6_2").max()) == 100


def rename_an_image(organiser: Organiser) -> None:
    (organiser.folder / "rgb" / "6_2.jpg").rename(organiser.folder / "rgb" / "6_4.jpg")
    (organiser.folder / "raw" / "6_2.npy").rename(organiser.folder / "raw" / "6_4.npy")


def test_images_can_be_renamed_while_there_are_no_submissions(organiser: Organiser) -> None:
    organiser.run()
    rename_an_image(organiser)
    organiser.run()
    phase = Phase.objects.get()
    assert phase.published_version is not None
    names = [item["name"] for item in phase.published_version.reference_set.manifest_data]
    assert [file.name for file in phase.manifest.files] == names == ["6_4", "6_10"]


def test_images_cannot_be_renamed_under_submissions(organiser: Organiser) -> None:
    organiser.run()
    submit_something(organiser)
    rename_an_image(organiser)
    problem = organiser.problem()
    assert (problem.line, problem.path) == (19, "tracks[0].phases[0].inputs")
    assert ReferenceSet.objects.count() == 1


def test_another_protocol_in_the_file_is_reported_and_not_taken(organiser: Organiser) -> None:
    organiser.run()
    organiser.replace("aim22-s7", "aim22-p20")
    report = organiser.run()
    assert details(report, "note") == {"track s7": "keeps its protocol aim22-s7; aim22-p20 needs a new track"}
    assert Track.objects.get().protocol == S7


def test_a_protocol_that_ships_differently_now_is_reported_and_not_taken(organiser: Organiser) -> None:
    organiser.run()
    earlier = {**S7.to_json(), "tolerance": 0.01}
    Track.objects.update(protocol_data=earlier)
    report = organiser.run()
    assert details(report, "note") == {"track s7": "keeps its copy of aim22-s7, which differs from the one named now"}
    assert Track.objects.get().protocol_data == earlier


def test_another_selection_rebuilds_the_board(organiser: Organiser, monkeypatch: pytest.MonkeyPatch) -> None:
    rebuilt: list[Phase] = []
    monkeypatch.setattr("bayerboard.importing.importer.Standing.objects.rebuild", rebuilt.append)
    organiser.run()
    rebuilt.clear()
    organiser.text += "        selection: latest\n"
    organiser.run()
    assert rebuilt == [Phase.objects.get()]


# --- Files that cannot be used -----------------------------------------------------------------------------------


def test_a_reference_that_is_missing(organiser: Organiser) -> None:
    (organiser.folder / "raw" / "6_2.npy").unlink()
    problem = organiser.problem()
    assert (problem.line, problem.path) == (20, "tracks[0].phases[0].reference")
    assert problem.message.endswith("no .npy for 6_2.")


def test_a_reference_that_has_no_input(organiser: Organiser) -> None:
    organiser.write_reference(100, tuple(f"7_{number}" for number in range(7)))
    assert organiser.problem().message.endswith("no input for 7_0, 7_1, 7_2, 7_3, 7_4 and 2 more.")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 4), np.uint16),
        np.zeros(S7.shape, np.float32),
        np.full(S7.shape, 1025, np.uint16),
    ],
    ids=["shape", "dtype", "range"],
)
def test_a_reference_that_the_protocol_does_not_allow(organiser: Organiser, array: Any) -> None:
    np.save(organiser.folder / "raw" / "6_2.npy", array)
    problem = organiser.problem()
    assert problem.path == "tracks[0].phases[0].reference"
    assert "6_2.npy" in problem.message


def test_a_picture_that_is_none(organiser: Organiser) -> None:
    (organiser.folder / "rgb" / "6_2.jpg").write_bytes(b"GIF89a")
    problem = organiser.problem()
    assert problem.path == "tracks[0].phases[0].inputs"
    assert problem.message.startswith("6_2.jpg in ")


RAW_INPUTS = "        input_format: {}\n"


def replace_inputs(organiser: Organiser, kind: str, data: bytes) -> None:
    """Give the organiser inputs of another kind."""
    for name in ("6_2", "6_10"):
        (organiser.folder / "rgb" / f"{name}.jpg").unlink()
        (organiser.folder / "rgb" / f"{name}.{kind}").write_bytes(data)
    organiser.text += RAW_INPUTS.format(kind)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("npy", npy_bytes(np.zeros((8, 8), np.uint16))),
        ("npy", npy_bytes(np.zeros((8, 8, 4), np.float32))),
        ("npz", npz_bytes(np.zeros((8, 8, 4), np.uint16))),
        ("png", picture_bytes(np.zeros((8, 8), np.uint16))),
        ("png", picture_bytes(np.zeros((8, 8, 3), np.uint8))),
    ],
)
def test_inputs_of_other_kinds(organiser: Organiser, kind: str, data: bytes) -> None:
    replace_inputs(organiser, kind, data)
    organiser.run()
    assert names_in(InputSet.objects.get().storage_key) == [f"6_2.{kind}", f"6_10.{kind}"]


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("npy", b"no array", "6_2.npy"),
        ("npy", npy_bytes(np.array([{}, {}], object)), "which is no image."),
        ("npy", npy_bytes(np.array([[{}, {}]], object)), "which is no image."),
        ("npy", npy_bytes(np.zeros((8, 0, 4), np.uint16)), "of shape (8, 0, 4), which is no image."),
        ("npz", npz_of({"raw.npy": npy_bytes(np.zeros((8, 8, 4), np.uint16))}), "max_val"),
        ("png", b"GIF89a", "is not a PNG picture."),
        ("png", png_of(60_000, 60_000), "cannot be read"),
        ("png", png_of(10_000, 10_000), "cannot be read"),
    ],
)
def test_inputs_that_are_no_images(organiser: Organiser, kind: str, data: bytes, message: str) -> None:
    replace_inputs(organiser, kind, data)
    problem = organiser.problem()
    assert problem.path == "tracks[0].phases[0].inputs"
    assert message in problem.message


def test_inputs_that_are_the_reference(organiser: Organiser) -> None:
    organiser.replace("inputs: rgb", "inputs: raw")
    organiser.text += RAW_INPUTS.format("npy")
    assert organiser.problem().message == "Inputs and reference are the same files."


def test_pairs_may_lie_in_one_folder_where_their_kinds_differ(organiser: Organiser) -> None:
    for path in (organiser.folder / "raw").iterdir():
        path.rename(organiser.folder / "rgb" / path.name)
    organiser.replace("reference: raw", "reference: rgb")
    organiser.run()
    assert names_in(InputSet.objects.get().storage_key) == ["6_2.jpg", "6_10.jpg"]


def test_a_folder_without_pictures(organiser: Organiser) -> None:
    organiser.replace("inputs: rgb", "inputs: kit")
    assert organiser.problem().message.endswith("holds no .jpg.")


def test_a_picture_that_is_there_twice(organiser: Organiser) -> None:
    with zipfile.ZipFile(organiser.folder / "rgb.zip", "w") as archive:
        archive.writestr("a/6_2.jpg", factories.jpg_bytes(S7, 0))
        archive.writestr("b/6_2.jpg", factories.jpg_bytes(S7, 0))
    organiser.replace("inputs: rgb", "inputs: rgb.zip")
    assert organiser.problem().message.endswith("holds 6_2.jpg twice.")


def test_a_damaged_zip(organiser: Organiser) -> None:
    path = organiser.folder / "rgb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("6_2.jpg", factories.jpg_bytes(S7, 0))
    data = bytearray(path.read_bytes())
    data[500:600] = bytes(100)
    path.write_bytes(data)
    organiser.replace("inputs: rgb", "inputs: rgb.zip")
    assert "cannot be read" in organiser.problem().message


def test_a_zip_that_cannot_be_opened(organiser: Organiser) -> None:
    path = organiser.folder / "rgb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("6_2.jpg", factories.jpg_bytes(S7, 0))
    data = path.read_bytes()
    directory = data.index(b"PK\x01\x02")
    path.write_bytes(data[:directory] + b"XXXX" + data[directory + 4 :])
    organiser.replace("inputs: rgb", "inputs: rgb.zip")
    problem = organiser.problem()
    assert (problem.path, problem.hint) == ("tracks[0].phases[0].inputs", "Make the zip again.")


def test_a_picture_that_is_too_large(organiser: Organiser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_INPUT_BYTES", 10)
    assert "is larger than 10 bytes" in organiser.problem().message


def test_a_picture_whose_name_no_image_can_have(organiser: Organiser) -> None:
    (organiser.folder / "rgb" / "6_2.jpg").rename(organiser.folder / "rgb" / "6\n2.jpg")
    assert "Rename the file." in [problem.hint for problem in organiser.problems()]


def test_a_file_that_fails_while_it_is_read(organiser: Organiser, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: Path, target: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(source))

    monkeypatch.setattr("shutil.copyfile", fail)
    problem = organiser.problem()
    assert problem.path == "tracks[0].downloads[1].path"
    assert problem.message.endswith("readme.md cannot be read: Input/output error.")


def test_junk_is_left_out(organiser: Organiser) -> None:
    for folder in ("rgb", "kit"):
        (organiser.folder / folder / ".DS_Store").write_bytes(b"junk")
    report = organiser.run()
    assert not details(report, "note")
    assert names_in(Download.objects.get(title="Kit").storage_key) == ["kit/readme.md"]


def test_folders_in_a_download_are_kept(organiser: Organiser) -> None:
    (organiser.folder / "kit" / "code").mkdir()
    (organiser.folder / "kit" / "code" / "run.png").write_text("")
    organiser.run()
    assert names_in(Download.objects.get(title="Kit").storage_key) == ["kit/code/run.png", "kit/readme.md"]


def test_a_pipe_in_a_download(organiser: Organiser) -> None:
    os.mkfifo(organiser.folder / "kit" / "pipe")
    assert organiser.problem().message.endswith("is neither a file nor a folder.")


def test_a_download_with_a_name_that_is_too_long(organiser: Organiser) -> None:
    (organiser.folder / ("x" * 130)).write_text("")
    organiser.replace("path: kit\n", f"path: {'x' * 130}\n")
    assert organiser.problem().message.endswith("is too long.")


def test_an_empty_folder_to_download(organiser: Organiser) -> None:
    (organiser.folder / "empty").mkdir()
    organiser.replace("path: kit\n", "path: empty\n")
    problem = organiser.problem()
    assert (problem.line, problem.path) == (11, "tracks[0].downloads[0].path")


def test_a_link_to_a_folder_in_a_download(organiser: Organiser) -> None:
    (organiser.folder / "kit" / "raw").symlink_to(organiser.folder / "raw")
    assert organiser.problem().message.endswith("is a link to a folder.")


@pytest.mark.parametrize("path", ["raw", ".", "raw/6_2.npy"])
def test_a_download_that_would_give_the_reference_away(organiser: Organiser, path: str) -> None:
    organiser.replace("path: kit\n", f"path: {path}\n")
    assert organiser.problem().message == "This download holds the hidden reference of s7/dev."


def test_a_reference_that_is_public_may_be_downloaded(organiser: Organiser) -> None:
    organiser.replace("path: kit\n", "path: raw\n")
    organiser.text += "        image_results: published\n"
    organiser.run()
    assert Download.objects.get(title="Kit").filename == "raw.zip"


def test_everything_bad_is_reported_and_nothing_is_written(organiser: Organiser) -> None:
    organiser.text += "organisers: [nobody]\n"
    (organiser.folder / "rgb" / "6_2.jpg").write_bytes(b"GIF89a")
    (organiser.folder / "raw" / "6_2.npy").write_bytes(b"PNG")
    (organiser.folder / "empty").mkdir()
    organiser.replace("path: kit\n", "path: empty\n")
    assert [problem.line for problem in organiser.problems()] == [11, 19, 20, 21]
    assert not Challenge.objects.exists()
    assert [path for path in (organiser.folder / "objects").rglob("*") if path.is_file()] == []


def test_the_same_files_give_the_same_zip_whenever_they_are_made(organiser: Organiser) -> None:
    organiser.run()
    before = set(Download.objects.values_list("sha256", flat=True))
    (organiser.folder / "kit" / "readme.md").write_text("Read me.")
    organiser.run()
    assert set(Download.objects.values_list("sha256", flat=True)) == before


# --- The command -------------------------------------------------------------------------------------------------


def test_the_command_says_what_it_did(organiser: Organiser) -> None:
    lines = organiser.command().splitlines()
    assert "created    challenge demo" in lines
    assert "created    reference s7/dev: version 1, 2 images" in lines
    assert lines[-1] == "6 created, 0 updated, 0 unchanged."


def test_the_command_says_when_nothing_changed(organiser: Organiser) -> None:
    organiser.command()
    assert organiser.command().splitlines()[-1] == "Nothing changed."


def test_checking_changes_nothing(organiser: Organiser) -> None:
    assert organiser.command("--check").endswith("challenge.yaml is right. Nothing was changed.\n")
    assert not Challenge.objects.exists()
    assert not (organiser.folder / "objects").exists()


def test_checking_finds_what_is_wrong_with_the_files(organiser: Organiser) -> None:
    (organiser.folder / "raw" / "6_2.npy").unlink()
    organiser.file.write_text(organiser.text)
    with pytest.raises(SpecError, match=r"challenge\.yaml:20:9: tracks\[0\]\.phases\[0\]\.reference: "):
        check_challenge(load_challenge_spec(organiser.file))


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_mistakes_are_printed_with_their_lines_and_the_exit_status_is_1(
    organiser: Organiser, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    organiser.replace("aim22-s7", "aim22-s8")
    organiser.replace("title: Demo", "titel: Demo")
    with pytest.raises(CommandError, match=r"3 mistakes\. Nothing was changed\.") as caught:
        organiser.command(*options)
    assert caught.value.returncode == 1
    lines = capsys.readouterr().err.splitlines()
    prefix = str(organiser.file)
    assert [line.split(": ")[0] for line in lines] == [f"{prefix}:1:1", f"{prefix}:2:1", f"{prefix}:7:5"]
    assert ": tracks[0].protocol: There is no protocol “aim22-s8”. Did you mean “aim22-s7”?" in lines[2]


def test_a_file_that_is_not_there(organiser: Organiser, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match=r"1 mistake\. Nothing was changed\."):
        call_command("create_challenge", str(organiser.folder / "missing.yaml"))
    assert "missing.yaml:1:1: The file cannot be read: No such file or directory." in capsys.readouterr().err


# --- Roles and the audit log ---


def test_each_list_of_people_gives_its_role(organiser: Organiser) -> None:
    ada, ben, cai = (factories.make_user(name) for name in ("ada", "ben", "cai"))
    organiser.text += "owners: [ada]\norganisers: [ben, ada]\nviewers: [cai]\n"

    organiser.run()

    assert roles(Challenge.objects.get()) == {ada: "owner", ben: "organiser", cai: "viewer"}


def test_an_account_that_is_not_there_is_named_in_any_list(organiser: Organiser) -> None:
    organiser.text += "owners: [nobody]\nviewers: [noone]\n"

    assert [problem.message for problem in organiser.problems()] == [
        "There is no account “nobody”.",
        "There is no account “noone”.",
    ]


def test_a_role_that_differs_from_the_file_stays(organiser: Organiser) -> None:
    ada, ben = factories.make_user("ada"), factories.make_user("ben")
    organiser.text += "organisers: [ada, ben]\n"
    organiser.run()
    organiser.replace("organisers: [ada, ben]", "owners: [ada]\nviewers: [ben]")

    notes = details(organiser.run(), "note")

    assert notes["viewer ben"] == "remains organiser: roles are changed by an owner"
    assert roles(Challenge.objects.get()) == {ada: "owner", ben: "organiser"}


def test_an_import_stands_in_the_audit_log(organiser: Organiser) -> None:
    organiser.run()
    created = set(AuditEntry.objects.filter(act="created").values_list("subject", flat=True))
    organiser.replace("2100-01-01 00:00", "2100-02-01 00:00")
    organiser.run()

    assert {"challenge demo", "track s7", "phase s7/dev", "download s7/Kit", "reference s7/dev"} <= created
    (entry,) = AuditEntry.objects.filter(act="changed")
    assert (entry.actor, entry.subject) == ("command line", "phase s7/dev")
    assert list(entry.before) == list(entry.after) == ["ends_at"]
    assert entry.before != entry.after


def test_the_audit_log_holds_no_manifest_and_no_key_of_the_storage(organiser: Organiser) -> None:
    organiser.run()
    told = {name for entry in AuditEntry.objects.all() for name in (*entry.before, *entry.after)}

    assert told
    assert not told & {"manifest_data", "storage_key", "protocol_data", "input_set"}
