"""Which files are mutated, and which tests should notice."""

from __future__ import annotations

from dataclasses import dataclass

SITE = "platform/bayerboard"


@dataclass(frozen=True)
class Group:
    """A subject: its files, of which those that are not there are left out, and the tests that hold it."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    mutants: int = 8
    # Sums and whole numbers, drawn apart: there are so few of them that a common draw would leave them out.
    mutants_of_numbers: int = 2


GROUPS = (
    Group(
        "claims",
        (f"{SITE}/lib/leases.py", f"{SITE}/evaluations/models.py"),
        ("tests/site/test_claims.py", "tests/workers/test_recover.py", "tests/workers/test_score.py",
         "tests/site/test_submission_cancel.py", "tests/site/test_results.py"),
    ),
    Group(
        "quotas",
        (f"{SITE}/submissions/submit.py",),
        ("tests/site/test_quota.py", "tests/site/test_submit_refusals.py", "tests/site/test_submit_again.py",
         "tests/site/test_submit.py", "tests/site/test_upload_submit.py", "tests/site/test_origin.py"),
    ),
    Group(
        "visibility",
        (f"{SITE}/challenges/models.py", f"{SITE}/challenges/access.py", f"{SITE}/challenges/visibility.py",
         f"{SITE}/leaderboards/board.py", f"{SITE}/submissions/models.py", f"{SITE}/teams/access.py"),
        ("tests/site/test_visibility.py", "tests/site/test_board_page.py", "tests/site/test_drafts.py",
         "tests/site/test_downloads.py", "tests/site/test_submission_page.py", "tests/site/test_submission_archive.py",
         "tests/site/test_inputs.py", "tests/site/test_submission_list.py", "tests/site/test_visibility_outlets.py",
         "tests/site/test_track_page.py", "tests/site/test_fairness.py", "tests/site/test_quota.py"),
        mutants=10,
        mutants_of_numbers=0,
    ),
    Group(
        "ranking",
        ("scoring/ranking.py", f"{SITE}/leaderboards/models.py", f"{SITE}/leaderboards/order.py",
         f"{SITE}/leaderboards/settling.py"),
        ("tests/scoring/test_ranking.py", "tests/site/test_standings.py", "tests/site/test_board.py",
         "tests/site/test_board_order.py", "tests/site/test_settling.py", "tests/site/test_rescore.py"),
    ),
    Group(
        "uploads",
        (f"{SITE}/uploads/models.py", f"{SITE}/uploads/views.py", f"{SITE}/api/uploads.py",
         f"{SITE}/submissions/uploads.py", f"{SITE}/uploads/receiving.py"),
        ("tests/site/test_upload.py", "tests/site/test_upload_people.py", "tests/site/test_upload_submit.py",
         "tests/site/test_upload_at_once.py", "tests/site/test_sweep.py", "tests/site/test_submit_refusals.py",
         "tests/site/test_submit_uploads.py"),
    ),
    Group(
        "rescoring",
        (f"{SITE}/evaluations/rescore.py", f"{SITE}/rescoring/planning.py", f"{SITE}/rescoring/difference.py",
         f"{SITE}/rescoring/publication.py"),
        ("tests/site/test_rescore.py", "tests/site/test_rescore_command.py"),
    ),
    Group(
        "html-cache",
        (f"{SITE}/templates/leaderboards/_table.html", f"{SITE}/templates/submissions/_list.html"),
        ("tests/site/test_board_page.py", "tests/site/test_submission_list.py"),
        mutants=2,
        mutants_of_numbers=0,
    ),
)  # fmt: skip
BY_NAME = {group.name: group for group in GROUPS}
