"""What load balancers ask."""

from __future__ import annotations

import pytest
from django.test import Client

import scoring


@pytest.mark.django_db
def test_is_well_without_signing_in() -> None:
    response = Client().get("/health/")

    assert response.json() == {"status": "ok", "version": scoring.__version__}


@pytest.mark.django_db
def test_takes_no_post() -> None:
    assert Client().post("/health/").status_code == 405
