"""Azure DevOps, Services and Server: service hooks, which know no signature but user and password (Basic).

Source: Microsoft's documentation, "Webhooks with Azure DevOps" and "Service hooks events".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import evidence, normalize
from amplify_jobs.events.deliveries import LONGEST_DELIVERY_ID, Delivery, Headers
from amplify_jobs.events.event import EventKind, PullRequestAction
from amplify_jobs.events.evidence import Evidence, Member, Origin, Time
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
from amplify_jobs.events.strict_json import json_body
from amplify_jobs.events.webhooks.signatures import verify_basic

EVIDENCE = (
    Evidence(evidence.REFS, ((Time("resource.date"),),)),
    Evidence(evidence.PULL_REQUEST, ((Time("resource.closedDate"),),), (PullRequestAction.CLOSED,)),
    Evidence(
        evidence.PULL_REQUEST,
        # An update whose message does not say what it was counts as this too: a vote makes no merge commit.
        (
            (Time("createdDate", words="published the pull request"),),
            (Member("resource.lastMergeCommit.commitId"), Member("resource.mergeId")),
            (Time("createdDate"),),
        ),
        (PullRequestAction.OPENED,),
    ),
    Evidence(evidence.PULL_REQUEST, ((Time("createdDate"),),)),
)
OMISSIONS = {
    EventKind.PUSH: frozenset({"changed_files"}),
    EventKind.PULL_REQUEST: frozenset({"changed_files", "before"}),
    EventKind.RELEASE: RELEASE_MEMBERS,
}
APPROVAL = "comment"
WEBHOOK_EVENTS = {
    EventKind.PUSH: ("Code pushed",),
    EventKind.TAG: ("Code pushed",),
    EventKind.PULL_REQUEST: ("Pull request created", "Pull request updated"),
    "approval": ("Pull request commented on",),
}

PUSH = "git.push"
PULL_REQUEST = "git.pullrequest."
COMMENT = "ms.vss-code.git-pullrequest-comment-event"
# What a message says before it names the pull request by its number; a title behind that can say anything.
_CODE_CAME, _TARGET, _REACTIVATED = "updated the source branch of", "target branch", "reactivated"
# This alone is said of "the pull request".
_PUBLISHED = "published the"
_ENDED = {"completed": PullRequestAction.MERGED, "abandoned": PullRequestAction.CLOSED}


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- nothing is signed
    """Raise InvalidSignatureError unless one of the secrets, user:password, is given as Basic."""
    verify_basic(headers, secrets)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery: pushes of several refs are several events. Raises UnreadableDeliveryError."""
    payload = Payload(json_body(body))
    kind = payload.text("eventType")
    if kind == PUSH:
        facts: Iterable[Facts | Ignored] = _push(payload)
    elif kind == COMMENT:
        facts = [_comment(payload)]
    elif kind is None or not kind.startswith(PULL_REQUEST):
        return normalize.not_handled(kind, "eventType in the body", [PUSH, f"{PULL_REQUEST}*", COMMENT])
    else:
        facts = [_pull_request(payload, payload.at("resource"), kind.removeprefix(PULL_REQUEST))]
    ids = [part for part in (payload.text("subscriptionId"), payload.text("id")) if part]
    origin = Origin(EVIDENCE, headers, payload)
    return normalize.delivery(
        facts,
        origin,
        # Of a change of a pull request only the words of a message tell who made it.
        pusher=payload.author("resource", "pushedBy", "displayName")
        or payload.author("resource", "comment", "author", "displayName"),
        delivery_id=":".join(ids)[:LONGEST_DELIVERY_ID] or None,
    )


def _push(payload: Payload) -> Iterable[RefChange | Ignored]:
    push = payload.at("resource")
    if not push.has_list("refUpdates"):
        raise UnreadableDeliveryError("a push needs resource.refUpdates")
    return normalize.ref_changes(push.elements("refUpdates"), _repository(push), lambda update: _update(push, update))


def _update(push: Payload, update: Payload) -> RefChange:
    ref = update.ref("name")
    if ref is None:
        raise UnreadableDeliveryError("an update of resource.refUpdates needs name")
    before, after = update.sha("oldObjectId"), update.sha("newObjectId")
    commits = push.elements("commits")
    head = next((commit for commit in commits if after and commit.member("commitId") == after), Payload(None))
    return RefChange(
        repository=_repository(push),
        ref=ref,
        before=before,
        after=after,
        created=before is None,
        deleted=after is None,
        head=Commit(after, head.time("committer", "date"), head.text("comment"), head.author("author", "name")),
    )


def _pull_request(payload: Payload, pull: Payload, host_action: str) -> PullRequestFacts:
    number = pull.number("pullRequestId")
    deed = _deed(payload, number)
    action = _action(host_action, pull.text("status"), deed)
    return PullRequestFacts(
        repository=_repository(pull),
        number=number,
        host_action=host_action,
        action=action,
        ref=f"refs/pull/{number}/merge",
        source=pull.ref("sourceRefName"),
        target=pull.ref("targetRefName"),
        head=pull.sha("lastMergeSourceCommit", "commitId"),
        from_fork=pull.member("forkSource") is not None,
        title=pull.text("title"),
        author=pull.author("createdBy", "displayName"),
        draft=pull.flag("isDraft"),
        was_draft=deed is not None and deed.endswith(_PUBLISHED),
        unclear=action is PullRequestAction.SYNCHRONIZE and deed is None,
        target_unclear=action is PullRequestAction.SYNCHRONIZE and (deed is None or _TARGET in deed),
    )


def _comment(payload: Payload) -> PullRequestFacts | Ignored:
    """A comment and who wrote it, by the id: the unique name is an e-mail address.

    An edited comment comes as the same event, and may be of before the newest code.
    """
    comment, pull = payload.at("resource", "comment"), payload.at("resource", "pullRequest")
    if not pull.is_object:
        return Ignored("the comment does not say which pull request it is of: choose resource version 2.0")
    published, changed = (comment.text(key) for key in ("publishedDate", "lastContentUpdatedDate"))
    if published != changed or comment.flag("isDeleted") or comment.text("commentType") != "text":
        return Ignored("only a new comment of a person is handled")
    is_open = pull.text("status") == "active"
    approval = normalize.comment_approval(comment.text("content"), comment.author("author", "id"), is_open=is_open)
    if isinstance(approval, Ignored):
        return approval
    return replace(_pull_request(payload, pull, "comment"), approval=approval)


def _action(host_action: str, status: str | None, deed: str | None) -> PullRequestAction:
    """What happened, for `updated` stands for every change and `merged` for every attempt to merge, also to try it.

    What an update of an active pull request was is only in the words of its message, where there is one. An update that
    says nothing, or says it in other words, may be of the code, so it counts as that.
    """
    if host_action == "created":
        return PullRequestAction.OPENED
    if host_action not in {"updated", "merged"}:
        return PullRequestAction.OTHER
    if status in _ENDED:
        return _ENDED[status]
    if host_action == "merged":
        return PullRequestAction.OTHER
    if deed is None or deed.endswith(_CODE_CAME) or _TARGET in deed:
        return PullRequestAction.SYNCHRONIZE
    return PullRequestAction.REOPENED if deed.endswith(_REACTIVATED) else PullRequestAction.OTHER


def _deed(payload: Payload, number: int | None) -> str | None:
    """Who did what to a pull request, as the message has it before it names it; None where that is not understood."""
    deed, _, rest = (payload.text("message", "text") or "").partition(" pull request")
    has_number = re.match(rf" {number}\b", rest) is not None
    return deed if has_number or deed.endswith(_PUBLISHED) else None


def _repository(resource: Payload) -> Repository:
    """The repository, by its name with its project's, and by its host and id.

    Names of projects are unique in an organisation only, and many organisations share one host.
    """
    project, name = resource.name("repository", "project", "name"), resource.name("repository", "name")
    address = [resource.host("repository", "remoteUrl"), resource.name("repository", "id")]
    host = "/".join(part for part in address if part) or None
    return Repository(f"{project}/{name}" if project and name else None, host)
