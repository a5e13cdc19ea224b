"""Starts Bayerboard with the demo challenge: real submissions through the real upload, scored by the workers."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from bayerboard.accounts.models import User
from bayerboard.challenges.access import find_phases
from bayerboard.demo.data import MOST_PHOTOS, PHOTOS, DemoFailed, make_demo_data, run_baselines
from bayerboard.demo.participant import Participant, RequestFailed
from bayerboard.demo.teams import TEAMS, DemoTeam
from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.importing.importer import import_challenge
from bayerboard.importing.spec import load_challenge_spec
from bayerboard.leaderboards.board import board_page
from bayerboard.lib.console import table
from bayerboard.lib.jobs import job_kinds
from bayerboard.operations.stack import Stack
from bayerboard.runs.models import BaselineRun
from bayerboard.submissions.models import Submission

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from bayerboard.challenges.models import Phase

CHALLENGE = "aim22-reversed-isp-demo"
ORGANISER = "organiser"
POLL_EVERY_S = 0.2
# Without a submission that came to its end: how long all of them take depends on the machine.
NOTHING_SCORED_FOR_S = 300


class Command(BaseCommand):
    """`manage.py demo`; running it again keeps what is there."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop when the boards are filled")
        parser.add_argument(
            "--photos",
            type=int,
            choices=range(1, MOST_PHOTOS + 1),
            default=PHOTOS,
            metavar="N",
            help=f"photos of each phase, 1 to {MOST_PHOTOS}, of six tiles each (default: %(default)s)",
        )
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT", help="(default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        self.folder: Path = settings.DATA_DIR / "demo"
        self.folder.mkdir(exist_ok=True)
        try:
            make_demo_data(self.folder, options["photos"], self._say)
            with Stack(bind=options["bind"], report=self._say) as stack:
                stack.wait_until_ready()
                self._fill(stack.url)
                self._show_boards()
                if options["once"]:
                    return
                self._show_addresses(stack.url)
                stack.wait_for_interrupt()
        except KeyboardInterrupt:
            self._say("Stopped.")
        except (DemoFailed, RequestFailed) as failed:
            raise CommandError(str(failed)) from None

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _fill(self, site: str) -> None:
        shutil.copyfile(Path(__file__).parents[2] / "challenge.yaml", self.folder / "challenge.yaml")
        self._say("Creating the demo challenge …")
        self._make_organiser()
        import_challenge(load_challenge_spec(self.folder / "challenge.yaml"))
        phases = find_phases(CHALLENGE)
        for phase in phases:
            # Those that need no torch: it may not be there.
            for method in ("mosaic", "upi"):
                if not BaselineRun.objects.filter(phase=phase, method=method).exists():
                    self._say(f"Queueing the {method} baseline on {phase.track.title}, {phase.title} …")
                    call_command("run_baseline", method, phase.path, no_wait=True, stdout=StringIO())
        missing = [(team, phase) for team in TEAMS for phase in phases if is_missing(team, phase)]
        if missing:
            self._say(f"Making {len(missing)} archives of predictions …")
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                archives = dict(zip(missing, pool.map(lambda item: self._predictions(*item), missing), strict=True))
            for team in dict.fromkeys(team for team, _ in missing):
                self._send(site, team, {phase: path for (other, phase), path in archives.items() if other == team})
        self._wait()

    def _make_organiser(self) -> None:
        if not User.objects.filter(username=ORGANISER).exists():
            password = self._password(ORGANISER)
            User.objects.create_superuser(ORGANISER, f"{ORGANISER}@example.org", password)

    def _send(self, site: str, team: DemoTeam, archives: dict[Phase, Path]) -> None:
        """Sign up or in, join, and submit: over HTTP, as a browser does."""
        participant = Participant(site)
        password = self._password(team.username)
        if User.objects.filter(username=team.username).exists():
            participant.sign_in(team.username, password)
        else:
            participant.sign_up(team.username, f"{team.username}@example.org", password)
        if not has_joined(team):
            participant.join(CHALLENGE, team.name)
        for phase, archive in archives.items():
            self._say(f"{team.name} submits to {phase.track.title}, {phase.title} …")
            participant.submit(phase.path, archive, team.method, team.description)
            archive.unlink()

    def _predictions(self, team: DemoTeam, phase: Phase) -> Path:
        folder = self.folder / phase.track.slug / ("open" if phase.slug == "development" else "hidden")
        archive = self.folder / f"{team.username}-{phase.track.slug}-{phase.slug}.zip"
        reference = folder / f"{phase.slug}_raw"
        description = ("--description", team.description)
        run_baselines(
            "data", "degrade", "--reference", str(reference), "--output", str(archive), *team.degrade, *description
        )
        return archive

    def _wait(self) -> None:
        self._say("Waiting for the scores …")
        before, moved_at = 0, time.monotonic()
        while left := sum(kind.jobs.unfinished().count() for kind in job_kinds()):
            if left != before:
                before, moved_at = left, time.monotonic()
            if time.monotonic() - moved_at > NOTHING_SCORED_FOR_S:
                raise CommandError(
                    f"{left} submissions wait, and for {NOTHING_SCORED_FOR_S} s none was scored; "
                    f"see {settings.DATA_DIR / 'log'}."
                )
            time.sleep(POLL_EVERY_S)
        failed = Evaluation.objects.filter(status=Status.FAILED).count()
        if failed:
            raise CommandError(f"{failed} submissions could not be scored; see {settings.DATA_DIR / 'log'}.")

    def _show_boards(self) -> None:
        for phase in find_phases(CHALLENGE):
            board = board_page(phase, AnonymousUser())
            heads = ["rank", "team", *(f"{column.label} {column.unit}".strip() for column in board.columns), "s/image"]
            rows = [
                [
                    str(row.rank or "–"),
                    f"{row.team}{' (baseline)' if row.is_baseline else ''}",
                    *(cell.text for cell in row.cells),
                    f"{row.fact_sheet.runtime_s:.3g}" if row.fact_sheet and row.fact_sheet.runtime_s else "–",
                ]
                for row in board.rows
            ]
            self._say(f"\n{phase.track.title} · {phase.title}")
            self._say(table(heads, rows, right={0, 2, 3, 4}))
        rejected = Evaluation.objects.filter(status=Status.REJECTED).select_related(
            "submission__entry__team", "submission__entry__phase__track"
        )
        for evaluation in rejected:
            codes = ", ".join(dict.fromkeys(error["code"] for error in evaluation.errors))
            entry = evaluation.submission.entry
            self._say(f"\n{entry.team} on {entry.phase.track.title}: rejected, as it should be ({codes})")

    def _show_addresses(self, site: str) -> None:
        broken = Submission.objects.filter(entry__team__name=TEAMS[-1].name).first()
        self._say("")
        self._say(self.style.SUCCESS(f"Bayerboard is ready: {site}  (Ctrl-C stops it; everything is kept)"))
        rows = [
            ["organiser", ORGANISER, self._password(ORGANISER), urljoin(site, "/admin/")],
            ["participant", TEAMS[0].username, self._password(TEAMS[0].username), urljoin(site, "/submissions/")],
            [
                "broken zip",
                TEAMS[-1].username,
                self._password(TEAMS[-1].username),
                urljoin(site, broken.get_absolute_url()) if broken else "",
            ],
        ]
        self._say(table(["who", "sign in as", "password", "look at"], rows))

    def _password(self, username: str) -> str:
        """Return the demo account's password, made at random the first time and kept in the data folder."""
        file = self.folder / "accounts.json"
        accounts: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if username not in accounts:
            accounts[username] = secrets.token_urlsafe(9)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
                json.dump(accounts, handle, indent=1)
        return accounts[username]


def is_missing(team: DemoTeam, phase: Phase) -> bool:
    """Whether the team is to submit to the phase, and has not yet."""
    sent = Submission.objects.filter(entry__phase=phase, entry__team__name=team.name)
    return phase.slug in team.phases and not sent.exists()


def has_joined(team: DemoTeam) -> bool:
    """Whether an earlier run got that far."""
    return User.objects.filter(username=team.username, memberships__challenge__slug=CHALLENGE).exists()
