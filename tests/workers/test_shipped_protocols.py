"""Every shipped protocol on the site: from the organiser's files and a submission to the board and its columns."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

import scoring
from bayerboard.challenges.grants import give_role
from bayerboard.challenges.models import Challenge, InputSet, Phase, ReferenceSet
from bayerboard.evaluations.models import Status
from bayerboard.leaderboards.board import board_page
from bayerboard.lib.storage import object_store
from bayerboard.teams.models import Membership
from scoring.protocol import available_protocols, load_protocol
from scoring.shown import shown_text
from tests import factories
from tests.site.pages import Page
from tests.tracks import LEVEL, README, RECIPES, Organiser, Recipe, write_files
from workers.score import score_next

if TYPE_CHECKING:
    from bayerboard.submissions.models import Submission

pytestmark = pytest.mark.django_db
PUBLISHED = "        image_results: published\n"
EVERY = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


def compete(organiser: Organiser, **teams: tuple[int, str]) -> dict[str, Submission]:
    """Send one submission for each team, of so many levels and with this readme, and score them all."""
    organiser.create_challenge()
    challenge = Challenge.objects.get()
    sent = {
        name: organiser.submit(factories.make_team(challenge, name), levels, readme)
        for name, (levels, readme) in teams.items()
    }
    for _ in sent:
        score_next()
    assert {submission.evaluation.status for submission in sent.values()} == {Status.SCORED}
    return sent


def board(**options: bool) -> list[tuple[int | None, str, list[str]]]:
    rows = board_page(Phase.objects.get(), AnonymousUser(), **options).rows
    return [(row.rank, row.team, [cell.text for cell in row.cells]) for row in rows]


def names_in(key: str) -> list[str]:
    with object_store().open(key) as stream, zipfile.ZipFile(stream) as archive:
        return archive.namelist()


def test_no_protocol_is_forgotten() -> None:
    assert set(RECIPES) == set(available_protocols())


@EVERY
def test_from_the_files_to_the_board(tmp_path: Path, recipe: Recipe) -> None:
    sent = compete(Organiser(tmp_path, recipe, more=PUBLISHED), Far=(20, README), Near=(3, README))

    page = Page(Client().get(Phase.objects.get().get_absolute_url()))

    columns = load_protocol(recipe.protocol).columns
    metrics = sent["Near"].evaluation.metrics
    shown = [shown_text(metrics[column.key], column.precision) for column in columns]
    assert [row[:2] for row in board()] == [(1, "Near"), (2, "Far")]
    assert board()[0][2] == shown
    assert all(column.label in page.text for column in columns)
    assert " ".join(shown) in page.text.replace(" (best)", "")


@pytest.mark.parametrize("name", sorted(RECIPES.keys() - {"ntire26-unpaired-isp"}))
def test_psnr_is_what_one_can_say_by_heart(tmp_path: Path, name: str) -> None:
    """Predictions that are off by two levels everywhere; JPEG, which changes them, is left out."""
    sent = compete(Organiser(tmp_path, RECIPES[name]), Near=(2, README))

    protocol = load_protocol(name)
    scale = LEVEL if protocol.level_scale is None else protocol.level_scale
    assert sent["Near"].evaluation.metrics["psnr"] == pytest.approx(20 * np.log10(scale / 2), abs=1e-6)


@EVERY
def test_a_second_import_changes_nothing(tmp_path: Path, recipe: Recipe) -> None:
    organiser = Organiser(tmp_path, recipe)
    organiser.create_challenge()
    keys = ReferenceSet.objects.values_list("storage_key", "manifest_sha256").get()

    report = organiser.create_challenge()

    assert not report.is_change
    assert ReferenceSet.objects.values_list("storage_key", "manifest_sha256").get() == keys


@EVERY
def test_the_public_manifest_says_names_types_and_shapes_alone(tmp_path: Path, recipe: Recipe) -> None:
    Organiser(tmp_path, recipe).create_challenge()

    data = Phase.objects.get().manifest_data

    assert {key for file in data["files"] for key in file} <= {"name", "shape", "dtype", "container"}
    assert [tuple(file["shape"]) for file in data["files"]] == [
        image.shape for _, image in sorted(recipe.truth().items())
    ]


@EVERY
def test_inputs_are_stored_as_they_came(tmp_path: Path, recipe: Recipe) -> None:
    Organiser(tmp_path, recipe).create_challenge()

    stored = InputSet.objects.get()

    assert stored.names == recipe.names
    with object_store().open(stored.storage_key) as stream, zipfile.ZipFile(stream) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == recipe.inputs()


def test_the_private_manifest_has_subsets_and_levels(tmp_path: Path) -> None:
    Organiser(tmp_path, RECIPES["ntire25-raw-restoration"]).create_challenge()

    told = [item["subset"] for item in ReferenceSet.objects.get().manifest_data]
    assert told == ["noise", "blur", "joint"]
    assert names_in(ReferenceSet.objects.get().storage_key)[-1] == "subsets.json"


def test_the_private_manifest_has_the_level_of_each_file(tmp_path: Path) -> None:
    Organiser(tmp_path, RECIPES["ntire24-raw-sr"]).create_challenge()

    assert [item["max_val"] for item in ReferenceSet.objects.get().manifest_data] == [LEVEL, LEVEL]


def test_a_zip_of_references_gives_the_same_bytes_as_their_folder(tmp_path: Path) -> None:
    organiser = Organiser(tmp_path, RECIPES["ntire24-raw-sr"])
    organiser.create_challenge()
    with zipfile.ZipFile(tmp_path / "reference.zip", "w") as archive:
        for path in (tmp_path / "reference").iterdir():
            archive.write(path, f"folder/{path.name}")
    text = (tmp_path / "challenge.yaml").read_text()
    (tmp_path / "challenge.yaml").write_text(text.replace("reference: reference", "reference: reference.zip"))

    assert not organiser.create_challenge().is_change


# --- Shapes that the protocol leaves open ---


def test_sizes_without_a_rule_stay_open(tmp_path: Path) -> None:
    recipe = RECIPES["ntire26-unpaired-isp"]
    organiser = Organiser(tmp_path, recipe)
    write_files(tmp_path / "inputs", replace(recipe, sizes=((32, 48), (16, 16))).inputs())
    organiser.create_challenge()

    assert {file.shape for file in Phase.objects.get().manifest.files} == {(0, 0, 3)}


# --- Who sees subsets ---


def test_values_of_subsets_stay_with_the_organisers_until_they_are_published(tmp_path: Path) -> None:
    sent = compete(Organiser(tmp_path, RECIPES["ntire25-raw-restoration"]), Near=(2, README))["Near"]
    member, organiser = factories.make_user(), factories.make_user()
    Membership.objects.create(challenge=Challenge.objects.get(), team=sent.entry.team, user=member, terms_sha256="")
    give_role(Challenge.objects.get(), organiser, "organiser", by=None)

    def sees(user: Any) -> set[bool]:
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        pages = [Phase.objects.get().get_absolute_url(), sent.get_absolute_url(), "/submissions/"]
        return {"PSNR, noise" in Page(client.get(address)).text for address in pages[: 2 + (user == member)]}

    assert sees(member) == {False}
    assert sees(organiser) == {True}


# --- What a readme does not declare ---


def test_a_formula_without_its_runtime_is_a_dash_and_does_not_decide_the_rank(tmp_path: Path) -> None:
    silent = README.replace("runtime per frame [s] : 0.5\n", "")
    recipe = RECIPES["mai22-learned-isp"]

    sent = compete(Organiser(tmp_path, recipe), Silent=(1, silent), Slow=(9, README))

    assert [(rank, team, cells[2] == "–") for rank, team, cells in board()] == [
        (1, "Silent", True),
        (2, "Slow", False),
    ]
    assert [warning["code"] for warning in sent["Silent"].evaluation.warnings] == [
        "readme-incomplete",
        "operand-undeclared",
    ]


def test_a_declared_runtime_moves_the_score_of_the_formula_and_no_rank(tmp_path: Path) -> None:
    fast = README.replace("[s] : 0.5", "[s] : 0.25")
    sent = compete(Organiser(tmp_path, RECIPES["mai22-learned-isp"]), Fast=(2, fast), Slow=(2, README))

    scores = {name: submission.evaluation.metrics["score"] for name, submission in sent.items()}

    assert scores["Fast"] == pytest.approx(2 * scores["Slow"])
    assert [row[:2] for row in board()] == [(1, "Fast"), (1, "Slow")]


# --- Limits ---


def write_efficient(folder: Path) -> str:
    """Write the protocol of a track for small models, as its file's own comment says."""
    text = (Path(scoring.__file__).parent / "protocols" / "ntire24-raw-sr.toml").read_text()
    text = text.replace('name = "ntire24-raw-sr"', 'name = "efficient"\nmax_parameters = 200_000')
    (folder / "efficient.toml").write_text(text)
    return "efficient.toml"


LARGE = README.replace("0.19", "1.94")
NO_SIZE = README.replace("Parameters [M] : 0.19\n", "")


@pytest.fixture
def efficient(tmp_path: Path) -> dict[str, Submission]:
    organiser = Organiser(tmp_path, RECIPES["ntire24-raw-sr"], protocol=write_efficient(tmp_path))
    return compete(organiser, Large=(2, LARGE), Silent=(4, NO_SIZE), Small=(8, README), Tiny=(16, README))


def test_whether_it_keeps_within_the_limits_is_stored(efficient: dict[str, Submission]) -> None:
    eligible = {name: submission.evaluation.eligible for name, submission in efficient.items()}

    assert eligible == {"Large": False, "Silent": False, "Small": True, "Tiny": True}


def test_the_whole_board_marks_what_is_over_the_limit(efficient: dict[str, Submission]) -> None:
    page = Page(Client().get(Phase.objects.get().get_absolute_url()))

    assert [row[:2] for row in board()] == [(1, "Large"), (2, "Silent"), (3, "Small"), (4, "Tiny")]
    assert page.text.count("over the limit") == 2
    assert "1.94 M" in page.text


def test_the_board_within_the_limits_has_ranks_of_its_own(efficient: dict[str, Submission]) -> None:
    page = Page(Client().get(f"{Phase.objects.get().get_absolute_url()}?eligible=1"))

    assert [row[:2] for row in board(eligible_only=True)] == [(1, "Small"), (2, "Tiny")]
    assert "Large" not in page.text
    assert "Silent" not in page.text


def test_a_team_stands_there_with_its_best_within_the_limits(efficient: dict[str, Submission], tmp_path: Path) -> None:
    organiser = Organiser(tmp_path, RECIPES["ntire24-raw-sr"], protocol="efficient.toml")
    organiser.submit(efficient["Large"].entry.team, 5, README)
    score_next()

    assert [row[:2] for row in board(eligible_only=True)] == [(1, "Large"), (2, "Small"), (3, "Tiny")]
    assert board()[0][:2] == (1, "Large")


def test_a_track_without_limits_has_one_board(tmp_path: Path) -> None:
    compete(Organiser(tmp_path, RECIPES["ntire24-raw-sr"]), Large=(2, LARGE))

    page = Page(Client().get(f"{Phase.objects.get().get_absolute_url()}?eligible=1"))

    assert "Large" in page.text
    assert "over the limit" not in page.text
    assert "Within the limits" not in page.text


def test_the_page_of_a_submission_says_what_was_declared(efficient: dict[str, Submission]) -> None:
    organiser = factories.make_user()
    give_role(Challenge.objects.get(), organiser, "organiser", by=None)
    client = Client()
    client.force_login(organiser, "django.contrib.auth.backends.ModelBackend")

    large, small = (Page(client.get(efficient[name].get_absolute_url())).text for name in ("Large", "Small"))

    assert "Parameters 1.94 M" in large
    assert "over the limit" in large
    assert "MACs 12.5 G" in small
    assert "over the limit" not in small
