"""A site of the version before, as its own tables held it: rows of every kind, made with the models of its migrations.

The data is written out rather than made by today's code, which may write it differently.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

if TYPE_CHECKING:
    from django.apps.registry import Apps

# Where that version's migrations ended. The table of mails came later.
LAST_MIGRATIONS = [
    ("accounts", "0002_mails_notices"),
    ("challenges", "0003_time_limit"),
    ("evaluations", "0002_eligible"),
    ("leaderboards", "0003_scoring_version"),
    ("mails", None),
    ("methods", "0002_measurements_and_limits"),
    ("notices", "0001_initial"),
    ("operations", "0001_initial"),
    ("submissions", "0002_declared_counts"),
    ("teams", "0001_initial"),
    ("uploads", "0001_initial"),
]
MODELS = {
    "account": ["EmailAddress"],
    "accounts": ["User"],
    "challenges": ["Challenge", "Track", "Phase", "InputSet", "ReferenceSet", "ScoringVersion", "Download"],
    "evaluations": ["Evaluation", "ImageScores", "RescoreRun"],
    "leaderboards": ["Standing"],
    "methods": ["BaselineRun", "Measurement"],
    "notices": ["Notice"],
    "operations": ["Tally", "Heartbeat"],
    "submissions": ["Entry", "Submission", "FactSheetRevision"],
    "teams": ["Team", "Membership"],
    "uploads": ["Upload"],
}
NAMES = ["6_0", "6_2"]
SHAPE = [16, 16, 4]
PROTOCOL = {
    "name": "own",
    "title": "A protocol with a subset and a formula",
    "dtype": "uint16",
    "shape": SHAPE,
    "level_scale": 1024.0,
    "max_value": 1024,
    "white_level": 1023,
    "metrics": ["psnr", "ssim"],
    "columns": [
        {"key": "psnr", "label": "PSNR", "direction": "desc", "precision": 2, "unit": "dB"},
        {"key": "ssim", "label": "SSIM", "direction": "desc", "precision": 4, "unit": ""},
        {"key": "psnr_noise", "label": "Noise", "direction": "desc", "precision": 2, "unit": "dB"}
        | {"metric": "psnr", "subset": "noise"},
        {"key": "score", "label": "Score", "direction": "desc", "precision": 2, "unit": ""}
        | {"formula": "2^(2·psnr) / (1.10e12 · runtime_ms)"},
    ],
    "tolerance": 1e-06,
    "group_pattern": "^(?P<group>\\d+)_\\d+$",
    "subsets": ["noise", "blur"],
}
# Equal as shown, to two decimals; by the unrounded values the second is better.
EARLIER_PSNR, LATER_PSNR = 30.001, 30.004
RUNTIME_S = 0.25


def go_back() -> Apps:
    """Undo the migrations since; return the models as they were then."""
    executor = MigrationExecutor(connection)
    executor.migrate(LAST_MIGRATIONS)
    executor.loader.build_graph()
    named = [(app, name) for app, name in LAST_MIGRATIONS if name is not None]
    allauth = [node for node in executor.loader.graph.leaf_nodes() if node[0] == "account"]
    return executor.loader.project_state([*named, *allauth]).apps


def go_forward() -> None:
    """Migrate to the present version, as `manage.py migrate` does."""
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@dataclass
class SiteBefore:
    """Makes the rows, and keeps their keys by name."""

    apps: Apps
    keys: dict[str, Any] = field(default_factory=dict)
    now: datetime = field(default_factory=timezone.now)

    def make(self, name: str, label: str, /, **fields: Any) -> Any:
        """Store a row, and keep its key under the name."""
        row = self.apps.get_model(label).objects.create(**fields)
        self.keys[name] = row.pk
        return row

    def counts(self) -> dict[str, int]:
        labels = [f"{app}.{model}" for app, models in MODELS.items() for model in models]
        return {label: self.apps.get_model(label).objects.count() for label in labels}

    def fill(self) -> None:
        self.make_people()
        self.make_challenge()
        self.make_teams()
        self.make_hidden_phase_rows()
        self.make_public_phase_rows()
        self.make_rescore()
        self.make_notices()
        self.make("tally", "operations.Tally", source="submissions", until=self.now, counts={"participant": 7})
        self.make("heartbeat", "operations.Heartbeat", name="beat", seen_at=self.now)

    def make_people(self) -> None:
        for name in ("founder", "helper", "ada", "bob", "stranger", "operator"):
            is_operator = name == "operator"
            self.make(
                name,
                "accounts.User",
                username=name,
                email=f"{name}@example.org",
                mails_notices=name != "bob",
                is_staff=is_operator,
                is_superuser=is_operator,
            )
        for name, verified in (("ada", True), ("bob", False)):
            fields = {"user_id": self.keys[name], "email": f"{name.title()}@example.org", "verified": verified}
            self.make(f"address of {name}", "account.EmailAddress", primary=True, **fields)

    def make_challenge(self) -> None:
        challenge = self.make(
            "challenge",
            "challenges.Challenge",
            slug="night",
            title="Night",
            terms="Be fair.",
            time_zone="Europe/Berlin",
        )
        for name in ("founder", "helper"):
            challenge.organisers.add(self.keys[name])
        track = self.make(
            "track",
            "challenges.Track",
            challenge=challenge,
            slug="raw",
            title="RAW",
            protocol_data=PROTOCOL,
            baselines=["mosaic"],
        )
        stored = {"filename": "inputs.zip", "size_bytes": 9, "sha256": "0" * 64}
        self.make("inputs", "challenges.InputSet", track=track, names=NAMES, storage_key="inputs/1.zip", **stored)
        self.make(
            "download", "challenges.Download", track=track, title="Training", storage_key="downloads/1.zip", **stored
        )
        self.make_phase("hidden", 3, 50, board="hidden")
        self.make_phase("public", 4, 60, publishes_images=True)

    def make_phase(self, name: str, quota_per_day: int, quota_total: int, **fields: Any) -> None:
        phase = self.make(
            name,
            "challenges.Phase",
            track_id=self.keys["track"],
            slug=name,
            title=name.title(),
            starts_at=self.now - timedelta(days=2),
            ends_at=self.now + timedelta(days=2),
            quota_per_day=quota_per_day,
            quota_total=quota_total,
            time_limit_s=900,
            manifest_data={"files": [{"name": stem, "shape": SHAPE, "dtype": "uint16"} for stem in NAMES]},
            input_set_id=self.keys["inputs"],
            **fields,
        )
        phase.published_version_id = self.make_version(name, 1, published_at=self.now).pk
        phase.save()

    def make_version(self, phase: str, number: int, **fields: Any) -> Any:
        manifest = [
            {"name": stem, "shape": SHAPE, "dtype": "uint16", "group": "6", "subset": subset}
            | {"sha256": f"{phase}-{stem}".ljust(64, "0")}
            for stem, subset in zip(NAMES, ("noise", "blur"), strict=True)
        ]
        reference = self.make(
            f"reference {number} of {phase}",
            "challenges.ReferenceSet",
            phase_id=self.keys[phase],
            version=number,
            manifest_data=manifest,
            manifest_sha256="1" * 64,
            storage_key=f"references/{phase}-{number}.zip",
            size_bytes=9,
        )
        return self.make(
            f"version {number} of {phase}",
            "challenges.ScoringVersion",
            phase_id=self.keys[phase],
            number=number,
            reference_set=reference,
            protocol_data=PROTOCOL,
            protocol_sha256="2" * 64,
            scorer_version="2",
            **fields,
        )

    def make_teams(self) -> None:
        for team, people, is_baseline in (("team", ["ada", "bob"], False), ("baseline", [], True)):
            made = self.make(
                team,
                "teams.Team",
                challenge_id=self.keys["challenge"],
                name="Mosaic" if is_baseline else "Bayer Street",
                is_baseline=is_baseline,
            )
            for name in people:
                self.make(
                    f"membership of {name}",
                    "teams.Membership",
                    challenge_id=self.keys["challenge"],
                    team=made,
                    user_id=self.keys[name],
                    terms_sha256="3" * 64,
                )

    def make_hidden_phase_rows(self) -> None:
        for team in ("team", "baseline"):
            self.make_entry(team, "hidden")
        self.make_submission("earlier", "team", "hidden", psnr=EARLIER_PSNR)
        self.make_submission("later", "team", "hidden", psnr=LATER_PSNR)
        self.make_standing("team", "hidden", "later")
        self.make_submission("disqualified", "team", "hidden", psnr=40.0, disqualified_at=self.now)
        errors = [{"code": "image-missing", "file": "6_2.npy"}]
        self.make_submission("rejected", "team", "hidden", status="rejected", errors=errors)
        self.make_submission("queued", "team", "hidden", status="queued")
        self.make_submission("failed", "team", "hidden", status="failed", failure="It broke off.")
        self.make_submission("mosaic", "baseline", "hidden", psnr=20.0, submitted_by_id=None)
        self.make_standing("baseline", "hidden", "mosaic")
        self.make_runs()
        self.make_uploads()

    def make_public_phase_rows(self) -> None:
        self.make_entry("team", "public")
        self.make_submission("public earlier", "team", "public", psnr=EARLIER_PSNR)
        self.make_submission("public later", "team", "public", psnr=LATER_PSNR)
        self.make_standing("team", "public", "public later")

    def make_entry(self, team: str, phase: str) -> None:
        name = f"entry of {team} in {phase}"
        self.make(name, "submissions.Entry", phase_id=self.keys[phase], team_id=self.keys[team])

    def make_submission(
        self, name: str, team: str, phase: str, *, psnr: float | None = None, status: str = "scored", **fields: Any
    ) -> None:
        """Store a submission with its upload and evaluation, and where it is scored all that comes with that."""
        number = sum(key.startswith("submission ") for key in self.keys)
        of_evaluation = {key: fields.pop(key) for key in ("errors", "failure") if key in fields}
        submission = self.make(
            f"submission {name}",
            "submissions.Submission",
            **{
                "entry_id": self.keys[f"entry of {team} in {phase}"],
                "submitted_by_id": self.keys["ada"],
                "submitted_at": self.now - timedelta(hours=1) + timedelta(minutes=number),
                "method_name": f"Method {name}",
                "archive_key": f"archives/{number}.zip",
                "archive_name": "predictions.zip",
                "archive_size_bytes": 9,
                "idempotency_key": f"key-{number:08d}",
                **fields,
            },
        )
        self.make_upload(f"of {name}", team, phase, "complete", submission=submission)
        metrics = {} if psnr is None else self.metrics(psnr)
        evaluation = self.make(
            f"evaluation {name}",
            "evaluations.Evaluation",
            submission=submission,
            scoring_version_id=self.keys[f"version 1 of {phase}"],
            status=status,
            metrics=metrics,
            finished_at=None if status == "queued" else self.now,
            **of_evaluation,
        )
        if psnr is not None:
            self.make_scored_rows(name, submission, evaluation, psnr)

    def metrics(self, psnr: float) -> dict[str, float]:
        score = 2 ** (2 * psnr) / (1.10e12 * RUNTIME_S * 1000)
        return {"psnr": psnr, "ssim": 0.5, "psnr_noise": psnr + 1, "score": score}

    def make_scored_rows(self, name: str, submission: Any, evaluation: Any, psnr: float) -> None:
        # An organiser corrected the sheet after the scoring: the formula took the archive's own, the first.
        for revision, runtime_s in (("archive's", RUNTIME_S), ("corrected", 9.0)):
            self.make(
                f"{revision} sheet of {name}",
                "submissions.FactSheetRevision",
                submission=submission,
                runtime_s=runtime_s,
                device="gpu",
                extra_data=False,
                parameters=1e6,
                macs=2e9,
                description="A test.",
            )
        values = {"psnr": [psnr + 1, psnr - 1], "ssim": [0.5, 0.5]}
        self.make(f"images of {name}", "evaluations.ImageScores", evaluation=evaluation, names=NAMES, values=values)

    def make_standing(self, team: str, phase: str, submission: str) -> None:
        evaluation = self.apps.get_model("evaluations.Evaluation").objects.get(pk=self.keys[f"evaluation {submission}"])
        self.make(
            f"standing of {team} in {phase}",
            "leaderboards.Standing",
            entry_id=self.keys[f"entry of {team} in {phase}"],
            phase_id=self.keys[phase],
            evaluation=evaluation,
            scoring_version_id=evaluation.scoring_version_id,
            metrics=evaluation.metrics,
            submitted_at=self.now,
        )

    def make_uploads(self) -> None:
        self.make_upload("open", "team", "hidden", "open", parts_id="parts-1")
        self.make_upload("unsubmitted", "team", "hidden", "complete")
        self.make_upload("aborted", "team", "hidden", "aborted")

    def make_upload(self, name: str, team: str, phase: str, state: str, **fields: Any) -> None:
        self.make(
            f"upload {name}",
            "uploads.Upload",
            phase_id=self.keys[phase],
            team_id=self.keys[team],
            opened_by_id=None if team == "baseline" else self.keys["ada"],
            filename="predictions.zip",
            announced_bytes=9,
            part_size_bytes=8,
            state=state,
            archive_key=f"archives/{name}.zip",
            size_bytes=9 if state == "complete" else None,
            finish_before=self.now + timedelta(minutes=30),
            finished_at=None if state == "open" else self.now,
            **fields,
        )

    def make_runs(self) -> None:
        submission = self.keys["submission mosaic"]
        self.make(
            "run",
            "methods.BaselineRun",
            method="mosaic",
            phase_id=self.keys["hidden"],
            submission_id=submission,
            status="submitted",
            finished_at=self.now,
        )
        self.make(
            "measurement",
            "methods.Measurement",
            submission_id=submission,
            runtime_s=0.125,
            device="cpu",
            device_name="A CPU",
            parameters=0,
            macs=0,
        )

    def make_rescore(self) -> None:
        run = self.make("rescore", "evaluations.RescoreRun", target="night/raw/hidden", reason="A tile was mirrored.")
        version = self.make_version("hidden", 2, run=run)
        for name, status, psnr in (("earlier", "scored", 25.0), ("later", "queued", None)):
            self.make(
                f"staged evaluation {name}",
                "evaluations.Evaluation",
                submission_id=self.keys[f"submission {name}"],
                scoring_version=version,
                is_staged=True,
                status=status,
                metrics={} if psnr is None else self.metrics(psnr),
            )

    def make_notices(self) -> None:
        fields = {"submission_id": self.keys["submission earlier"], "kind": "result", "mail_attempts": 2}
        for state in ("none", "pending", "sending", "sent", "failed"):
            self.make(f"notice {state}", "notices.Notice", user_id=self.keys["ada"], mail=state, **fields)
        # His address was never confirmed.
        self.make("notice unconfirmed", "notices.Notice", user_id=self.keys["bob"], mail="pending", **fields)


def make_site_before() -> SiteBefore:
    """Take the database back to the version before, and fill it."""
    site = SiteBefore(go_back())
    site.fill()
    return site
