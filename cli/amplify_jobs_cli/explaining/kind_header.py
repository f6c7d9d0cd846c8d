"""The header in which a host names the kind of its event, made from the body where the header is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events.deliveries import header as find_header
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.strict_json import json_object

# A pull request is updated once more as it is created.
_SECONDS_OF_CREATION = 5


def missing_kind_header(provider_name: str, headers: Mapping[str, str], body: bytes) -> tuple[str, str] | None:
    """Make the name and the value of the header; None where it is there, the host has none, or the body is unreadable.

    Raises UnreadableDeliveryError where the body tells no kind.
    """
    if provider_name not in _KINDS:
        return None
    name, kind_of = _KINDS[provider_name]
    if find_header(headers, name) is not None:
        return None
    try:
        content = body.decode()
        if content.startswith("payload="):
            content = parse_qs(content, strict_parsing=True, max_num_fields=10)["payload"][0]
        kind = kind_of(json_object(content))
    except (ValueError, KeyError):
        return None
    if kind is None:
        raise UnreadableDeliveryError(f"the body does not tell the kind of its event; add --header '{name}: …'")
    return name, kind


def _github_kind(payload: dict[str, Any]) -> str | None:
    """Also of Gitea and Forgejo, which write the same members."""
    if "zen" in payload:
        return "ping"
    for name in ("review", "comment", "issue", "release", "pull_request"):
        if isinstance(payload.get(name), dict):
            return {"review": "pull_request_review", "comment": "issue_comment", "issue": "issues"}.get(name, name)
    if "ref_type" in payload:
        return "delete" if "pusher_type" in payload and "master_branch" not in payload else "create"
    return "push" if "ref" in payload else None


def _bitbucket_kind(payload: dict[str, Any]) -> str | None:
    if "push" in payload:
        return "repo:push"
    pull = payload.get("pullrequest")
    if pull is None:
        return None
    if "comment" in payload:
        return "pullrequest:comment_created"
    if "approval" in payload:
        return "pullrequest:approved"
    open_kind = "pullrequest:created" if _is_new(pull) else "pullrequest:updated"
    return {"MERGED": "pullrequest:fulfilled", "DECLINED": "pullrequest:rejected"}.get(
        Payload(pull).text("state") or "", open_kind
    )


def _is_new(pull: object) -> bool:
    """Whether a pull request was updated only as it was created."""
    try:
        times = (Payload(pull).text(name) or "" for name in ("created_on", "updated_on"))
        created, updated = map(datetime.fromisoformat, times)
        return abs((updated - created).total_seconds()) < _SECONDS_OF_CREATION
    except (ValueError, TypeError):
        return False


def _data_center_kind(payload: dict[str, Any]) -> str | None:
    return "diagnostics:ping" if payload.get("test") is True else Payload(payload).text("eventKey")


# Provider -> the header that names the kind of its events, and how the body tells it. The other hosts' bodies name it.
_KINDS: dict[str, tuple[str, Callable[[dict[str, Any]], str | None]]] = {
    "github": ("X-GitHub-Event", _github_kind),
    "gitea": ("X-Gitea-Event", _github_kind),
    "forgejo": ("X-Forgejo-Event", _github_kind),
    "bitbucket": ("X-Event-Key", _bitbucket_kind),
    "bitbucket-server": ("X-Event-Key", _data_center_kind),
}
