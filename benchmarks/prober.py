"""How much a patient prober learns of a hidden reference: ``python -m benchmarks.prober --write``.

Counts the submissions that the strategies of `benchmarks.prober_strategies` need. The seed is fixed: the table is the
same every time.
"""

from __future__ import annotations

import argparse
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.prober_set import LEVELS, MOST_LEVEL, PROTOCOL, hidden_set, targets
from benchmarks.prober_strategies import GIVE_UP_AFTER, UNROUNDED, Prober, learn_by_order
from scoring.metrics.psnr import psnr
from scoring.metrics.ssim import ssim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PAGE = Path(__file__).parents[1] / "docs" / "organisers.md"
BEGIN, END = "<!-- what the prober needed -->", "<!-- end -->"
DECIMALS = {column.key: column.precision for column in PROTOCOL.columns}
QUOTA_PER_DAY, QUOTA_TOTAL = 5, 100
ACCOUNTS = (1, 5)
PROCESSES = 2


@dataclass(frozen=True)
class Row:
    """A target in sets of so many images, at a display: the submissions needed, None where the prober failed."""

    target: str
    images: int
    display: str
    needed: tuple[int | None, ...]

    def quantile(self, share: float) -> int | None:
        """Return the number that suffices for this share of the runs."""
        ordered = sorted(GIVE_UP_AFTER + 1 if needed is None else needed for needed in self.needed)
        value = ordered[math.ceil(share * len(ordered)) - 1]
        return None if value > GIVE_UP_AFTER else value

    def line(self) -> str:
        """Return the row of the table."""
        median, most = self.quantile(0.5), self.quantile(0.9)
        counts = [f"over {GIVE_UP_AFTER}" if count is None else str(count) for count in (median, most)]
        days = ["–" if median is None else str(days_for(median, accounts)) for accounts in ACCOUNTS]
        in_all = "–" if median is None else str(QUOTA_TOTAL // median)
        return f"| {' | '.join([self.target, str(self.images), self.display, *counts, *days, in_all])} |"


def days_for(submissions: int, accounts: int) -> int:
    """Return the days in which so many accounts may send so many submissions, within the quota of a day."""
    return math.ceil(submissions / (QUOTA_PER_DAY * accounts))


HEADER = (
    "| learnt | images | display | submissions, median | 90 % of runs | "
    f"{' | '.join(f'days, accounts: {count}' for count in ACCOUNTS)} | "
    "such values within one account's quota |",
    f"|---|---:|---|---:|---:|{'---:|' * len(ACCOUNTS)}---:|",
)


def displays() -> dict[str, int | None]:
    """Return the decimals of PSNR for each display; None: the order of the board, as it was."""
    psnr_decimals, ssim_decimals = DECIMALS["psnr"], DECIMALS["ssim"]
    return {
        f"{psnr_decimals} and {ssim_decimals} decimals": psnr_decimals,
        f"{psnr_decimals - 1} and {ssim_decimals - 1} decimals": psnr_decimals - 1,
        "unrounded": UNROUNDED,
        "before: order by unrounded scores": None,
    }


def needed(seed: int, images: int, which: int, decimals: int | None) -> int | None:
    """Return how many submissions one prober needed; None where he gave up or was wrong."""
    hidden, target = hidden_set(seed, images), targets(seed)[which]
    found = learn_by_order(hidden, target) if decimals is None else Prober(hidden, target, decimals, seed).learn()
    truth = hidden.mean(target)
    is_right = found is not None and abs(found - truth) <= target.tolerance(truth)
    return hidden.submissions if is_right else None


def rows(runs: int, sizes: Sequence[int], say: Callable[[str], None] = print) -> Iterator[Row]:
    """Yield every row of the table."""
    cases = [(*one, images) for one in enumerate(targets(0)) for images in sizes]
    with ProcessPoolExecutor(PROCESSES) as pool:
        for which, target, images in cases:
            for display, decimals in displays().items():
                one = partial(needed, images=images, which=which, decimals=decimals)
                row = Row(target.name, images, display, tuple(pool.map(one, range(runs))))
                say(row.line())
                yield row


def steps_of_display(seed: int, images: int, which: int) -> tuple[float, float]:
    """Return by how many steps of the display PSNR and SSIM move when the region goes from black to white."""
    hidden, target = hidden_set(seed, images), targets(seed)[which]
    scores = []
    for level in (0, MOST_LEVEL):
        probe = hidden.prediction.copy()
        probe[target.regions[0]] = level
        scores.append([metric(hidden.reference, probe, data_range=LEVELS) for metric in (psnr, ssim)])
    (psnr_a, ssim_a), (psnr_b, ssim_b) = scores
    return (
        abs(psnr_a - psnr_b) / images * 10 ** DECIMALS["psnr"],
        abs(ssim_a - ssim_b) / images * 10 ** DECIMALS["ssim"],
    )


def table(runs: int, sizes: Sequence[int], say: Callable[[str], None] = print) -> str:
    """Return the table with a sentence on how it was made."""
    lines = [row.line() for row in rows(runs, sizes, say)]
    moved = [np.median([steps_of_display(seed, sizes[0], which) for seed in range(runs)], axis=0) for which in (0, 1)]
    about = (
        f"`python -m benchmarks.prober --write`: {runs} runs a row on synthetic references of {PROTOCOL.name}'s size, "
        f"a quota of {QUOTA_PER_DAY} a day and {QUOTA_TOTAL} in all; “over {GIVE_UP_AFTER}”: the "
        f"prober gave up or was wrong. In {sizes[0]} images, from black to white, a channel moves the shown PSNR by "
        f"{moved[0][0]:.0f} steps and the SSIM by {moved[0][1]:.0f}, "
        f"a block by {moved[1][0]:.1f} and {moved[1][1]:.1f}: the prober reads PSNR alone."
    )
    return "\n".join([about, "", *HEADER, *lines])


def main() -> int:
    """Print the table, and write it into the page when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--images", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--write", action="store_true", help=f"put the table into docs/{PAGE.name}")
    options = parser.parse_args()
    text = table(options.runs, options.images)
    print(f"\n{text}")
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
