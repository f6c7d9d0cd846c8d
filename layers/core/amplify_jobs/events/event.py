"""Events: what happened at a git host or in AWS, in one form for all of them, and what identifies one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.base import Model
from amplify_jobs.model.operations import FOLLOW_JOB, Operation
from amplify_jobs.model.request import (
    JOB_REASON_LIMIT,
    LONGEST_MINUTES,
    MOST_RETRIES,
    REQUEST_ID_PATTERN,
    ROUTE_NAME_PATTERN,
    OnTimeout,
    RetryWhen,
)
from amplify_jobs.model.s3_uri import S3Uri
from amplify_jobs.model.validation import faults

ROUTE_PART_OF_REQUEST_ID = 40


class EventKind(StrEnum):
    """What happened."""

    PUSH = "push"
    TAG = "tag"
    PULL_REQUEST = "pull_request"
    RELEASE = "release"
    PING = "ping"
    REF_CREATE = "ref_create"
    REF_DELETE = "ref_delete"
    SCHEDULE = "schedule"
    OBJECT = "object"
    REQUEST = "request"


class PullRequestAction(StrEnum):
    """What happened to a pull request, in GitHub's words; OTHER is everything that changes neither code nor state."""

    OPENED = "opened"
    SYNCHRONIZE = "synchronize"
    REOPENED = "reopened"
    CLOSED = "closed"
    MERGED = "merged"
    OTHER = "other"


class Approval(Model):
    """What may let the code of a fork be built: the labels that an event set, or the first line of its comment.

    `person` is who did it, by a name or id that nobody else can take at the host; None where the host does not say.
    """

    labels: tuple[str, ...] = ()
    comment: str | None = None
    person: str | None = None


class PullRequest(Model):
    """A pull or merge request; `action` is normalised over the hosts, `hostAction` keeps the host's own word.

    `fromFork` is None where the host does not say where the head lies, as after the fork was deleted: it may be one.
    `draft` is None where the host does not say. `becameReady` and `previousTarget`, the branch that it was to be merged
    into before, are what this event changed. `unclear` is an update of which the host does not say what changed: it may
    be the code, which it is taken for, or nothing that matters. `targetUnclear` is one that may have changed the target
    of which the host does not tell the one before. `approval` is what this event brought, not what the pull request
    has. `sourceRef` is the full ref of its source, where that lies in the event's own repository.
    """

    number: int
    action: PullRequestAction
    host_action: str
    source: str | None = None
    target: str | None = None
    head: str | None = None
    from_fork: bool | None = None
    draft: bool | None = None
    became_ready: bool = False
    previous_target: str | None = None
    unclear: bool = False
    target_unclear: bool = False
    approval: Approval | None = None
    source_ref: str | None = None

    @property
    def is_approval(self) -> bool:
        """Whether a label or a comment is all that the event brought."""
        return self.approval is not None and self.identity_action is PullRequestAction.OTHER

    @property
    def identity_action(self) -> PullRequestAction:
        """The action that makes the event new.

        One that became ready, or got another target, may be as good as opened for a route. An unclear update of what
        was opened before is nothing new.
        """
        is_late = self.action is PullRequestAction.OTHER and (self.became_ready or self.previous_target is not None)
        return PullRequestAction.OPENED if is_late or self.unclear else self.action


class Release(Model):
    """A release that was made from a tag."""

    action: str
    tag: str


class Schedule(Model):
    """A schedule that came due: the route that it belongs to, and when it was to fire, as EventBridge Scheduler says.

    A second attempt at the same time is the same event, so the attempt's own id is no part of it.
    """

    route: Annotated[str, StringConstraints(pattern=ROUTE_NAME_PATTERN)]
    scheduled_time: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class StoredObject(Model):
    """An object that was written to a bucket; `version` in buckets that keep versions, `sequencer` tells writes apart.

    Source: Amazon S3 User Guide, "EventBridge event message structure", Object Created.
    """

    bucket: str
    key: str
    version: str | None = None
    sequencer: str | None = None
    size: int | None = None


class Channel(StrEnum):
    """The way by which a request came: its sender chooses the name of its source, but not the channel."""

    WEBHOOK = "webhook"
    BUS = "bus"
    INVOCATION = "invocation"


class RequestedJob(Model):
    """What a sender asks for outright: a job in the API's own names, or a route of ours by its name.

    `reason` says why, in at most 255 characters: for announcements, and for Amplify where no jobReason is given.
    """

    version: Literal["1"] = "1"
    request_id: Annotated[str, StringConstraints(pattern=REQUEST_ID_PATTERN)] | None = None
    route: Annotated[str, StringConstraints(pattern=ROUTE_NAME_PATTERN)] | None = None
    operation: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_uri: S3Uri | None = None
    timeout_minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] | None = None
    start_within_minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] | None = None
    on_timeout: OnTimeout | None = None
    retry: Annotated[int, Field(ge=0, le=MOST_RETRIES)] | None = None
    retry_when: RetryWhen | None = None
    supersede: bool | None = None
    reason: Annotated[str, StringConstraints(max_length=JOB_REASON_LIMIT)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> RequestedJob:
        if self.route is None:
            if self.operation is None or self.parameters is None:
                raise ValueError("give either route, or operation and parameters")
        elif self.model_dump(exclude={"version", "request_id", "route", "reason"}, exclude_none=True):
            raise ValueError("a route has its own operation, parameters and limits; leave them out")
        if self.operation == FOLLOW_JOB:
            raise ValueError(f"{FOLLOW_JOB} is no operation of Amplify's; use one of {', '.join(Operation)}")
        if self.retry_when is not None and self.retry is None:
            raise ValueError("retryWhen says after which failures, but retry is missing; say how often")
        return self


def parse_requested_job(raw: object) -> RequestedJob:
    """Read what a sender asks for outright. Raises RequestRejected naming every fault with its path."""
    try:
        return RequestedJob.model_validate(raw)
    except ValidationError as error:
        raise RequestRejected("; ".join(faults(error))) from None


class Observation(Model):
    """That reconcile found a ref at a commit of which no delivery had told.

    `first_seen` is when it found the ref there for the first time, and `between` are the objects at which it found it
    since all was asked for. A delivery that was processed before `asked_since` was of an earlier change, even if it
    brought the ref to the same commit.
    """

    first_seen: datetime
    asked_since: datetime
    between: tuple[str, ...] = ()


_ASKS_FOR_NOTHING = {
    EventKind.PING: "a ping asks for no job; the webhook works",
    EventKind.REF_CREATE: "that a branch or tag was created asks for no job; the push of it does",
    EventKind.REF_DELETE: "that a branch or tag was deleted asks for no job",
}


class Event(Model):
    """Something that happened, normalised; what the host did not say is None.

    `commit` is the one to build: for an annotated tag the commit behind it, where `after` is the tag object. `pusher`
    is the person behind the event, without an e-mail address: who pushed, changed the pull request or made the release.
    `changedFiles` is None where the host did not list them all; `withoutCommits`, the host lists none. `skipOption` is
    what the sender's git was told for no job to be asked for, as GitLab's `-o ci.skip`. `host` and `eventTime` (the
    host's own time of the event, as it wrote it) only tell one event from another, and so does `evidence`: what
    evidence.py reads from the event's delivery, None until the delivery itself is named. `request` and `key`,
    the sender's name for it, are what an event of the kind `request` consists of, and `channel` is the way by which it
    came; `schedule` and `object` are what those of their kinds do. `installation` is that of the GitHub App whose
    webhook it came by. `observation` is what an event that no host sent rests on. `replay` marks an event that a person
    had processed again: it is another one than before.
    """

    kind: EventKind
    host: str | None = None
    event_time: str | None = None
    evidence: tuple[str, ...] | None = ()
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
    pusher: str | None = None
    created: bool = False
    deleted: bool = False
    forced: bool | None = None
    changed_files: tuple[str, ...] | None = None
    without_commits: bool = False
    skip_option: str | None = None
    pull_request: PullRequest | None = None
    release: Release | None = None
    schedule: Schedule | None = None
    object: StoredObject | None = None
    request: RequestedJob | None = None
    key: str | None = None
    channel: Channel | None = None
    installation: int | None = None
    observation: Observation | None = None
    replay: str | None = None

    def for_answer(self) -> dict[str, Any]:
        """What the answer to a delivery says of the event, in JSON's types."""
        hidden = {"host", "event_time", "evidence", "commit_time", "schedule", "object", "request", "key", "channel"}
        hidden |= {"installation", "observation", "pusher", "replay"}
        # Few pushes are of such a kind; the others are not told that they are not.
        hidden |= {name for name in ("without_commits", "skip_option") if not getattr(self, name)}
        shown = self.model_dump(mode="json", by_alias=True, exclude=hidden)
        if pull := shown["pullRequest"]:
            del pull["unclear"], pull["targetUnclear"], pull["sourceRef"]
            if pull["approval"] is None:
                del pull["approval"]
        return shown

    @property
    def digest(self) -> str:
        """The event's identity, in 64 hexadecimal digits."""
        return digest(_identity(self))

    @property
    def reason_to_ignore(self) -> str | None:
        """Why the event asks for no job whatever the routes say; None where they decide."""
        return _ASKS_FOR_NOTHING.get(self.kind)

    @property
    def author_name(self) -> str | None:
        """The author without the e-mail address that Bitbucket puts after the name: for all that others read."""
        return self.author and (self.author.partition("<")[0].strip() or None)

    @property
    def files_to_match(self) -> tuple[str, ...] | None:
        """The files that a condition on paths may rely on; None, that is unknown, where those listed are not all.

        Hosts list the files of the commits that came, not of those that went: after a push by force, and an update
        that brings no commit can only be one. A new branch was never built, so nothing of it is unchanged.
        """
        complete = not self.forced and not self.created and not self.without_commits
        return self.changed_files if complete else None


def request_id(route: str, event: Event) -> str:
    """Name the request that a route makes of an event: `<route>-<32 hex digits>`, the same for every repeat.

    Identity is the event's content, and the evidence that tells it from other events of the same content.
    """
    return f"{route[:ROUTE_PART_OF_REQUEST_ID]}-{event.digest[:32]}"


def digest(parts: Sequence[str | int | None]) -> str:
    """What tells one list of parts from every other, in 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _identity(event: Event) -> list[str | int | None]:
    return [*_content(event), *([f"replay {event.replay}"] if event.replay else [])]


def _content(event: Event) -> list[str | int | None]:
    if event.request is not None:
        return [event.kind, event.host, event.key]
    if event.schedule is not None:
        return [event.kind, event.schedule.route, event.schedule.scheduled_time]
    if event.object is not None:
        stored = event.object
        return [event.kind, stored.bucket, stored.key, stored.version or stored.sequencer or event.event_time]
    evidence = event.evidence or (event.event_time,)
    if event.pull_request is not None:
        pull = event.pull_request
        content = [event.kind, event.host, event.repository, pull.number]
        if pull.approval is not None and pull.is_approval:
            return [*content, "approval", *pull.approval.labels, pull.approval.comment, pull.head, *evidence]
        if pull.identity_action is PullRequestAction.OTHER:
            return [*content, pull.host_action, pull.head]
        if pull.identity_action is PullRequestAction.MERGED:
            evidence = (None,)
        return [*content, pull.identity_action, pull.head, event.before, pull.previous_target, *evidence]
    if event.release is not None:
        release = event.release
        return [event.kind, event.host, event.repository, release.tag, release.action, event.commit, *evidence]
    return [event.kind, event.host, event.repository, event.ref, event.before, event.after, *evidence]
