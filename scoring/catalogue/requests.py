"""Problems of the site: requests that it refuses, and scorings that break off."""

from __future__ import annotations

from scoring.catalogue.entry import CatalogueEntry

REFUSALS = {
    "not-signed-in": CatalogueEntry(
        "refusal",
        "You are not signed in.",
        "Sign in, then send the archive again.",
    ),
    "not-a-participant": CatalogueEntry(
        "refusal",
        "You do not take part in this challenge.",
        "Join the challenge by accepting its terms, then submit again.",
    ),
    "viewers-send-nothing": CatalogueEntry(
        "refusal",
        "You read all of this challenge, its references included, and so cannot compete in it.",
        "Ask an owner to make you an organiser, who can send trials, or to end your role as a viewer.",
    ),
    "inputs-not-released": CatalogueEntry(
        "refusal",
        "The inputs of the phase {phase} are not released yet.",
        "Look at the track's page for the date.",
    ),
    "team-excluded": CatalogueEntry(
        "refusal",
        "Your team has been excluded from this challenge.",
        "Write to the organisers if you think that this is a mistake.",
    ),
    "phase-not-open": CatalogueEntry(
        "refusal",
        "The phase {phase} is not open yet: it opens on {opens_at}.",
        "Come back then; you can already check your archive with “python -m scoring check”.",
    ),
    "phase-closed": CatalogueEntry(
        "refusal",
        "The phase {phase} closed on {closed_at}.",
        "Look at the track's page for a phase that is open.",
    ),
    "phase-not-ready": CatalogueEntry(
        "refusal",
        "The phase {phase} has no reference set yet, so nothing can be scored.",
        "Try again later, or ask the organisers.",
    ),
    "quota-day-used": CatalogueEntry(
        "refusal",
        "Your team has used all of its submissions for today ({limit}).",
        "The next day of the challenge begins at {resets_at}.",
    ),
    "quota-total-used": CatalogueEntry(
        "refusal",
        "Your team has used all of its submissions in this phase ({limit}).",
        "No more submissions are possible here; the organisers can raise the quota.",
    ),
    "rejected-attempts-used": CatalogueEntry(
        "refusal",
        "Too many of your team's archives were rejected for their form (the limit is {limit}).",
        "Check your archives with “python -m scoring check”, and ask the organisers for another attempt.",
    ),
    "archive-missing": CatalogueEntry(
        "refusal",
        "No file was chosen.",
        "Choose the zip with your predictions.",
    ),
    "archive-too-large": CatalogueEntry(
        "refusal",
        "{file} is {size_bytes} bytes large; at most {limit_bytes} are accepted.",
        "Save the images as uint16 and pack them with “zip -r”, which compresses them.",
    ),
    "upload-incomplete": CatalogueEntry(
        "refusal",
        "{file} stopped before the end of its upload: {received_bytes} of {size_bytes} bytes arrived.",
        "Send it again; nothing was counted.",
    ),
    "upload-expired": CatalogueEntry(
        "refusal",
        "{file} was not uploaded in time.",
        "Start a new upload, if the phase is still open.",
    ),
    "upload-unknown": CatalogueEntry(
        "refusal",
        "This upload does not exist, or is not yours.",
        "Start a new upload.",
    ),
    "upload-not-complete": CatalogueEntry(
        "refusal",
        "The upload of the archive did not come to its end.",
        "Choose the file again; what has arrived need not be sent twice while the page is open.",
    ),
    "upload-request-invalid": CatalogueEntry(
        "refusal",
        "The request for an upload cannot be read: {reason}.",
        "Reload the page and try again; a program sends JSON as the participants' guide has it.",
    ),
    "upload-ended": CatalogueEntry(
        "refusal",
        "{file} takes no more parts: its upload is {state}.",
        "Start a new upload, if the phase is still open.",
    ),
    "upload-address-expired": CatalogueEntry(
        "refusal",
        "The address of this part is not valid any more.",
        "Ask for a new one and send the part again; the page does so by itself.",
    ),
    "part-wrong-size": CatalogueEntry(
        "refusal",
        "Part {number} is {received_bytes} bytes large; it must have {size_bytes}.",
        "Send this part again, whole, with its Content-Length.",
    ),
    "part-unknown": CatalogueEntry(
        "refusal",
        "This upload has no part {number}; its parts are numbered 1 to {part_count}.",
        "Reload the page and start the upload again.",
    ),
    "too-many-uploads": CatalogueEntry(
        "refusal",
        "Your team has {count} uploads that were begun and not submitted, which is the most at one time.",
        "Finish or cancel one of them; what is left alone ends by itself after {minutes} minutes.",
    ),
    "storage-unavailable": CatalogueEntry(
        "refusal",
        "The storage of this site does not answer at the moment.",
        "It is not your fault, and nothing that was accepted is lost: try again in a minute.",
    ),
    "storage-full": CatalogueEntry(
        "refusal",
        "The storage of this site has no room for the file at the moment.",
        "It is not your fault, and nothing of it was counted: write to the organisers, and try again later.",
    ),
    "already-cancelled": CatalogueEntry(
        "refusal",
        "This submission has already been cancelled.",
        "Nothing needs to be done.",
    ),
    "already-started": CatalogueEntry(
        "refusal",
        "This submission is being scored and can no longer be cancelled.",
        "Wait for its result.",
    ),
    "already-finished": CatalogueEntry(
        "refusal",
        "This submission is finished and can no longer be cancelled.",
        "Send a new one if you have a better result.",
    ),
    "not-a-trial": CatalogueEntry(
        "refusal",
        "Only trials can be deleted, and this submission is none.",
        "It can be taken off the leaderboard by the organisers instead.",
    ),
    "trial-running": CatalogueEntry(
        "refusal",
        "This trial is being scored and cannot be deleted now.",
        "Wait for its result or cancel it, then delete it.",
    ),
}

FAILURES = {
    "internal-error": CatalogueEntry(
        "failure",
        "Something went wrong on our side (reference {reference_number}).",
        "It is not your archive's fault; the organisers can find it by that number.",
    ),
    "worker-stalled": CatalogueEntry(
        "failure",
        "Scoring stopped without progress {attempts} times.",
        "The organisers can start it again with rescore.",
    ),
    "worker-died": CatalogueEntry(
        "failure",
        "Its worker died {attempts} times.",
        "Something in it may need more memory than the worker has: the organisers can look, and start it again with "
        "rescore.",
    ),
    "time-limit-reached": CatalogueEntry(
        "failure",
        "Scoring took longer than this phase allows ({limit}).",
        "An archive of the prescribed form should not: the organisers can raise time_limit_s and start it again with "
        "rescore.",
    ),
    "memory-limit-reached": CatalogueEntry(
        "failure",
        "Scoring needed more memory than a worker may use.",
        "An archive of the prescribed form should not: the organisers can raise the limit and start it again with "
        "rescore.",
    ),
}
