"""Notes on a challenge file that is right, and that its organiser may not have meant so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayerboard.importing.spec import ChallengeSpec, PhaseSpec

PROBER_DOCS = "docs/organisers.md#how-much-a-patient-prober-learns"


@dataclass(frozen=True)
class Advice:
    """One note: a stable code, the phase that it is about, what is so and what may be done."""

    code: str
    subject: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.message} {self.hint} [{self.code}]"


def advice_on(spec: ChallengeSpec) -> Iterator[Advice]:
    """Yield the notes, in the order of the file."""
    for track in spec.tracks:
        for phase in track.phases:
            message = _shows_scores(phase)
            if message:
                yield Advice(
                    code="own-scores-shown",
                    subject=f"phase {track.slug}/{phase.slug}",
                    message=message,
                    hint=f"Hide both, or choose quotas with the table of {PROBER_DOCS}.",
                )


def _shows_scores(phase: PhaseSpec) -> str:
    """Return how a team sees scores against a hidden reference during the phase; empty where it does not."""
    if phase.image_results == "published":
        return ""
    if phase.own_scores == "shown":
        return "own_scores: shown lets a team recover parts of the hidden reference from the scores of its submissions."
    # An open board shows the scores of a team's submissions whatever `own_scores` says.
    if phase.board == "open":
        return (
            "board: open shows a team its scores in spite of own_scores: hidden, and so parts of the hidden reference."
        )
    if phase.board_opens_at and (phase.ends_at is None or phase.board_opens_at < phase.ends_at):
        return "the board opens before the phase ends (board_opens_at), and shows parts of the hidden reference."
    return ""
