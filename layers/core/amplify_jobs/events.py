"""Events: what happened at a git host or in AWS, in one form for all of them, and what identifies one."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from amplify_jobs.models import Model

ROUTE_PART_OF_REQUEST_ID = 40


class EventKind(StrEnum):
    """What happened."""

    PUSH = "push"
    TAG = "tag"
    PING = "ping"


class PullRequest(Model):
    """A pull or merge request; `action` is normalised over the hosts, `hostAction` keeps the host's own word."""

    number: int
    action: str
    host_action: str
    source: str | None = None
    target: str | None = None
    head: str | None = None
    from_fork: bool = False


class Release(Model):
    """A release that was made from a tag."""

    action: str
    tag: str


class Event(Model):
    """Something that happened, normalised; what the host did not say is None.

    `commit` is the one to build: for an annotated tag the commit behind it, where `after` is the tag object.
    `changedFiles` is None where the host did not list them all. `host` and `eventTime` (the host's own time of the
    event, as it wrote it) only tell one event from another.
    """

    kind: EventKind
    host: str | None = None
    event_time: str | None = None
    repository: str | None = None
    ref: str | None = None
    branch: str | None = None
    tag: str | None = None
    before: str | None = None
    after: str | None = None
    commit: str | None = None
    commit_time: datetime | None = None
    message: str | None = None
    author: str | None = None
    created: bool = False
    deleted: bool = False
    forced: bool | None = None
    changed_files: tuple[str, ...] | None = None
    pull_request: PullRequest | None = None
    release: Release | None = None

    def for_answer(self) -> dict[str, Any]:
        """What the answer to a delivery says of the event, in JSON's types."""
        return self.model_dump(mode="json", by_alias=True, exclude={"host", "event_time", "commit_time"})


def request_id(route: str, event: Event) -> str:
    """Name the request that a route makes of an event: `<route>-<32 hex digits>`, the same for every repeat.

    Identity is the event's content, because most hosts do not sign the delivery id: a body replayed under another id
    is the same event. The host's event time tells A, B, A, B pushed by force apart.
    """
    identity = [event.kind, event.host, event.repository, event.ref, event.before, event.after, event.event_time]
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    return f"{route[:ROUTE_PART_OF_REQUEST_ID]}-{digest}"
