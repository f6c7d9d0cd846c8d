"""AWS CodeCommit: state changes of repositories and pull requests, which EventBridge delivers.

Nothing is signed: who may put events on the default bus with a source of AWS's own is AWS alone. Source: CodeCommit
User Guide, "Monitoring CodeCommit events in Amazon EventBridge".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import evidence, normalize
from amplify_jobs.events.deliveries import LONGEST_DELIVERY_ID, Delivery
from amplify_jobs.events.event import EventKind, PullRequestAction
from amplify_jobs.events.evidence import Evidence, Origin, Time
from amplify_jobs.events.normalize import (
    RELEASE_MEMBERS,
    Commit,
    Facts,
    Ignored,
    PullRequestFacts,
    RefChange,
    Repository,
)
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.refs import BRANCHES, TAGS

SOURCE = "aws.codecommit"
REPOSITORY = "CodeCommit Repository State Change"
PULL_REQUEST = "CodeCommit Pull Request State Change"

EVIDENCE = (Evidence((*evidence.REFS, *evidence.PULL_REQUEST), ((Time("time"),),)),)
OMISSIONS = {
    EventKind.PUSH: frozenset({"changed_files", "author", "message"}),
    EventKind.TAG: frozenset({"author", "message"}),
    EventKind.PULL_REQUEST: frozenset({"changed_files", "before", "ref", "draft", "reopened", "became_ready"}),
    EventKind.RELEASE: RELEASE_MEMBERS,
}
# It has no forks.
APPROVAL = None
# It has no webhook.
WEBHOOK_EVENTS: Mapping[EventKind, tuple[str, ...]] = {}

_PREFIXES = {"branch": BRANCHES, "tag": TAGS}


def parse(event: Mapping[str, Any]) -> Delivery:
    """Read an event of EventBridge's. Raises UnreadableDeliveryError, also if it is not CodeCommit's."""
    payload = Payload(event)
    if payload.text("source") != SOURCE:
        raise UnreadableDeliveryError(f"source must be {SOURCE}")
    kind = payload.text("detail-type")
    if kind == REPOSITORY:
        fact: Facts | Ignored = _reference(payload)
    elif kind == PULL_REQUEST:
        fact = _pull_request(payload)
    else:
        return normalize.not_handled(kind, "detail-type in the event", [REPOSITORY, PULL_REQUEST])
    event_id = (payload.text("id") or "")[:LONGEST_DELIVERY_ID] or None
    caller = _name_in_arn(payload.author("detail", "callerUserArn"))
    return normalize.delivery([fact], Origin(EVIDENCE, {}, payload), pusher=caller, delivery_id=event_id)


def _reference(payload: Payload) -> RefChange | Ignored:
    detail = payload.at("detail")
    action = detail.text("event")
    if action not in {"referenceCreated", "referenceUpdated", "referenceDeleted"}:
        return Ignored(f"event {(action or '')[:100]!r} of a repository is not handled")
    ref_type, ref = detail.text("referenceType"), detail.ref("referenceFullName")
    if ref is None:
        name = detail.ref("referenceName")
        if ref_type not in _PREFIXES or name is None:
            raise UnreadableDeliveryError("detail needs referenceFullName")
        ref = _PREFIXES[ref_type] + name
    deleted = action == "referenceDeleted"
    # Of a deleted reference commitId is what it was.
    commit, old = detail.sha("commitId"), detail.sha("oldCommitId")
    return RefChange(
        repository=_repository(payload, detail.name("repositoryName")),
        ref=ref,
        before=old or commit if deleted else old,
        after=None if deleted else commit,
        created=action == "referenceCreated",
        deleted=deleted,
        head=Commit(commit),
    )


def _pull_request(payload: Payload) -> PullRequestFacts:
    detail = payload.at("detail")
    names = (name.name() for name in detail.elements("repositoryNames") if isinstance(name.value, str))
    host_action = detail.name("event")
    number = detail.text("pullRequestId") or ""
    return PullRequestFacts(
        repository=_repository(payload, next(names, None)),
        number=int(number) if number.isascii() and number.isdigit() and len(number) < 20 else None,
        host_action=host_action,
        action=_action(host_action, detail),
        source=detail.ref("sourceReference"),
        target=detail.ref("destinationReference"),
        head=detail.sha("sourceCommit"),
        from_fork=False,
        title=detail.text("title"),
        author=_name_in_arn(detail.author("author")),
        draft=None,
    )


def _name_in_arn(arn: str | None) -> str | None:
    """The last part of a user's or session's ARN, which is its name."""
    return (arn or "").rpartition("/")[2] or None


def _action(host_action: str | None, detail: Payload) -> PullRequestAction:
    if host_action == "pullRequestCreated":
        return PullRequestAction.OPENED
    if host_action == "pullRequestSourceBranchUpdated":
        return PullRequestAction.SYNCHRONIZE
    if host_action not in {"pullRequestStatusChanged", "pullRequestMergeStatusUpdated"}:
        return PullRequestAction.OTHER
    if (detail.text("isMerged") or "").lower() == "true":
        return PullRequestAction.MERGED
    is_closed = (detail.text("pullRequestStatus") or "").lower() == "closed"
    return PullRequestAction.CLOSED if is_closed else PullRequestAction.OTHER


def _repository(payload: Payload, name: str | None) -> Repository:
    """The repository, by its name and its ARN.

    Raises UnreadableDeliveryError unless the ARN fits the event's own account, Region and the name.
    """
    arn = next((resource.text() for resource in payload.elements("resources")), None) or ""
    expected = ["codecommit", payload.name("region"), payload.name("account"), name]
    if None in expected or arn.split(":", 5)[2:] != expected or not arn.startswith("arn:aws"):
        raise UnreadableDeliveryError(
            "resources must be the ARN of the repository, in the event's own account and Region"
        )
    return Repository(name, arn)
