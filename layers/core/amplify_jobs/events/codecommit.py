"""AWS CodeCommit: state changes of repositories and pull requests, which EventBridge delivers.

Nothing is signed: who may put events on the default bus with a source of AWS's own is AWS alone. Source: CodeCommit
User Guide, "Monitoring CodeCommit events in Amazon EventBridge".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import normalize
from amplify_jobs.events.deliveries import LONGEST_DELIVERY_ID, Delivery
from amplify_jobs.events.event import Event, PullRequestAction
from amplify_jobs.events.identity import Origin
from amplify_jobs.events.normalize import BRANCHES, TAGS, Commit
from amplify_jobs.events.payload import author, items, member, name, ref, sha, text

SOURCE = "aws.codecommit"
REPOSITORY = "CodeCommit Repository State Change"
PULL_REQUEST = "CodeCommit Pull Request State Change"
_PREFIXES = {"branch": BRANCHES, "tag": TAGS}


def parse(event: Mapping[str, Any]) -> Delivery:
    """Read an event of EventBridge's. Raises UnreadableDeliveryError, also if it is not CodeCommit's."""
    if text(event, "source") != SOURCE:
        raise UnreadableDeliveryError(f"source must be {SOURCE}")
    kind = text(event, "detail-type")
    if kind == REPOSITORY:
        found = _reference(event)
    elif kind == PULL_REQUEST:
        found = _pull_request(event)
    else:
        return normalize.not_handled(kind, "detail-type in the event", [REPOSITORY, PULL_REQUEST])
    origin = Origin("codecommit", {}, event)
    return normalize.delivery([found], origin, delivery_id=(text(event, "id") or "")[:LONGEST_DELIVERY_ID] or None)


def _reference(event: Mapping[str, Any]) -> Event | str:
    detail = member(event, "detail")
    happened = text(detail, "event")
    if happened not in {"referenceCreated", "referenceUpdated", "referenceDeleted"}:
        return f"event {(happened or '')[:100]!r} of a repository is not handled"
    ref_type, changed = text(detail, "referenceType"), ref(detail, "referenceFullName")
    if changed is None:
        short = ref(detail, "referenceName")
        if ref_type not in _PREFIXES or short is None:
            raise UnreadableDeliveryError("detail needs referenceFullName")
        changed = _PREFIXES[ref_type] + short
    repository = name(detail, "repositoryName")
    deleted = happened == "referenceDeleted"
    # Of a deleted reference commitId is what it was.
    commit, old = sha(detail, "commitId"), sha(detail, "oldCommitId")
    return normalize.ref_change(
        ref=changed,
        repository=repository,
        before=old or commit if deleted else old,
        after=None if deleted else commit,
        created=happened == "referenceCreated",
        deleted=deleted,
        host=_arn(event, repository),
        head=Commit(commit),
    )


def _pull_request(event: Mapping[str, Any]) -> Event | str:
    detail = member(event, "detail")
    repository = next((found for found in items(detail, "repositoryNames") if isinstance(found, str)), None)
    repository = name({"name": repository}, "name")
    host_action = name(detail, "event")
    number = text(detail, "pullRequestId") or ""
    return normalize.pull_request(
        repository=repository,
        number=int(number) if number.isascii() and number.isdigit() and len(number) < 20 else None,
        host_action=host_action,
        action=_action(host_action, detail),
        ref=None,
        source=ref(detail, "sourceReference"),
        target=ref(detail, "destinationReference"),
        head=sha(detail, "sourceCommit"),
        from_fork=False,
        title=text(detail, "title"),
        author=_name(detail, "author"),
        draft=None,
        host=_arn(event, repository),
    )


def _action(host_action: str | None, detail: object) -> PullRequestAction:
    if host_action == "pullRequestCreated":
        return PullRequestAction.OPENED
    if host_action == "pullRequestSourceBranchUpdated":
        return PullRequestAction.SYNCHRONIZE
    if host_action not in {"pullRequestStatusChanged", "pullRequestMergeStatusUpdated"}:
        return PullRequestAction.OTHER
    if (text(detail, "isMerged") or "").lower() == "true":
        return PullRequestAction.MERGED
    closed = (text(detail, "pullRequestStatus") or "").lower() == "closed"
    return PullRequestAction.CLOSED if closed else PullRequestAction.OTHER


def _name(detail: object, *path: str) -> str | None:
    """The last part of a user's or session's ARN, which is its name."""
    return (author(detail, *path) or "").rpartition("/")[2] or None


def _arn(event: Mapping[str, Any], repository: str | None) -> str:
    """The repository's ARN.

    Raises UnreadableDeliveryError unless it fits the event's own account, Region and repository.
    """
    found = next((text({"arn": arn}, "arn") for arn in items(event, "resources")), None) or ""
    expected = ["codecommit", name(event, "region"), name(event, "account"), repository]
    if None in expected or found.split(":", 5)[2:] != expected or not found.startswith("arn:aws"):
        raise UnreadableDeliveryError(
            "resources must be the ARN of the repository, in the event's own account and Region"
        )
    return found
