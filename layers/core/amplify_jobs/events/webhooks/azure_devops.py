"""Azure DevOps, Services and Server: service hooks, which know no signature but user and password (Basic).

Source: Microsoft's documentation, "Webhooks with Azure DevOps" and "Service hooks events".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import normalize
from amplify_jobs.events.deliveries import LONGEST_DELIVERY_ID, Delivery, Headers
from amplify_jobs.events.event import Event, PullRequestAction
from amplify_jobs.events.identity import Origin
from amplify_jobs.events.normalize import Commit
from amplify_jobs.events.payload import author, flag, host, items, member, name, number, ref, sha, text, time
from amplify_jobs.events.strict_json import json_body
from amplify_jobs.events.webhooks.signatures import verify_basic

PUSH = "git.push"
PULL_REQUEST = "git.pullrequest."
# What a message says before it names the pull request by its number; a title behind that can say anything.
_CODE_CAME, _TARGET, _REACTIVATED = "updated the source branch of", "target branch", "reactivated"
# This alone is said of "the pull request".
_PUBLISHED = "published the"
_ENDED = {"completed": PullRequestAction.MERGED, "abandoned": PullRequestAction.CLOSED}


def delivery_id(headers: Headers) -> str | None:  # noqa: ARG001 -- it is in the body
    """None: Azure DevOps writes the id into the body, where parse finds it."""
    return None


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- nothing is signed
    """Raise InvalidSignatureError unless one of the secrets, user:password, is given as Basic."""
    verify_basic(headers, secrets)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery: pushes of several refs are several events. Raises UnreadableDeliveryError."""
    payload = json_body(body)
    kind = text(payload, "eventType")
    if kind == PUSH:
        found: Iterable[Event | str] = _push(payload)
    elif kind is None or not kind.startswith(PULL_REQUEST):
        return normalize.not_handled(kind, "eventType in the body", [PUSH, f"{PULL_REQUEST}*"])
    else:
        found = [_pull_request(payload, kind.removeprefix(PULL_REQUEST))]
    ids = [part for part in (text(payload, "subscriptionId"), text(payload, "id")) if part]
    origin = Origin("azure-devops", headers, payload)
    return normalize.delivery(found, origin, delivery_id=":".join(ids)[:LONGEST_DELIVERY_ID] or None)


def _push(payload: dict[str, Any]) -> Iterable[Event | str]:
    updates = member(payload, "resource", "refUpdates")
    if not isinstance(updates, list):
        raise UnreadableDeliveryError("a push needs resource.refUpdates")
    push = member(payload, "resource")
    return normalize.ref_changes(updates, _repository(push), lambda update: _update(push, update))


def _update(push: object, update: object) -> Event | str:
    updated = ref(update, "name")
    if updated is None:
        raise UnreadableDeliveryError("an update of resource.refUpdates needs name")
    before, after = sha(update, "oldObjectId"), sha(update, "newObjectId")
    commits = items(push, "commits")
    head = next((commit for commit in commits if after and member(commit, "commitId") == after), None)
    return normalize.ref_change(
        ref=updated,
        repository=_repository(push),
        before=before,
        after=after,
        created=before is None,
        deleted=after is None,
        host=_host(push),
        head=Commit(after, time(head, "committer", "date"), text(head, "comment"), author(head, "author", "name")),
    )


def _pull_request(payload: dict[str, Any], host_action: str) -> Event | str:
    pull = member(payload, "resource")
    pull_number = number(pull, "pullRequestId")
    deed = _deed(payload, pull_number)
    action = _action(host_action, text(pull, "status"), deed)
    return normalize.pull_request(
        repository=_repository(pull),
        number=pull_number,
        host_action=host_action,
        action=action,
        ref=f"refs/pull/{pull_number}/merge",
        source=ref(pull, "sourceRefName"),
        target=ref(pull, "targetRefName"),
        head=sha(pull, "lastMergeSourceCommit", "commitId"),
        from_fork=member(pull, "forkSource") is not None,
        title=text(pull, "title"),
        author=author(pull, "createdBy", "displayName"),
        draft=flag(pull, "isDraft"),
        was_draft=deed is not None and deed.endswith(_PUBLISHED),
        unclear=action is PullRequestAction.SYNCHRONIZE and deed is None,
        host=_host(pull),
    )


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


def _deed(payload: dict[str, Any], number: int | None) -> str | None:
    """Who did what to a pull request, as the message has it before it names it; None where that is not understood."""
    deed, _, rest = (text(payload, "message", "text") or "").partition(" pull request")
    named = re.match(rf" {number}\b", rest) is not None
    return deed if named or deed.endswith(_PUBLISHED) else None


def _repository(resource: object) -> str | None:
    project, repository = name(resource, "repository", "project", "name"), name(resource, "repository", "name")
    return f"{project}/{repository}" if project and repository else None


def _host(resource: object) -> str | None:
    """Host and repository's id: names of projects are unique in an organisation only, and many share one host."""
    parts = [host(resource, "repository", "remoteUrl"), name(resource, "repository", "id")]
    return "/".join(part for part in parts if part) or None
