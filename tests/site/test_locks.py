from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError, connection, transaction

from bayerboard.challenges.models import Challenge
from bayerboard.lib.locks import lock_for_share
from tests.factories import make_challenge

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.database


@pytest.mark.django_db(transaction=True)
def test_a_shared_row_is_shared_and_not_changed(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    row = make_challenge("shared")
    on_postgres = connection.vendor == "postgresql"
    with transaction.atomic(), django_assert_num_queries(1 if on_postgres else 0):
        lock_for_share(Challenge, row.pk)
        if on_postgres:
            assert _answer_of_another("SELECT 1 FROM challenges_challenge WHERE id = %s FOR SHARE", row.pk) == 1
            with pytest.raises(OperationalError, match="lock timeout"):
                _answer_of_another("SELECT 1 FROM challenges_challenge WHERE id = %s FOR NO KEY UPDATE", row.pk)


def _answer_of_another(query: str, pk: int) -> int:
    """Ask on a connection of one's own, which waits for no lock."""
    another = connection.copy()
    try:
        with another.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
            cursor.execute(query, [pk])
            answer: int = cursor.fetchone()[0]
            return answer
    finally:
        another.close()
