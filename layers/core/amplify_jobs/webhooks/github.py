"""GitHub and GitHub Enterprise: deliveries signed with X-Hub-Signature-256.

Source: GitHub Docs, "Validating webhook deliveries" and "Webhook events and payloads" (push, ping).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from amplify_jobs.errors import DeliveryUnreadable, NotAuthentic
from amplify_jobs.events import Event, EventKind
from amplify_jobs.webhooks.deliveries import Delivery, Headers, header
from amplify_jobs.webhooks.payload import flag, member, name, ref_name, sha, text, time
from amplify_jobs.webhooks.signatures import hmac_sha256_hex, signed_by_any
from amplify_jobs.webhooks.strict_json import json_object

SIGNATURE_HEADER = "X-Hub-Signature-256"
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})", re.ASCII)

# A push lists at most this many commits, and a commit at most this many files (Docs, push: commits, added).
MOST_COMMITS = 2048
MOST_FILES_OF_A_COMMIT = 3000
LONGEST_AUTHOR = 256
LONGEST_DELIVERY_ID = 128


def sign(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for a body, as GitHub makes it."""
    return "sha256=" + hmac_sha256_hex(secret, body)


def delivery_id(headers: Headers) -> str | None:
    """The X-GitHub-Delivery header; it is not signed."""
    return (header(headers, "X-GitHub-Delivery") or "")[:LONGEST_DELIVERY_ID] or None


def verify(headers: Headers, body: bytes, secrets: Sequence[str]) -> None:
    """Raise NotAuthentic unless one of the secrets signed the raw body."""
    given = header(headers, SIGNATURE_HEADER)
    if given is None:
        raise NotAuthentic(f"there is no {SIGNATURE_HEADER} header; set the webhook's secret at GitHub")
    signature = _SIGNATURE.fullmatch(given)
    if signature is None:
        raise NotAuthentic(f"{SIGNATURE_HEADER} must be sha256= and 64 lower-case hexadecimal digits, once")
    if not signed_by_any(secrets, body, signature[1]):
        raise NotAuthentic(f"{SIGNATURE_HEADER} was not made with a secret of this source")


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery: pushes of branches and tags, and pings. Raises DeliveryUnreadable."""
    kind = header(headers, "X-GitHub-Event")
    payload = _payload(headers, body)
    if kind == "push":
        return _push(payload)
    if kind == "ping":
        ping = Event(kind=EventKind.PING, host=_host(payload), repository=name(payload, "repository", "full_name"))
        return Delivery((ping,))
    if kind is None:
        raise DeliveryUnreadable("there is no X-GitHub-Event header")
    return Delivery(ignored=f"event {kind[:100]!r} is not handled; push and ping are")


def _payload(headers: Headers, body: bytes) -> dict[str, Any]:
    try:
        content = body.decode()
        if (header(headers, "Content-Type") or "").partition(";")[0].strip() == "application/x-www-form-urlencoded":
            form = parse_qs(content, strict_parsing=True, errors="strict", max_num_fields=10)
            (content,) = form["payload"]
    except UnicodeDecodeError:
        raise DeliveryUnreadable("the body is not UTF-8") from None
    except (ValueError, KeyError):
        raise DeliveryUnreadable("the body is no form with one field 'payload'") from None
    return json_object(content)


def _push(payload: dict[str, Any]) -> Delivery:
    ref = name(payload, "ref")
    repository = name(payload, "repository", "full_name")
    if ref is None or repository is None:
        raise DeliveryUnreadable("a push needs ref and repository.full_name")
    branch = ref_name(ref, "refs/heads/") if ref.startswith("refs/heads/") else None
    tag = ref_name(ref, "refs/tags/") if ref.startswith("refs/tags/") else None
    if branch is None and tag is None:
        return Delivery(ignored=f"ref {ref_name(ref, '')[:100]!r} is neither a branch nor a tag")
    before, after = sha(payload, "before"), sha(payload, "after")
    deleted = flag(payload, "deleted") or (after is None and "after" in payload)
    head = None if deleted else member(payload, "head_commit")
    push = Event(
        kind=EventKind.TAG if branch is None else EventKind.PUSH,
        host=_host(payload),
        event_time=_pushed_at(payload),
        repository=repository,
        ref=ref,
        branch=branch,
        tag=tag,
        before=before,
        after=after,
        commit=None if deleted else sha(head, "id") or after,
        commit_time=time(head, "timestamp"),
        message=text(head, "message"),
        author=(text(head, "author", "name") or "")[:LONGEST_AUTHOR] or None,
        created=flag(payload, "created") or (before is None and "before" in payload),
        deleted=deleted,
        forced=flag(payload, "forced"),
        changed_files=None if deleted else _changed_files(payload),
    )
    return Delivery((push,))


def _host(payload: dict[str, Any]) -> str | None:
    try:
        return urlsplit(name(payload, "repository", "html_url") or "").hostname
    except ValueError:
        return None


def _pushed_at(payload: dict[str, Any]) -> str | None:
    """repository.pushed_at: seconds since 1970 in a push, an ISO 8601 text in other events."""
    found = member(payload, "repository", "pushed_at")
    return str(found) if isinstance(found, int) else name(payload, "repository", "pushed_at")


def _changed_files(payload: dict[str, Any]) -> tuple[str, ...] | None:
    """The files of all commits, or of the head commit where the push brought no new ones; None if cut short."""
    commits = member(payload, "commits")
    if not isinstance(commits, list) or len(commits) >= MOST_COMMITS:
        return None
    files: set[str] = set()
    for commit in commits or [member(payload, "head_commit")]:
        lists = [member(commit, kind) for kind in ("added", "removed", "modified")]
        named = [file for files in lists if isinstance(files, list) for file in files if isinstance(file, str)]
        if not all(isinstance(files, list) for files in lists) or len(named) >= MOST_FILES_OF_A_COMMIT:
            return None
        files.update(named)
    return tuple(sorted(files))
