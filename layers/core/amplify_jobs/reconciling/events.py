"""The events of missed pushes: what a delivery would have told, as far as git tells it."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from amplify_jobs.errors import UnusableRefError
from amplify_jobs.events.event import Event, Observation
from amplify_jobs.events.normalize import Commit, RefChange, Repository
from amplify_jobs.intake.message import QueuedEvent
from amplify_jobs.reconciling.snapshot import Sighting
from amplify_jobs.routing.matching import SKIP_MARKER, Ignored, Matched, decide
from amplify_jobs.routing.reconciled import ReconciledRepository
from amplify_jobs.routing.routes import Routes

EVIDENCE = "reconcile"
_ON_AUTHOR_OR_MESSAGE = frozenset({"push.authors", "push.messages"})


def event_of(
    repository: ReconciledRepository, ref: str, sighting: Sighting, commit: Commit | None = None
) -> Event | None:
    """The push of a branch or tag, with unknown files; None for a ref whose name can't be used.

    It is the same event on each look, so that one that is put into the queue again is a repeat. `commit` is what is
    known of its commit.
    """
    git = repository.git
    host = repository.source if git is None else urlsplit(git.address(repository.repository)).hostname
    change = RefChange(
        repository=Repository(repository.repository, host),
        ref=ref,
        before=sighting.before,
        after=sighting.object_id,
        created=sighting.before is None,
        deleted=False,
        head=commit or Commit(sighting.commit),
    )
    try:
        event = change.event()
    except UnusableRefError:
        return None
    if not isinstance(event, Event):
        return None
    first_seen = sighting.first_seen.isoformat()
    return event.model_copy(
        update={
            "event_time": first_seen,
            "evidence": (EVIDENCE, first_seen),
            "observation": Observation(
                first_seen=sighting.first_seen, asked_since=sighting.asked_since, between=sighting.between
            ),
        }
    )


def may_be_wanted(event: Event | None, routes: Routes, source: str) -> bool:
    """Whether a route would ask for a job, whatever the author and the message of the commit may be."""
    return event is not None and any(
        isinstance(each, Matched) or each.condition in _ON_AUTHOR_OR_MESSAGE for each in decide(routes, source, event)
    )


def reason_against(event: Event, routes: Routes, source: str) -> str | None:
    """Why no route asks for a job because of what the commit says; None if one does."""
    decisions = decide(routes, source, event)
    if any(isinstance(each, Matched) for each in decisions):
        return None
    ignored = [each for each in decisions if isinstance(each, Ignored)]
    reasons = [each for each in ignored if each.condition in {SKIP_MARKER, *_ON_AUTHOR_OR_MESSAGE}]
    return "; ".join(f"route {each.route}: {each.reason}" for each in reasons)


def queued(event: Event, source: str, now: datetime) -> QueuedEvent:
    """The message for the intake queue; lists of deliveries name it by its beginning."""
    delivery_id = f"{EVIDENCE}-{event.digest[:32]}"
    return QueuedEvent(source=source, delivery_id=delivery_id, received_at=now, event=event)
