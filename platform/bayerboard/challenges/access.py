"""Who may see which challenge, track and phase: one getter per object, for pages, commands and the API alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404

from bayerboard.challenges.models import Challenge, Phase, Track

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User

# Long lists, which few pages need: read when they are asked for.
PER_IMAGE_FIELDS = ("manifest_data", "input_set__names")


def get_challenge(user: User | AnonymousUser, challenge: str) -> Challenge:
    """Return the challenge if the user may see it; Http404 otherwise."""
    found = Challenge.objects.filter(slug=challenge).first()
    if found is None or not found.is_visible_to(user):
        raise Http404("There is no such challenge.")
    return found


def get_track(user: User | AnonymousUser, challenge: str, track: str) -> Track:
    """Return the track if the user may see it; Http404 otherwise."""
    found = Track.objects.select_related("challenge").filter(challenge__slug=challenge, slug=track).first()
    if found is None or not found.challenge.is_visible_to(user):
        get_challenge(user, challenge)  # where it is the challenge that is missing, this says so
        raise Http404("There is no such track.")
    return found


def get_phases(user: User | AnonymousUser, challenge: str, track: str, *, lists: bool = False) -> list[Phase]:
    """Return the phases of the track, in their order, if the user may see it; Http404 otherwise.

    With `lists`, what they say of each image comes with them.
    """
    phases = Phase.objects.select_related("track__challenge", "published_version", "input_set")
    phases = phases.filter(track__challenge__slug=challenge, track__slug=track)
    found = list(phases if lists else phases.defer(*PER_IMAGE_FIELDS))
    if not found or not found[0].track.challenge.is_visible_to(user):
        get_track(user, challenge, track)  # raises, but where the user may see a track that has no phases
    return found


def get_phase(user: User | AnonymousUser, challenge: str, track: str, phase: str) -> Phase:
    """Return the phase if the user may see it; Http404 otherwise."""
    return one_of(get_phases(user, challenge, track), phase)


def one_of(phases: Iterable[Phase], slug: str) -> Phase:
    """Return the phase of that name; Http404 where there is none."""
    found = next((phase for phase in phases if phase.slug == slug), None)
    if found is None:
        raise Http404("There is no such phase.")
    return found


def find_phases(path: str) -> list[Phase]:
    """Return the phases below `CHALLENGE[/TRACK[/PHASE]]`, for the commands; LookupError says what is not there."""
    parts = path.strip("/").split("/")
    if not 1 <= len(parts) <= 3 or not all(parts):
        raise LookupError(f"{path!r} is not CHALLENGE, CHALLENGE/TRACK or CHALLENGE/TRACK/PHASE.")
    keys = ("track__challenge__slug", "track__slug", "slug")
    phases = Phase.objects.select_related("track__challenge", "published_version__reference_set", "input_set")
    for depth in range(1, len(parts) + 1):
        where: dict[str, Any] = dict(zip(keys[:depth], parts[:depth], strict=True))
        if not phases.filter(**where).exists():
            below = "/".join(parts[: depth - 1])
            known = phases.filter(**dict(zip(keys, parts[: depth - 1], strict=False)))
            names = sorted(set(known.values_list(keys[depth - 1], flat=True)))
            raise LookupError(
                f"There is no {('challenge', 'track', 'phase')[depth - 1]} {parts[depth - 1]!r}"
                f"{f' in {below}' if below else ''}. Known: {', '.join(names) or 'none'}."
            )
    return list(phases.filter(**where).order_by("track__position", "position"))
