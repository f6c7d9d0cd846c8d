"""Bitbucket Data Center: deliveries signed with X-Hub-Signature, or with user and password (Basic).

Source: Bitbucket Data Center's documentation, "Manage webhooks" and "Event payload".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import deliveries, normalize
from amplify_jobs.events.deliveries import Delivery, Headers, header
from amplify_jobs.events.event import Event, EventKind, PullRequestAction
from amplify_jobs.events.identity import Origin
from amplify_jobs.events.normalize import Commit
from amplify_jobs.events.payload import author, flag, host, items, member, name, number, ref, sha, text
from amplify_jobs.events.strict_json import json_body
from amplify_jobs.events.webhooks.signatures import hmac_sha256_hex, verify_basic, verify_hex_signature

SIGNATURE_HEADER = "X-Hub-Signature"
EVENT_HEADER = "X-Event-Key"

PING = "diagnostics:ping"
PING_BODY = re.compile(rb'\s*\{\s*"test"\s*:\s*true\s*\}\s*')
# A mirror tells the changes when it has them: for those who clone from it.
PUSHES = ("repo:refs_changed", "mirror:repo_synchronized")
PULL_REQUEST = "pr:"
_ACTIONS = {
    "opened": PullRequestAction.OPENED,
    "from_ref_updated": PullRequestAction.SYNCHRONIZE,
    "reopened": PullRequestAction.REOPENED,
    "merged": PullRequestAction.MERGED,
    "declined": PullRequestAction.CLOSED,
    "deleted": PullRequestAction.CLOSED,
}


def sign(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature for a body, as Bitbucket makes it."""
    return "sha256=" + hmac_sha256_hex(secret, body)


def delivery_id(headers: Headers) -> str | None:
    """The X-Request-Id header; it is not signed."""
    return deliveries.delivery_id(headers, "X-Request-Id")


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- no time is signed
    """Raise InvalidSignatureError unless one of the secrets signed the raw body or is given as user:password.

    Basic alone is enough only where every secret is user:password, and no signature is there to be checked. The ping
    of Test connection need prove nothing, since nothing comes of it; what it gives as a proof is checked all the same.
    """
    only_basic = all(":" in secret for secret in secrets)
    if _is_unsigned_ping(headers, body):
        return
    if only_basic and header(headers, SIGNATURE_HEADER) is None:
        verify_basic(headers, secrets)
    else:
        verify_hex_signature(headers, SIGNATURE_HEADER, "sha256=", body, secrets)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery: pushes of several refs are several events. Raises UnreadableDeliveryError."""
    kind = header(headers, EVENT_HEADER)
    payload = json_body(body)
    if kind == PING:
        return Delivery((Event(kind=EventKind.PING),))
    if kind in PUSHES:
        found = _push(payload)
    elif kind is None or not kind.startswith(PULL_REQUEST) or kind.startswith(f"{PULL_REQUEST}comment:"):
        return normalize.not_handled(kind, f"{EVENT_HEADER} header", [*PUSHES, f"{PULL_REQUEST}*", PING])
    else:
        found = [_pull_request(payload, kind.removeprefix(PULL_REQUEST))]
    return normalize.delivery(found, Origin("bitbucket-server", headers, payload))


def _is_unsigned_ping(headers: Headers, body: bytes) -> bool:
    """Whether this is Test connection's ping, to the byte and without any proof: Bitbucket does not sign it."""
    unsigned = all(header(headers, name) is None for name in (SIGNATURE_HEADER, "Authorization"))
    return unsigned and header(headers, EVENT_HEADER) == PING and PING_BODY.fullmatch(body) is not None


def _push(payload: dict[str, Any]) -> list[Event | str]:
    changes = member(payload, "changes")
    if not isinstance(changes, list):
        raise UnreadableDeliveryError("a push needs changes")
    # toCommit describes the one change of the delivery; for an annotated tag it is the commit behind it.
    described = member(payload, "toCommit") if len(changes) == 1 else None
    repository = _repository(payload, "repository")
    return list(normalize.ref_changes(changes, repository, lambda change: _change(payload, change, described)))


def _change(payload: dict[str, Any], change: object, described: object) -> Event | str:
    changed = ref(change, "ref", "id") or ref(change, "refId")
    if changed is None:
        raise UnreadableDeliveryError("a change needs ref.id")
    before, after = sha(change, "fromHash"), sha(change, "toHash")
    if described is None:
        described = next((commit for commit in items(payload, "commits") if member(commit, "id") == after), None)
    return normalize.ref_change(
        ref=changed,
        repository=_repository(payload, "repository"),
        before=before,
        after=after,
        created=text(change, "type") == "ADD" or before is None,
        deleted=text(change, "type") == "DELETE" or after is None,
        host=_host(payload, "repository"),
        head=Commit(
            sha(described, "id"),
            _time(described, "committerTimestamp"),
            text(described, "message"),
            author(described, "author", "name"),
        ),
    )


def _pull_request(payload: dict[str, Any], host_action: str) -> Event | str:
    pull = member(payload, "pullRequest")
    source, target = (_repository(pull, side, "repository") for side in ("fromRef", "toRef"))
    pull_number = number(pull, "id")
    return normalize.pull_request(
        repository=target,
        number=pull_number,
        host_action=host_action,
        action=_ACTIONS.get(host_action, PullRequestAction.OTHER),
        ref=f"refs/pull-requests/{pull_number}/from",
        source=ref(pull, "fromRef", "id") or ref(pull, "fromRef", "displayId"),
        target=ref(pull, "toRef", "id") or ref(pull, "toRef", "displayId"),
        head=sha(pull, "fromRef", "latestCommit"),
        before=sha(payload, "previousFromHash"),
        from_fork=normalize.different(source, target),
        title=text(pull, "title"),
        author=author(pull, "author", "user", "displayName") or author(pull, "author", "user", "name"),
        draft=flag(pull, "draft"),
        was_draft=flag(payload, "previousDraft"),
        previous_target=ref(payload, "previousTarget", "id") or ref(payload, "previousTarget", "displayId"),
        host=_host(pull, "toRef", "repository"),
    )


def _repository(value: object, *path: str) -> str | None:
    project, slug = name(value, *path, "project", "key"), name(value, *path, "slug")
    return f"{project}/{slug}" if project and slug else None


def _host(value: object, *path: str) -> str | None:
    return next((host(link, "href") for link in items(value, *path, "links", "self")), None)


def _time(value: object, *path: str) -> datetime | None:
    """Milliseconds since 1970."""
    found = number(value, *path)
    try:
        return None if found is None else datetime.fromtimestamp(found / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
