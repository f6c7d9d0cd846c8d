"""Bitbucket Cloud: deliveries signed with X-Hub-Signature.

Source: Bitbucket Cloud's documentation, "Manage webhooks" and "Event payloads".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import deliveries, normalize
from amplify_jobs.events.deliveries import Delivery, Headers, header
from amplify_jobs.events.event import Event, PullRequestAction
from amplify_jobs.events.identity import Origin
from amplify_jobs.events.normalize import BRANCHES, TAGS, Commit
from amplify_jobs.events.payload import author, flag, member, name, number, ref, sha, text, time
from amplify_jobs.events.strict_json import json_body
from amplify_jobs.events.webhooks.signatures import hmac_sha256_hex, verify_hex_signature

SIGNATURE_HEADER = "X-Hub-Signature"
EVENT_HEADER = "X-Event-Key"
HOST = "bitbucket.org"

PUSH = "repo:push"
PULL_REQUEST = "pullrequest:"
# Bitbucket does not say what of a pull request was updated: it may be the code, so it counts as that.
_ACTIONS = {
    "created": PullRequestAction.OPENED,
    "updated": PullRequestAction.SYNCHRONIZE,
    "fulfilled": PullRequestAction.MERGED,
    "rejected": PullRequestAction.CLOSED,
}
# A person's names, the best first; older payloads have the last.
_NAMES = ("display_name", "nickname", "username")
_PREFIXES = {"branch": BRANCHES, "tag": TAGS}


def sign(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature for a body, as Bitbucket makes it."""
    return "sha256=" + hmac_sha256_hex(secret, body)


def delivery_id(headers: Headers) -> str | None:
    """The X-Request-UUID header; it is not signed."""
    return deliveries.delivery_id(headers, "X-Request-UUID")


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- no time is signed
    """Raise InvalidSignatureError unless one of the secrets signed the raw body."""
    verify_hex_signature(headers, SIGNATURE_HEADER, "sha256=", body, secrets)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery: pushes of several refs are several events. Raises UnreadableDeliveryError."""
    kind = header(headers, EVENT_HEADER)
    payload = json_body(body)
    if kind == PUSH:
        found = _push(payload)
    elif kind is None or not kind.startswith(PULL_REQUEST) or kind.startswith(f"{PULL_REQUEST}comment_"):
        return normalize.not_handled(kind, f"{EVENT_HEADER} header", [PUSH, f"{PULL_REQUEST}*"])
    else:
        found = [_pull_request(payload, kind.removeprefix(PULL_REQUEST))]
    return normalize.delivery(found, Origin("bitbucket", headers, payload))


def _push(payload: dict[str, Any]) -> list[Event | str]:
    changes = member(payload, "push", "changes")
    if not isinstance(changes, list):
        raise UnreadableDeliveryError("a push needs push.changes")
    repository = name(payload, "repository", "full_name")
    return list(normalize.ref_changes(changes, repository, lambda change: _change(payload, change)))


def _change(payload: dict[str, Any], change: object) -> Event | str:
    old, new = member(change, "old"), member(change, "new")
    changed = new if isinstance(new, dict) else old
    ref_type, short = text(changed, "type"), ref(changed, "name")
    if ref_type is None or short is None:
        raise UnreadableDeliveryError("a change of push.changes needs new or old, with type and name")
    if ref_type not in _PREFIXES:
        return f"what was pushed is a {ref_type[:100]!r}, neither a branch nor a tag"
    target = member(new, "target")
    built = Commit(sha(target, "hash"), time(target, "date"), text(target, "message"), author(target, "author", "raw"))
    return normalize.ref_change(
        ref=_PREFIXES[ref_type] + short,
        repository=name(payload, "repository", "full_name"),
        before=sha(old, "target", "hash"),
        after=sha(target, "hash"),
        created=old is None,
        deleted=new is None,
        host=HOST,
        head=built,
        forced=flag(change, "forced"),
    )


def _pull_request(payload: dict[str, Any], host_action: str) -> Event | str:
    pull = member(payload, "pullrequest")
    source, target = (name(pull, side, "repository", "full_name") for side in ("source", "destination"))
    return normalize.pull_request(
        repository=name(payload, "repository", "full_name") or target,
        number=number(pull, "id"),
        host_action=host_action,
        action=_ACTIONS.get(host_action, PullRequestAction.OTHER),
        ref=None,
        source=ref(pull, "source", "branch", "name"),
        target=ref(pull, "destination", "branch", "name"),
        head=sha(pull, "source", "commit", "hash"),
        from_fork=normalize.different(source, target),
        title=text(pull, "title"),
        author=next((found for key in _NAMES if (found := author(pull, "author", key))), None),
        draft=flag(pull, "draft"),
        host=HOST,
    )
