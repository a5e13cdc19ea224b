"""Real input through the whole of Bayerboard: web upload, worker, leaderboard; and every number read a second way.

A challenge has two tracks, and each of them three phases: the real RGB tiles with references of the camera
model, the golden pairs, and a real RAW frame. It has an organiser, who reads all, and participants; once
all is scored, it is a draft that nobody but the organiser sees.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from bayerboard.demo.participant import RequestFailed
from tests.acceptance.real_input import (
    IS_HERE,
    MOSAIC,
    PEOPLE,
    TRACKS,
    TWIN,
    TWIN_OF,
    Golden,
    frame_phase,
    golden,
    read_zip,
    tiles_phase,
    write_tile_archives,
)
from tests.e2e.challenge import PhaseData, write_challenge
from tests.e2e.oracle import mean_scores, score_images
from tests.e2e.pages import board_of, rows_of, text_of
from tests.e2e.running import Bayerboard, running
from tests.e2e.visitor import Visitor
from tests.factories import write_zip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not IS_HERE, reason="the real input is not here: no ../shared beside the project"),
]

CHALLENGE = "private"
TOLERANCE = 1e-6
BASELINE = "baseline"
# The order of each track's columns: the page of the challenge says that SSIM is the second's standard.
COLUMNS = {"s7": ("psnr", "ssim"), "p20": ("ssim", "psnr")}
DECIMALS = {"psnr": 2, "ssim": 4}
ORGANISER = "organiser"

Scores = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Sent:
    """A submission, and the numbers that it must have."""

    phase: PhaseData
    archive: Path
    number: int

    @cached_property
    def images(self) -> Scores:
        return score_images(self.phase.references, read_zip(self.archive))

    @cached_property
    def means(self) -> dict[str, float]:
        return mean_scores(self.images)


class Trial:
    """The private challenge, and everything that was sent to it."""

    def __init__(self, site: Bayerboard, folder: Path) -> None:
        self.site = site
        # Apart from the participants: who runs a challenge sends trials alone, which no board shows.
        self.organiser = Visitor(site.url, ORGANISER)
        self.people = {name: Visitor(site.url, name) for name in PEOPLE}
        self.tiles = {track: tiles_phase(track) for track in TRACKS}
        self.frames = {track: frame_phase(track) for track in TRACKS}
        self.golden: dict[str, Golden] = {track: golden(track) for track in TRACKS}
        phases = [*self.tiles.values(), *self.frames.values(), *(item.phase for item in self.golden.values())]
        file = write_challenge(folder, CHALLENGE, phases, listed=True, organisers=[ORGANISER])
        created = site.manage("create_challenge", str(file))
        assert created.returncode == 0, created.stderr
        for name, person in self.people.items():
            person.join(CHALLENGE, name)
        self.sent: dict[tuple[str, str, str], Sent] = {}
        for track in TRACKS:
            self._send(track, folder)
        for item in self.sent.values():
            ended = site.wait_for_end(item.number)
            assert ended["status"] == "scored", ended["errors"] or ended["failure"]
        # A draft from now on, as an organiser takes a challenge back.
        write_challenge(folder, CHALLENGE, phases, listed=False, organisers=[ORGANISER])
        taken_back = site.manage("create_challenge", str(file))
        assert taken_back.returncode == 0, taken_back.stderr

    def _send(self, track: str, folder: Path) -> None:
        for name, archive in write_tile_archives(self.tiles[track], folder).items():
            self._submit(self.tiles[track], name, archive)
        pairs = self.golden[track]
        self._submit(pairs.phase, PEOPLE[0], write_zip(folder / f"golden-{track}.zip", pairs.submission))
        self._submit(self.frames[track], PEOPLE[0], self.frames[track].zip(folder / f"frame-{track}.zip", 8))

    def _submit(self, phase: PhaseData, name: str, archive: Path) -> None:
        number = self.people[name].submit(phase.path(CHALLENGE), archive, f"{name}'s method")
        self.sent[phase.track, phase.slug, name] = Sent(phase, archive, number)

    def of_tiles(self, track: str) -> dict[str, Sent]:
        return {name: item for (of, slug, name), item in self.sent.items() if (of, slug) == (track, "tiles")}

    def stored(self, number: int) -> tuple[dict[str, float], Scores]:
        """Return the stored means, and the stored scores of every image, unrounded."""
        evaluation = self.site.evaluation(number)
        (row,) = self.site.rows("SELECT * FROM evaluations_imagescores WHERE evaluation_id = ?", evaluation["id"])
        names, values = json.loads(row["names"]), json.loads(row["values"])
        images = {name: {key: values[key][place] for key in values} for place, name in enumerate(names)}
        return json.loads(evaluation["metrics"]), images

    def get(self, path: str) -> str:
        """Return a page as an organiser sees it."""
        return self.organiser.get(path)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("private")
    with running(folder / "data") as site:
        yield Trial(site, folder)


@pytest.fixture
def site(trial: Trial) -> Bayerboard:
    """Give the site by itself, whose logs are shown when a check fails."""
    return trial.site


def assert_same(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Compare scores, by metric, to within the tolerance that is promised."""
    assert found == pytest.approx(expected, rel=0, abs=TOLERANCE)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("track", TRACKS)
def test_the_scores_of_the_tiles_are_those_of_the_formulas(trial: Trial, track: str) -> None:
    for item in trial.of_tiles(track).values():
        means, images = trial.stored(item.number)
        assert list(images) == sorted(images, key=lambda name: [int(part) for part in name.split("_")])
        assert set(images) == set(item.images)
        for name, scores in item.images.items():
            assert_same(images[name], scores)
        assert_same(means, item.means)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("track", TRACKS)
def test_the_page_of_a_submission_shows_them(trial: Trial, track: str) -> None:
    item = trial.sent[track, "tiles", PEOPLE[0]]
    page = trial.get(f"/submissions/{item.number}/")
    for key, value in item.means.items():
        assert f"{value:.{DECIMALS[key]}f}" in text_of(page)
    shown = {row[0]: row[1:] for row in rows_of(page)}
    for name, scores in item.images.items():
        assert shown[name] == [f"{scores[key]:.{DECIMALS[key]}f}" for key in COLUMNS[track]]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("track", TRACKS)
def test_the_board_is_in_the_order_of_the_track(trial: Trial, track: str) -> None:
    means = {name: item.means for name, item in trial.of_tiles(track).items()}
    order = sorted(means, key=lambda name: [-means[name][key] for key in COLUMNS[track]])
    ranks = {name: 1 + sum(is_better(means[other], means[name], track) for other in means) for name in order}
    assert ranks[TWIN] == ranks[TWIN_OF]
    board = board_of(trial.get(f"/challenges/{trial.tiles[track].path(CHALLENGE)}/"))
    found = {team.split()[0]: rank for rank, team in board}
    assert found == {name: str(rank) for name, rank in ranks.items()}
    twins = {TWIN, TWIN_OF}
    assert [name for name in found if name not in twins] == [name for name in order if name not in twins]
    assert abs(list(found).index(TWIN) - list(found).index(TWIN_OF)) == 1


def is_better(one: dict[str, float], other: dict[str, float], track: str) -> bool:
    """Compare two teams by the track's columns in turn, as they are shown: the references are hidden."""
    for key in COLUMNS[track]:
        ours, theirs = round(one[key], DECIMALS[key]), round(other[key], DECIMALS[key])
        if ours != theirs:
            return ours > theirs
    return False


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("track", TRACKS)
def test_the_golden_pairs_score_as_the_organisers_scored_them(trial: Trial, track: str) -> None:
    means, images = trial.stored(trial.sent[track, "golden", PEOPLE[0]].number)
    pairs = trial.golden[track]
    assert len(pairs.expected) == 10
    assert set(images) == set(pairs.expected)
    for name, scores in pairs.expected.items():
        assert_same(images[name], scores)
    assert_same(means, mean_scores(pairs.expected))


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("track", TRACKS)
def test_a_real_raw_frame_scores_by_the_formulas(trial: Trial, track: str) -> None:
    item = trial.sent[track, "frame", PEOPLE[0]]
    means, images = trial.stored(item.number)
    assert len(images) == 4
    for name, scores in item.images.items():
        assert_same(images[name], scores)
    assert_same(means, item.means)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("track", TRACKS)
def test_the_workers_run_the_mosaic_as_the_command_line_does(trial: Trial, track: str) -> None:
    path = trial.tiles[track].path(CHALLENGE)
    done = trial.site.manage("run_baseline", MOSAIC, path)
    assert done.returncode == 0, done.stderr
    newest = trial.site.rows("SELECT MAX(id) AS id FROM submissions_submission")[0]["id"]
    assert trial.stored(newest) == trial.stored(trial.sent[track, "tiles", MOSAIC].number)
    assert [rank for rank, team in board_of(trial.get(f"/challenges/{path}/")) if BASELINE in team] == ["–"]


@pytest.mark.usefixtures("site")
def test_the_archives_were_stored_byte_for_byte(trial: Trial) -> None:
    for item in trial.sent.values():
        (row,) = trial.site.rows("SELECT * FROM submissions_submission WHERE id = ?", item.number)
        assert row["archive_sha256"] == hashlib.sha256(item.archive.read_bytes()).hexdigest()


@pytest.mark.usefixtures("site")
def test_nobody_else_sees_the_private_challenge(trial: Trial) -> None:
    stranger = Visitor(trial.site.url, "stranger")
    path = trial.tiles["s7"].path(CHALLENGE)
    number = trial.sent["s7", "tiles", PEOPLE[0]].number
    for page in (
        f"challenges/{CHALLENGE}/",
        f"challenges/{path}/",
        f"challenges/{path}/inputs.zip",
        f"submissions/{number}/",
    ):
        with pytest.raises(RequestFailed, match="answered 404"):
            stranger.get(f"/{page}")
    with urlopen(trial.site.url) as home:
        assert CHALLENGE.title() not in home.read().decode()
