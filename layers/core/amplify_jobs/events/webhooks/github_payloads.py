"""What GitHub's payloads and those made after them (Gitea, Forgejo) have in common.

Source: GitHub Docs, "Webhook events and payloads" (create, delete, pull_request, push, release), and Gitea's
modules/structs/hook.go.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import normalize
from amplify_jobs.events.deliveries import Headers, header
from amplify_jobs.events.event import Event, EventKind, PullRequestAction
from amplify_jobs.events.payload import author, flag, host, member, name, number, ref, sha, text

_ACTIONS = {
    "opened": PullRequestAction.OPENED,
    "synchronize": PullRequestAction.SYNCHRONIZE,
    "synchronized": PullRequestAction.SYNCHRONIZE,
    "reopened": PullRequestAction.REOPENED,
    "closed": PullRequestAction.CLOSED,
}
_OBJECT_NAME = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)


def is_form(headers: Headers) -> bool:
    """Say whether the payload comes as a form's field instead of as the body."""
    content_type = header(headers, "Content-Type") or ""
    return content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


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
        raise UnreadableDeliveryError("the body is no form with one field 'payload'") from None
    return content


def push_of(payload: dict[str, Any]) -> dict[str, Any]:
    """What a push says of its ref: the arguments of normalising.ref_change that all these hosts write alike."""
    pushed = ref(payload, "ref")
    if pushed is None or repository(payload) is None:
        raise UnreadableDeliveryError("a push needs ref and repository.full_name")
    before, after = sha(payload, "before"), sha(payload, "after")
    return {
        "ref": pushed,
        "repository": repository(payload),
        "before": before,
        "after": after,
        "created": flag(payload, "created") or (before is None and "before" in payload),
        "deleted": flag(payload, "deleted") or (after is None and "after" in payload),
        "host": repository_host(payload),
    }


def repository(payload: dict[str, Any]) -> str | None:
    """The repository's name with its owner."""
    return name(payload, "repository", "full_name")


def repository_host(payload: dict[str, Any]) -> str | None:
    """The host that the repository is on."""
    return host(payload, "repository", "html_url")


def created_or_deleted(payload: dict[str, Any], kind: EventKind) -> Event | str:
    """Read the host's separate word that a branch or tag was created or deleted."""
    return normalize.ref_event(
        kind=kind,
        name=ref(payload, "ref"),
        ref_type=text(payload, "ref_type"),
        repository=repository(payload),
        host=repository_host(payload),
        commit=sha(payload, "sha") if kind is EventKind.REF_CREATE else None,
    )


def from_fork(payload: dict[str, Any]) -> bool | None:
    """Whether a pull request's head lies in another repository; None where that is gone."""
    return normalize.different(name(payload, "pull_request", "head", "repo", "full_name"), repository(payload))


def pull_request(
    payload: dict[str, Any],
    *,
    from_fork: bool | None,
    draft: bool | None,
    was_draft: bool | None,
    previous_target: str | None,
) -> Event | str:
    """Read a pull request's event, and what each host tells in a way of its own."""
    pull = member(payload, "pull_request")
    host_action = name(payload, "action")
    action = _ACTIONS.get(host_action or "", PullRequestAction.OTHER)
    if action is PullRequestAction.CLOSED and flag(pull, "merged"):
        action = PullRequestAction.MERGED
    pull_number = number(payload, "number") or number(pull, "number")
    return normalize.pull_request(
        repository=repository(payload),
        number=pull_number,
        host_action=host_action,
        action=action,
        ref=f"refs/pull/{pull_number}/head",
        source=ref(pull, "head", "ref"),
        target=ref(pull, "base", "ref"),
        head=sha(pull, "head", "sha"),
        before=sha(payload, "before"),
        from_fork=from_fork,
        draft=draft,
        was_draft=was_draft,
        previous_target=previous_target,
        title=text(pull, "title"),
        author=author(pull, "user", "login"),
        host=repository_host(payload),
    )


def release(payload: dict[str, Any]) -> Event | str:
    """Read a release's event; its target is a branch or a commit."""
    made = member(payload, "release")
    target = ref(made, "target_commitish")
    is_commit = target is not None and _OBJECT_NAME.fullmatch(target) is not None
    return normalize.release(
        repository=repository(payload),
        action=name(payload, "action"),
        tag=ref(made, "tag_name"),
        title=text(made, "name"),
        branch=None if is_commit else target,
        commit=target if is_commit else None,
        host=repository_host(payload),
    )
