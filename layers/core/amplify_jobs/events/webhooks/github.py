"""GitHub and GitHub Enterprise: deliveries signed with X-Hub-Signature-256.

Source: GitHub Docs, "Validating webhook deliveries" and "Webhook events and payloads".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from amplify_jobs.events import deliveries, normalize
from amplify_jobs.events.deliveries import Delivery, Headers, header
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.events.identity import Origin
from amplify_jobs.events.payload import flag, member, ref
from amplify_jobs.events.strict_json import json_object
from amplify_jobs.events.webhooks import github_payloads
from amplify_jobs.events.webhooks.github_payloads import created_or_deleted, repository, repository_host
from amplify_jobs.events.webhooks.signatures import hmac_sha256_hex, verify_hex_signature

SIGNATURE_HEADER = "X-Hub-Signature-256"
EVENT_HEADER = "X-GitHub-Event"

# A push lists at most this many commits, and a commit at most this many files (Docs, push: commits, added).
MOST_COMMITS = 2048
MOST_FILES_OF_A_COMMIT = 3000


def sign(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for a body, as GitHub makes it."""
    return "sha256=" + hmac_sha256_hex(secret, body)


def delivery_id(headers: Headers) -> str | None:
    """The X-GitHub-Delivery header; it is not signed."""
    return deliveries.delivery_id(headers, "X-GitHub-Delivery")


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- no time is signed
    """Raise InvalidSignatureError unless one of the secrets signed the raw body, be it JSON or a form."""
    verify_hex_signature(headers, SIGNATURE_HEADER, "sha256=", body, secrets)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery. Raises UnreadableDeliveryError."""
    kind = header(headers, EVENT_HEADER)
    payload = json_object(github_payloads.payload_text(headers, body))
    read = _READERS.get(kind or "")
    if read is None:
        return normalize.not_handled(kind, f"{EVENT_HEADER} header", _READERS)
    return normalize.delivery([read(payload)], Origin("github", headers, payload))


def _push(payload: dict[str, Any]) -> Event | str:
    head_commit = member(payload, "head_commit")
    return normalize.ref_change(
        **github_payloads.push_of(payload),
        head=normalize.commit_of(head_commit),
        forced=flag(payload, "forced"),
        changed_files=_changed_files(payload, head_commit),
        without_commits=member(payload, "commits") == [],
    )


def _changed_files(payload: dict[str, Any], head_commit: object) -> tuple[str, ...] | None:
    """The files of all commits, or of the head commit where the push brought no new ones; None if cut short."""
    commits = member(payload, "commits")
    if not isinstance(commits, list) or len(commits) >= MOST_COMMITS:
        return None
    return normalize.changed_files(commits or [head_commit], most_files_of_a_commit=MOST_FILES_OF_A_COMMIT)


def _pull_request(payload: dict[str, Any]) -> Event | str:
    return github_payloads.pull_request(
        payload,
        from_fork=github_payloads.from_fork(payload),
        draft=flag(payload, "pull_request", "draft"),
        was_draft=member(payload, "action") == "ready_for_review",
        previous_target=ref(payload, "changes", "base", "ref", "from"),
    )


def _ping(payload: dict[str, Any]) -> Event:
    return Event(kind=EventKind.PING, host=repository_host(payload), repository=repository(payload))


_READERS: dict[str, Callable[[dict[str, Any]], Event | str]] = {
    "push": _push,
    "pull_request": _pull_request,
    "release": github_payloads.release,
    "create": lambda payload: created_or_deleted(payload, EventKind.REF_CREATE),
    "delete": lambda payload: created_or_deleted(payload, EventKind.REF_DELETE),
    "ping": _ping,
}
