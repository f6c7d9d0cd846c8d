"""Gitea: deliveries signed with X-Gitea-Signature. Forgejo's, made after them, are read here too.

Source: Gitea's documentation, "Webhooks", services/webhook/deliver.go and modules/structs/hook.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from amplify_jobs.errors import InvalidSignatureError, UnreadableDeliveryError
from amplify_jobs.events import deliveries, normalize
from amplify_jobs.events.deliveries import Delivery, Headers, header
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.events.identity import Origin
from amplify_jobs.events.payload import flag, items, member, ref, text
from amplify_jobs.events.strict_json import json_object
from amplify_jobs.events.webhooks import github_payloads
from amplify_jobs.events.webhooks.github_payloads import created_or_deleted
from amplify_jobs.events.webhooks.signatures import hmac_sha256_hex, verify_hex_signature

SIGNATURE_HEADER = "X-Gitea-Signature"
EVENT_HEADER = "X-Gitea-Event"

# Gitea lists at most ui.FEED_MAX_COMMIT_NUM commits of a push; versions that do not tell total_commits can't be
# checked but against its default.
MOST_COMMITS = 5
# WORK_IN_PROGRESS_PREFIXES as they are unless an administrator changes them.
DRAFT_PREFIXES = ("wip:", "[wip]")


def sign(secret: str, body: bytes) -> str:
    """The value of X-Gitea-Signature for a JSON payload, as Gitea makes it."""
    return hmac_sha256_hex(secret, body)


def delivery_id(headers: Headers) -> str | None:
    """The X-Gitea-Delivery header; it is not signed."""
    return deliveries.delivery_id(headers, "X-Gitea-Delivery")


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- no time is signed
    """Raise InvalidSignatureError unless one of the secrets signed the payload."""
    verify_payload(headers, body, secrets, SIGNATURE_HEADER)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery. Raises UnreadableDeliveryError."""
    return parse_payload("gitea", headers, body, EVENT_HEADER)


def verify_payload(headers: Headers, body: bytes, secrets: Sequence[str], signature_header: str) -> None:
    """Raise InvalidSignatureError unless a secret signed the JSON; of a form, the field is signed."""
    signed = body
    if github_payloads.is_form(headers):
        try:
            signed = github_payloads.payload_text(headers, body).encode()
        except UnreadableDeliveryError as error:
            raise InvalidSignatureError(f"what {signature_header} signs can't be found: {error}") from None
    verify_hex_signature(headers, signature_header, "", signed, secrets)


def parse_payload(provider: str, headers: Headers, body: bytes, event_header: str) -> Delivery:
    """Read an authentic delivery whose kind a header names. Raises UnreadableDeliveryError."""
    kind = header(headers, event_header)
    payload = json_object(github_payloads.payload_text(headers, body))
    read = _READERS.get(kind or "")
    if read is None:
        return normalize.not_handled(kind, f"{event_header} header", _READERS)
    return normalize.delivery([read(payload)], Origin(provider, headers, payload))


def _push(payload: dict[str, Any]) -> Event | str:
    change = github_payloads.push_of(payload)
    commits = items(payload, "commits")
    head_commit = member(payload, "head_commit")
    if head_commit is None:
        head_commit = next((commit for commit in commits if member(commit, "id") == change["after"]), None)
    return normalize.ref_change(
        **change,
        head=normalize.commit_of(head_commit),
        changed_files=_changed_files(payload, commits, head_commit),
        without_commits=not commits,
    )


def _changed_files(payload: dict[str, Any], commits: list[Any], head_commit: object) -> tuple[str, ...] | None:
    """The files of all commits, or of the head commit where the push brought no new ones; None if cut short."""
    total = member(payload, "total_commits")
    complete = len(commits) == total if isinstance(total, int) else len(commits) < MOST_COMMITS
    return normalize.changed_files(commits or [head_commit]) if complete else None


def _pull_request(payload: dict[str, Any]) -> Event | str:
    pull = member(payload, "pull_request")
    # What changes while it is closed asks for nothing.
    changes = member(payload, "changes") if text(pull, "state") != "closed" else None
    previous_title = text(changes, "title", "from")
    return github_payloads.pull_request(
        payload,
        from_fork=_from_fork(payload, pull),
        # Versions that do not tell draft are known to mean it by the title alone.
        draft=_is_draft(text(pull, "title")) if flag(pull, "draft") is None else flag(pull, "draft"),
        was_draft=None if previous_title is None else _is_draft(previous_title),
        previous_target=ref(changes, "ref", "from"),
    )


def _from_fork(payload: dict[str, Any], pull: object) -> bool | None:
    """Whether the head lies elsewhere, or is of no branch: pushed to refs/for/… (AGit), as whoever can read may do.

    Such a head has no label. A branch that is gone leaves the same ref, so that it may be one where the label stays.
    """
    elsewhere = github_payloads.from_fork(payload)
    if elsewhere is not False or not (text(pull, "head", "ref") or "").startswith("refs/"):
        return elsewhere
    if not text(pull, "head", "label"):
        return True
    return False if text(pull, "state") == "closed" else None


def _is_draft(title: str | None) -> bool:
    return (title or "").lstrip().lower().startswith(DRAFT_PREFIXES)


# Every action on a pull request but reviews and comments comes as pull_request; X-Gitea-Event-Type says more.
_READERS: dict[str, Callable[[dict[str, Any]], Event | str]] = {
    "push": _push,
    "pull_request": _pull_request,
    "release": github_payloads.release,
    "create": lambda payload: created_or_deleted(payload, EventKind.REF_CREATE),
    "delete": lambda payload: created_or_deleted(payload, EventKind.REF_DELETE),
}
