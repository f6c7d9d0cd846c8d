"""What GitHub's payloads and those made after them (Gitea, Forgejo) have in common.

github.py and gitea.py call this module, which calls neither. Source: GitHub Docs, "Webhook events and payloads"
(create, delete, pull_request, push, release), and Gitea's modules/structs/hook.go.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import normalize
from amplify_jobs.events.deliveries import Headers, header
from amplify_jobs.events.event import EventKind, PullRequestAction
from amplify_jobs.events.normalize import PullRequestFacts, RefChange, RefNotice, ReleaseFacts, Repository
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.strict_json import json_object

_ACTIONS = {
    "opened": PullRequestAction.OPENED,
    "synchronize": PullRequestAction.SYNCHRONIZE,
    "synchronized": PullRequestAction.SYNCHRONIZE,
    "reopened": PullRequestAction.REOPENED,
    "closed": PullRequestAction.CLOSED,
}
_OBJECT_NAME = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)


def read_payload(headers: Headers, body: bytes) -> Payload:
    """Decode the payload of a delivery. Raises UnreadableDeliveryError."""
    return Payload(json_object(payload_text(headers, body)))


def payload_text(headers: Headers, body: bytes) -> str:
    """The payload's JSON: the body, or the field `payload` of a form. Raises UnreadableDeliveryError."""
    try:
        content = body.decode()
        if is_form(headers):
            form = parse_qs(content, strict_parsing=True, errors="strict", max_num_fields=10)
            (content,) = form["payload"]
    except UnicodeDecodeError:
        raise UnreadableDeliveryError("the body is not UTF-8") from None
    except (ValueError, KeyError):
        raise UnreadableDeliveryError("the body is not a form with one field 'payload'") from None
    return content


def is_form(headers: Headers) -> bool:
    """Whether the payload comes as a form's field instead of as the body."""
    content_type = header(headers, "Content-Type") or ""
    return content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def repository(payload: Payload) -> Repository:
    """The repository, by its name with its owner and by its host."""
    return Repository(payload.name("repository", "full_name"), payload.host("repository", "html_url"))


def pusher(payload: Payload) -> str | None:
    """Who pushed, by the name of the account; of any other event, whose account made it."""
    return payload.author("pusher", "login") or payload.author("pusher", "name") or payload.author("sender", "login")


def push(payload: Payload) -> RefChange:
    """Read a push, without its commits, which each host writes in a way of its own."""
    ref = payload.ref("ref")
    if ref is None or repository(payload).name is None:
        raise UnreadableDeliveryError("a push needs ref and repository.full_name")
    before, after = payload.sha("before"), payload.sha("after")
    return RefChange(
        repository=repository(payload),
        ref=ref,
        before=before,
        after=after,
        created=payload.flag("created") or (before is None and "before" in payload.value),
        deleted=payload.flag("deleted") or (after is None and "after" in payload.value),
    )


def created_ref(payload: Payload) -> RefNotice:
    """Read the separate notice that a branch or tag was created."""
    return RefNotice(
        repository=repository(payload),
        kind=EventKind.REF_CREATE,
        name=payload.ref("ref"),
        ref_type=payload.text("ref_type"),
        commit=payload.sha("sha"),
    )


def deleted_ref(payload: Payload) -> RefNotice:
    """Read the separate notice that a branch or tag was deleted."""
    return RefNotice(
        repository=repository(payload),
        kind=EventKind.REF_DELETE,
        name=payload.ref("ref"),
        ref_type=payload.text("ref_type"),
    )


def pull_request(payload: Payload) -> PullRequestFacts:
    """Read a pull request's event, without whether it is a draft and what it was before."""
    pull = payload.at("pull_request")
    host_action = payload.name("action")
    action = _ACTIONS.get(host_action or "", PullRequestAction.OTHER)
    if action is PullRequestAction.CLOSED and pull.flag("merged"):
        action = PullRequestAction.MERGED
    number = payload.number("number") or pull.number("number")
    target = repository(payload)
    return PullRequestFacts(
        repository=target,
        number=number,
        host_action=host_action,
        action=action,
        ref=f"refs/pull/{number}/head",
        source=pull.ref("head", "ref"),
        target=pull.ref("base", "ref"),
        head=pull.sha("head", "sha"),
        before=payload.sha("before"),
        # None where the repository of the head is gone.
        from_fork=normalize.differ(pull.name("head", "repo", "full_name"), target.name),
        draft=None,
        title=pull.text("title"),
        author=pull.author("user", "login"),
    )


def release(payload: Payload) -> ReleaseFacts:
    """Read a release's event; its target is a branch or a commit."""
    target = payload.ref("release", "target_commitish")
    is_commit = target is not None and _OBJECT_NAME.fullmatch(target) is not None
    return ReleaseFacts(
        repository=repository(payload),
        action=payload.name("action"),
        tag=payload.ref("release", "tag_name"),
        title=payload.text("release", "name"),
        branch=None if is_commit else target,
        commit=target if is_commit else None,
    )
