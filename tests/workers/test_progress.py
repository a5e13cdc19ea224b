"""How often progress is written."""

from __future__ import annotations

import itertools

import pytest

from workers.progress import Progress


@pytest.mark.parametrize(
    ("image_s", "written"),
    [(0.1, [1, 6, 11, 16]), (0.5, list(range(1, 21))), (2.0, list(range(1, 21)))],
)
def test_first_at_once_then_every_half_second(
    monkeypatch: pytest.MonkeyPatch, image_s: float, written: list[int]
) -> None:
    clock = itertools.count()
    monkeypatch.setattr("workers.progress.time.monotonic", lambda: 1000 + round(next(clock) * image_s, 6))
    seen: list[int] = []
    progress = Progress(lambda done, total: seen.append(done))

    for done in range(1, 21):
        progress(done, 20)

    assert seen == written


def test_what_writing_raises_stops_the_work() -> None:
    def lost(done: int, total: int) -> None:
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        Progress(lost)(1, 2)
