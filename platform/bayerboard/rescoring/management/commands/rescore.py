"""Scores stored submissions again on the workers, shows the difference, and publishes it all at once."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from bayerboard.challenges.access import find_phases
from bayerboard.evaluations.models import Evaluation, RescoreRun, Status
from bayerboard.lib.console import table
from bayerboard.rescoring import difference, planning, publication
from bayerboard.rescoring.planning import PhasePlan, RescoreRefused

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from bayerboard.challenges.models import Phase
    from bayerboard.rescoring.difference import Change

POLL_EVERY_S = 0.3
# Nothing moved for this long: say what may be the matter, and go on waiting.
SILENCE_S = 15


class Command(BaseCommand):
    """`manage.py rescore CHALLENGE[/TRACK[/PHASE]]`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", nargs="?", help="CHALLENGE, CHALLENGE/TRACK or CHALLENGE/TRACK/PHASE")
        parser.add_argument("--submission", type=int, nargs="+", metavar="ID", help="only these submissions")
        parser.add_argument("--reason", default="", help="why; kept with the new scoring version")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done, and what it costs")
        parser.add_argument("--yes", action="store_true", help="publish without asking")
        parser.add_argument("--publish", type=int, metavar="RUN", help="publish a run that was scored before")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["publish"] is not None:
                run = self._run(options["publish"])
            else:
                started = self._start(options)
                if started is None:
                    return
                run = started
            self._wait(run)
            failed = self._show(run)
            if options["dry_run"]:
                self.stdout.write("Dry run: nothing was changed.")
                return
            if failed and options["yes"]:
                raise CommandError(
                    "Not published, because evaluations failed. "
                    f"To publish all the same: manage.py rescore --publish {run.pk}"
                )
            self._publish(run, yes=options["yes"] or options["publish"] is not None)
        except RescoreRefused as refused:
            raise CommandError(str(refused)) from None

    def _run(self, pk: int) -> RescoreRun:
        try:
            return RescoreRun.objects.get(pk=pk)
        except RescoreRun.DoesNotExist:
            raise CommandError(f"There is no rescore run {pk}.") from None

    def _start(self, options: dict[str, Any]) -> RescoreRun | None:
        if options["target"] is None:
            raise CommandError("Say what to rescore: CHALLENGE[/TRACK[/PHASE]].")
        try:
            phases = find_phases(options["target"])
        except LookupError as unknown:
            raise CommandError(str(unknown)) from None
        plans = planning.plan(phases, options["submission"])
        if not plans:
            self.stdout.write("There is no submission to rescore.")
            return None
        self._show_plan(plans)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
            return None
        run = planning.start(options["target"], plans, options["reason"])
        self.stdout.write(f"Run {run.pk} is queued; pages show the published scores until it is published.")
        return run

    def _show_plan(self, plans: list[PhasePlan]) -> None:
        rows = [
            [
                item.phase.path,
                str(len(item.submissions)),
                str(item.carried_over),
                str(item.images),
                "; ".join(item.changes) or "nothing since the published scores",
            ]
            for item in plans
        ]
        self.stdout.write(table(["phase", "submissions", "kept", "images", "what changed"], rows, right={1, 2, 3}))

    def _wait(self, run: RescoreRun) -> None:
        done, total = planning.progress(run)
        moved_at = time.monotonic()
        with tqdm(total=total, initial=done, unit="submission", file=sys.stderr, disable=None) as bar:
            while done < total:
                time.sleep(POLL_EVERY_S)
                before = done
                done, total = planning.progress(run)
                bar.total = total
                bar.update(done - before)
                if done > before:
                    moved_at = time.monotonic()
                elif time.monotonic() - moved_at > SILENCE_S:
                    moved_at = time.monotonic()
                    bar.write(
                        "No evaluation finished for a while. Is a worker running (manage.py up)? "
                        f"Ctrl-C leaves the run queued; go on with: manage.py rescore --publish {run.pk}",
                        file=sys.stderr,
                    )

    def _show(self, run: RescoreRun) -> int:
        """Print the difference; return how many evaluations failed."""
        changes = difference.difference(run)
        for phase in dict.fromkeys(change.phase for change in changes):
            self.stdout.write(f"\n{phase.path}")
            self.stdout.write(_before_and_after(phase, [change for change in changes if change.phase == phase]))
        for verdict in difference.verdict_changes(run):
            self.stdout.write(f"submission {verdict.submission} ({verdict.team}): {verdict.before} → {verdict.after}")
        failed = Evaluation.objects.filter(scoring_version__run=run, status=Status.FAILED).count()
        if failed:
            self.stderr.write(f"Failed evaluations: {failed}. Those submissions would have no score.")
        changed = sum(change.is_change for change in changes)
        self.stdout.write(f"\n{changed} of {len(changes)} rows change." if changed else "\nNo score, no rank changes.")
        return failed

    def _publish(self, run: RescoreRun, *, yes: bool) -> None:
        if not yes:
            if not sys.stdin.isatty():
                self.stdout.write(f"Not published. To publish: manage.py rescore --publish {run.pk}")
                return
            if input("Publish? [y/N] ").strip().lower() not in {"y", "yes"}:
                self.stdout.write(f"Not published. To publish later: manage.py rescore --publish {run.pk}")
                return
        publication.publish(run)
        self.stdout.write(self.style.SUCCESS(f"Run {run.pk} is published."))


def _before_and_after(phase: Phase, changes: list[Change]) -> str:
    """Return a phase's table of scores and ranks, published and staged."""
    columns = phase.track.protocol.columns
    heads, rows = ["team", "rank"], []
    for column in columns:
        heads += [column.label, "Δ"]
    for change in changes:
        cells = [change.team, f"{change.rank_before or '–'} → {change.rank_after or '–'}"]
        for column in columns:
            old, new = change.before.get(column.key), change.after.get(column.key)
            shown = [f"{value:.{column.precision}f}" if value is not None else "–" for value in (old, new)]
            cells += [" → ".join(shown), f"{new - old:+.2e}" if old is not None and new is not None else ""]
        rows.append(cells)
    return table(heads, rows, right=set(range(1, len(heads))))
