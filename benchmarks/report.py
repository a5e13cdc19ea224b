"""Writes docs/benchmarks.md: ``python -m benchmarks.report``, or ``make benchmarks``."""

from __future__ import annotations

import argparse
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from benchmarks import scoring_cache, scoring_inflate, scoring_pair, scoring_set

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOCS = Path(__file__).resolve().parent.parent / "docs"
# Title, text, the command that measures it alone, and its function.
Section: TypeAlias = "tuple[str, str, str, Callable[[], str]]"
LIBRARIES = ("numpy", "numba", "scipy", "scikit-image", "isal")

SECTIONS: Sequence[Section] = (
    (
        "One pair",
        "PSNR and SSIM, each way in processes of its own, bound to one core, in turns; medians. The loops are compiled "
        "for this machine beforehand. They work in float32 tile by tile as long as a bound, computed in the same pass, "
        "proves that the mean SSIM stays within 7.5e-7 of the exact one, and in float64 where it does not "
        "(`scoring/metrics/kernel.py` derives the bound). The formula is there twice: as a script runs it, where its "
        "temporary arrays may have the C library return memory to the system and fetch it again page by page (up to "
        "half of its time, depending on the image's size), and with an allocator that was told to keep memory.",
        "python -m benchmarks.scoring_pair",
        scoring_pair.report,
    ),
    (
        "A whole test set",
        "From the zip to the report as a process, start-up included, in turns with a plain script that does it the "
        "organisers' way (`benchmarks/organisers.py`, which uses one core whatever it is given); medians. Where other "
        "programs run on the machine, processor times tell more than wall times.",
        "python -m benchmarks.scoring_set",
        scoring_set.report,
    ),
    (
        "Memory",
        "The largest resident size of `python -m scoring score`, on two cores.",
        "python -m benchmarks.scoring_set",
        scoring_set.memory,
    ),
    (
        "Many submissions against one reference set",
        "What `scoring.cache` saves is inflating and decoding the references; of a folder of `.npy` files there is "
        "nothing to save.",
        "python -m benchmarks.scoring_cache",
        scoring_cache.report,
    ),
    (
        "Inflaters",
        "Predictions packed as `zip -6` does, one core. Bayerboard uses isal: it inflates bit by bit and stops at the "
        "announced size, where libdeflate wants a whole file at once.",
        "python -m benchmarks.scoring_inflate",
        scoring_inflate.report,
    ),
)


def machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    cores = len(os.sched_getaffinity(0))
    return (
        f"{processor()}, {cores} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"{libraries}"
    )


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def write_page(target: Path, command: str, sections: Sequence[Section]) -> None:
    """Measure section by section, those that are named on the command line or all, and write them into the page.

    A section is named by the last word of its command. Each is written at once: a later failure costs none.
    """
    names = {measured_by.rpartition(".")[2] for _, _, measured_by, _ in sections}
    parser = argparse.ArgumentParser(description=f"Measure, and write {target.name}.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"only these of {', '.join(sorted(names))}")
    chosen = parser.parse_args().sections
    if not names.issuperset(chosen):
        parser.error(f"no section {', '.join(sorted({*chosen} - names))}")
    for title, text, measured_by, report in sections:
        if not chosen or measured_by.rpartition(".")[2] in chosen:
            print(f"{title} …", flush=True)
            load = os.getloadavg()[0]
            on = f"`{measured_by}` on {datetime.now(UTC):%Y-%m-%d}; load of the machine when it began: {load:.1f}."
            measured = f"{text}\n\n{on}\n\n{report()}"
            blocks = {**blocks_of(target), title: measured}
            by = f"Written by `{command}`; no figure is typed by hand. On {machine()}."
            head = f"# {target.stem.capitalize()}\n\n{by}"
            ordered = [f"## {one}\n\n{blocks[one]}" for one, *_ in sections if one in blocks]
            target.write_text("\n\n".join([head, *ordered]) + "\n", "utf-8")
    print(f"Wrote {target}.")


def blocks_of(page: Path) -> dict[str, str]:
    """Return the sections of a page, by their titles."""
    if not page.exists():
        return {}
    _, *blocks = page.read_text("utf-8").split("\n## ")
    parts = [block.partition("\n") for block in blocks]
    return {title: text.strip() for title, _, text in parts}


if __name__ == "__main__":
    write_page(DOCS / "benchmarks.md", "make benchmarks", SECTIONS)
