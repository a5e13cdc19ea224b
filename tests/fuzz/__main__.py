"""Fuzz every target for so many inputs, and say what was found: ``make fuzz RUNS=… TARGETS=…``."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import platform
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import scoring
from tests.fuzz.targets import MEMORY_BYTES, MEMORY_BYTES_PER_BYTE, SECONDS, SECONDS_PER_BYTE, TARGETS, Target

ROOT = Path(__file__).parents[2]
FINDINGS = ROOT / "build" / "fuzz"
PAGE = ROOT / "docs" / "fuzzing.md"
BEGIN, END = "<!-- what make fuzz found -->", "<!-- end -->"
# What libFuzzer itself holds a process to; the bounds of one input are the target's own.
SECONDS_PER_INPUT = 60
MEMORY_MIB = 1024


@dataclass(frozen=True)
class Result:
    """What came of one target."""

    target: Target
    inputs: int
    seconds: float
    peak_mib: int
    finding: str | None


def fuzz(target: Target, runs: int, seed: int) -> Result:
    """Run one target in a process of its own."""
    FINDINGS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(target.seeds()):
            (Path(corpus) / f"seed-{number}").write_bytes(data)
        command = [sys.executable, "-m", "tests.fuzz.one", target.name]
        command += [f"-runs={runs}", f"-seed={seed}", f"-max_len={target.max_bytes}", "-print_final_stats=1"]
        command += [f"-timeout={SECONDS_PER_INPUT}", f"-rss_limit_mb={MEMORY_MIB}"]
        command += [f"-artifact_prefix={FINDINGS}/{target.name}-", corpus]
        started = datetime.datetime.now(datetime.UTC)
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    output = (ended.stdout + ended.stderr).decode(errors="replace")
    (FINDINGS / f"{target.name}.log").write_text(output)
    return Result(
        target=target,
        inputs=int(_stat(output, r"stat::number_of_executed_units:\s+(\d+)")),
        seconds=(datetime.datetime.now(datetime.UTC) - started).total_seconds(),
        peak_mib=int(_stat(output, r"stat::peak_rss_mb:\s+(\d+)")),
        finding=_finding(output, ended.returncode),
    )


def _stat(output: str, pattern: str) -> str:
    found = re.search(pattern, output)
    return found[1] if found else "0"


def _finding(output: str, status: int) -> str | None:
    """Return the reason why the fuzzer stopped before its last input; None if it did not."""
    if status == 0:
        return None
    exception = re.search(r"=== Uncaught Python exception: ===\n(.+)", output)
    error = re.search(r"ERROR: (libFuzzer: .+)", output)
    kept = re.search(r"Test unit written to (\S+)", output)
    what = (exception or error or re.search(r"(.+)\s*$", output) or ["", f"status {status}"])[1]
    return f"{what.strip()}" + (f" ({Path(kept[1]).relative_to(ROOT)})" if kept else "")


def show(results: list[Result]) -> str:
    """Return a Markdown table, which is as well read on a terminal."""
    lines = ["| target | inputs | time | peak memory | found |", "|---|---:|---:|---:|---|"]
    for result in results:
        name = f"{result.target.name}: {result.target.what}"
        lines.append(
            f"| {name} | {result.inputs:,} | {result.seconds:.0f} s | {result.peak_mib} MiB "
            f"| {result.finding or 'nothing'} |"
        )
    inputs, seconds = sum(result.inputs for result in results), sum(result.seconds for result in results)
    findings = sum(result.finding is not None for result in results)
    lines.append(f"| **all** | **{inputs:,}** | {seconds:.0f} s | | {findings or 'nothing'} |")
    return "\n".join(lines)


def record(results: list[Result], options: argparse.Namespace) -> None:
    """Put the result into the documentation."""
    command = f"make fuzz RUNS={options.runs} SEED={options.seed}"
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("atheris", "numpy", "pillow"))
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    about = (
        f"`{command}` on {today}: Bayerboard {scoring.__version__} (scorer version {scoring.SCORER_VERSION}), "
        f"Python {platform.python_version()}, {versions}, {platform.system()} {platform.machine()}. "
        f"Bounds of one input: {SECONDS:g} s and {SECONDS_PER_BYTE * 1e6:g} µs for each byte of processor time, "
        f"{MEMORY_BYTES >> 20} MiB and {MEMORY_BYTES_PER_BYTE} bytes for each byte of memory."
    )
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{about}\n\n{show(results)}\n\n{END}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=25_000, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=1, help="of the fuzzer's random generator")
    parser.add_argument("--record", action="store_true", help=f"write the result into {PAGE.relative_to(ROOT)}")
    parser.add_argument("target", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all by default")
    options = parser.parse_args()
    unknown = set(options.target) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {shlex.join(unknown)}")
    results = []
    for name in options.target or TARGETS:
        print(f"{name}: {options.runs:,} inputs …", file=sys.stderr, flush=True)
        results.append(fuzz(TARGETS[name], options.runs, options.seed))
    print(show(results))
    if options.record:
        record(results, options)
    return 1 if any(result.finding for result in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
