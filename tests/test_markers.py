"""The markers stand where they must: see CONTRIBUTING."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parent
# What a test file of the site names that depends on the database.
TELLTALES = ("transaction=True", "connection.vendor", "django_assert_num_queries", "CaptureQueries", "IntegrityError")


def test_what_names_transactions_or_queries_is_marked_for_both_databases() -> None:
    files = [path for folder in ("site", "workers") for path in (TESTS / folder).rglob("*.py")]
    telling = [path for path in files if any(word in path.read_text() for word in TELLTALES)]
    assert len(telling) > 5
    assert [path.name for path in telling if "mark.database" not in path.read_text()] == []
