"""Whether the statistics keep their word: ``python -m benchmarks.coverage_simulation --write``.

Data sets are drawn whose true means are known, tile by tile: photos differ, a team does better on some photos than on
others, and the tiles of a photo are alike. Then it is counted how often the intervals, the paired test and the rank
sets of :mod:`scoring.statistics` are right, beside the ways that come to mind first. The seed is fixed: the table is
the same every time.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr, stdtrit

from scoring.statistics import MeanIntervals, RankSets, mean_intervals, rank_sets, unit_scores
from scoring.statistics.signflip import halves

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
BEGIN, END = "<!-- what the simulation counted -->", "<!-- end -->"
ALPHA = 0.05
LEAST = 1 - ALPHA - 0.01
TILES = 48
RESAMPLES = 1000
DATA_SETS_AT_ONCE = 250

# In dB: how much photos differ, how much a photo suits one team more than another, and how much tiles differ.
PHOTO_DB, TEAM_PHOTO_DB, TILE_DB, TEAM_TILE_DB = 3.0, 0.4, 2.0, 0.6
# The true means of a board with ties and near ties, in dB.
BOARD_DB = np.array([31.6, 31.2, 31.2, 31.15, 31.1, 31.1, 31.05, 30.5, 30.48, 30.46, 29.0, 29.0])


@dataclass(frozen=True)
class Scenario:
    """How data sets are drawn; ``is_promised``: whether the statistics must hold there."""

    name: str
    photos: int
    shape: str = "normal"
    unequal: bool = False
    is_promised: bool = True

    def sizes(self) -> NDArray[np.int64]:
        """Return the tiles of each photo."""
        return np.linspace(8, TILES, self.photos).astype(int) if self.unequal else np.full(self.photos, TILES)

    def draw(self, generator: np.random.Generator, size: tuple[int, ...]) -> NDArray[np.float64]:
        """Return deviations with mean 0 and variance 1."""
        drawn: NDArray[np.float64]
        if self.shape == "heavy":
            drawn = generator.standard_t(5, size) / np.sqrt(5 / 3)
        elif self.shape == "skewed":
            drawn = (generator.gamma(4, 1, size) - 4) / 2
        else:
            drawn = generator.standard_normal(size)
        return drawn


SCENARIOS = [
    *(Scenario(f"{photos} photos", photos) for photos in (10, 15, 50)),
    *(Scenario(f"{photos} photos, heavy tails (t₅)", photos, shape="heavy") for photos in (10, 15, 50)),
    Scenario("10 photos of 8 to 48 tiles", 10, unequal=True),
    *(
        Scenario(f"{photos} photos, skewed (skewness 1)", photos, "skewed", is_promised=False)
        for photos in (10, 15, 50)
    ),
]


@dataclass(frozen=True)
class Row:
    """One way in one scenario: how often it was right, and how wide it was."""

    scenario: Scenario
    way: str
    rate: float
    width: float | None
    is_ours: bool


def groups_of(scenario: Scenario) -> list[str | None]:
    return [str(photo) for photo, size in enumerate(scenario.sizes()) for _ in range(size)]


def tiles_of(
    scenario: Scenario, generator: np.random.Generator, series: int, photo_db: float, tile_db: float
) -> NDArray[np.float64]:
    """Return series × tiles: a deviation for each photo, normal or not, and one for each of its tiles."""
    sizes = scenario.sizes()
    photos = photo_db * scenario.draw(generator, (series, scenario.photos))
    return photos.repeat(sizes, axis=1) + tile_db * generator.standard_normal((series, sizes.sum()))


# --- The ways that come to mind first ---------------------------------------------------------------------------------


def tile_t(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Student's interval as if every tile were independent."""
    count = values.shape[1]
    half = stdtrit(count - 1, 1 - ALPHA / 2) * values.std(axis=1, ddof=1) / np.sqrt(count)
    return values.mean(axis=1) - half, values.mean(axis=1) + half


def percentile_bootstrap(
    units: NDArray[np.float64], generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return percentiles of the means of photos drawn with replacement."""
    count = units.shape[1]
    weights = generator.multinomial(count, np.full(count, 1 / count), RESAMPLES) / count
    low, high = np.quantile(units @ weights.T, [ALPHA / 2, 1 - ALPHA / 2], axis=1)
    return low, high


# --- Counts -----------------------------------------------------------------------------------------------------------


def count_intervals(scenario: Scenario, generator: np.random.Generator, data_sets: int) -> list[Row]:
    """Count how often the interval of a team's mean holds it."""
    counts: dict[str, list[tuple[NDArray[np.bool_], NDArray[np.float64]]]] = {}
    for _ in range(data_sets // DATA_SETS_AT_ONCE):
        values = tiles_of(scenario, generator, DATA_SETS_AT_ONCE, PHOTO_DB, TILE_DB)
        photos = unit_scores(values, groups_of(scenario))
        units = photos.scores
        ours = mean_intervals(units, photos.sizes, alpha=ALPHA)
        assert isinstance(ours, MeanIntervals)
        for way, (low, high) in {
            "**sign flips of photos**": (ours.low, ours.high),
            "Student's t of photo means": tile_t(units),
            "percentile bootstrap of photos": percentile_bootstrap(units, generator),
            "Student's t of tiles": tile_t(values),
        }.items():
            counts.setdefault(way, []).append(((low <= 0) & (high >= 0), high - low))
    return [
        Row(
            scenario,
            way,
            float(np.mean([held for held, _ in found])),
            float(np.mean([width for _, width in found])),
            way.startswith("**"),
        )
        for way, found in counts.items()
    ]


def count_false_alarms(scenario: Scenario, generator: np.random.Generator, data_sets: int) -> list[Row]:
    """Count how often two teams with the same true mean are called different."""
    counts: dict[str, list[NDArray[np.bool_]]] = {}
    for _ in range(data_sets // DATA_SETS_AT_ONCE):
        first, second = (
            tiles_of(scenario, generator, DATA_SETS_AT_ONCE, TEAM_PHOTO_DB, TEAM_TILE_DB) for _ in range(2)
        )
        values = first - second
        photos = unit_scores(values, groups_of(scenario))
        units = photos.scores
        low, high = percentile_bootstrap(units, generator)
        count = values.shape[1]
        t = values.mean(axis=1) / values.std(axis=1, ddof=1) * np.sqrt(count)
        for way, alarms in {
            "**sign flips of photos**": halves(units, photos.sizes).p_value() <= ALPHA,
            "percentile bootstrap of photos": (low > 0) | (high < 0),
            "paired t-test of tiles": 2 * stdtr(count - 1, -np.abs(t)) <= ALPHA,
        }.items():
            counts.setdefault(way, []).append(alarms)
    return [Row(scenario, way, float(np.mean(found)), None, way.startswith("**")) for way, found in counts.items()]


def bootstrap_ranks(
    units: NDArray[np.float64], generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return percentiles of each team's rank among means of photos drawn with replacement."""
    count = units.shape[1]
    weights = generator.multinomial(count, np.full(count, 1 / count), RESAMPLES) / count
    ranks = (-(units @ weights.T)).argsort(axis=0).argsort(axis=0) + 1
    low, high = np.quantile(ranks, [ALPHA / 2, 1 - ALPHA / 2], axis=1)
    return low, high


def tile_ranks(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rank sets from a paired t-test of tiles for each pair, as if it were the only one."""
    covariance, means = np.cov(values), values.mean(axis=1)
    variance = np.diag(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0))
    np.fill_diagonal(spread, np.inf)
    t = (means[:, None] - means[None, :]) / spread * np.sqrt(values.shape[1])
    better = t > stdtrit(values.shape[1] - 1, 1 - ALPHA / 2)
    return 1 + better.sum(axis=0), len(values) - better.sum(axis=1)


def count_rank_sets(scenario: Scenario, generator: np.random.Generator, data_sets: int) -> list[Row]:
    """Count how often all teams' rank sets hold all their true ranks; equal teams have all ranks of their tie."""
    teams = len(BOARD_DB)
    first = 1 + (BOARD_DB[None, :] > BOARD_DB[:, None]).sum(axis=1)
    last = teams - (BOARD_DB[None, :] < BOARD_DB[:, None]).sum(axis=1)
    counts: dict[str, list[tuple[bool, float]]] = {}
    for _ in range(data_sets):
        values = BOARD_DB[:, None] + tiles_of(scenario, generator, teams, TEAM_PHOTO_DB, TEAM_TILE_DB)
        # The photos are the same for all teams.
        values += tiles_of(scenario, generator, 1, PHOTO_DB, TILE_DB)
        photos = unit_scores(values, groups_of(scenario))
        units = photos.scores
        ours = rank_sets(units, "desc", photos.sizes, alpha=ALPHA)
        assert isinstance(ours, RankSets)
        for way, (low, high) in {
            "**sign flips of photos, step-down max-t**": (ours.best, ours.worst),
            "bootstrap of ranks": bootstrap_ranks(units, generator),
            "paired t-tests of tiles": tile_ranks(values),
        }.items():
            held = bool((low <= first).all() and (last <= high).all())
            counts.setdefault(way, []).append((held, float(np.mean(high - low + 1))))
    return [
        Row(
            scenario,
            way,
            float(np.mean([held for held, _ in found])),
            float(np.mean([width for _, width in found])),
            way.startswith("**"),
        )
        for way, found in counts.items()
    ]


# --- The tables -------------------------------------------------------------------------------------------------------


def table(rows: list[Row], rate: str, width: str | None) -> str:
    """Return a line for each scenario and way."""
    lines = [
        f"| data | way | {rate} |" + (f" {width} |" if width else ""),
        "|---|---|---:|" + ("---:|" if width else ""),
    ]
    shown = ""
    for row in rows:
        name = "" if row.scenario.name == shown else row.scenario.name
        shown = row.scenario.name
        mark = "**" if row.is_ours else ""
        lines.append(
            f"| {name} | {row.way} | {mark}{row.rate:.1%}{mark} |"
            + (f" {row.width:.2f} |" if row.width is not None else "")
        )
    return "\n".join(lines)


def simulate(data_sets: int, boards: int, seed: int) -> tuple[str, list[str]]:
    """Return the tables, and where a promise was not kept."""
    intervals, alarms, ranks = [], [], []
    for number, scenario in enumerate(SCENARIOS):
        print(scenario.name, file=sys.stderr, flush=True)
        generator = np.random.default_rng((seed, number))
        intervals += count_intervals(scenario, generator, data_sets)
        alarms += count_false_alarms(scenario, generator, data_sets)
        ranks += count_rank_sets(scenario, generator, boards)
    rows = [*intervals, *((Row(row.scenario, row.way, 1 - row.rate, None, row.is_ours)) for row in alarms), *ranks]
    broken = [
        f"{row.scenario.name}: {row.way}: {row.rate:.1%}"
        for row in rows
        if row.is_ours and row.scenario.is_promised and row.rate < LEAST
    ]
    text = (
        f"`python -m benchmarks.coverage_simulation --write`: {data_sets:,} data sets for each line (standard error "
        f"{np.sqrt(ALPHA * (1 - ALPHA) / data_sets):.1%}), {boards:,} boards of {len(BOARD_DB)} teams for the ranks "
        f"({np.sqrt(ALPHA * (1 - ALPHA) / boards):.1%}), seed {seed}.\n\n"
        "### The interval of a team's mean\n\n"
        f"{table(intervals, 'holds the true mean', 'mean width, dB')}\n\n"
        "### Two teams with the same true mean\n\n"
        f"{table(alarms, 'called different', None)}\n\n"
        f"### The ranks of {len(BOARD_DB)} teams with ties and near ties\n\n"
        f"True means: {', '.join(f'{mean:g}' for mean in BOARD_DB)} dB.\n\n"
        f"{table(ranks, 'all true ranks held at once', 'mean ranks in a set')}"
    )
    return text, broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=4000, help="for intervals and tests (default: 4000)")
    parser.add_argument("--boards", type=int, default=1000, help="for rank sets (default: 1000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/statistics.md")
    options = parser.parse_args()
    text, broken = simulate(options.data_sets, options.boards, options.seed)
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
    else:
        print(text)
    for promise in broken:
        print(f"below {LEAST:.0%}: {promise}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
