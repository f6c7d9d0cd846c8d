"""Bitbucket Data Center: deliveries signed with X-Hub-Signature, or with user and password (Basic).

Source: Bitbucket Data Center's documentation, "Manage webhooks" and "Event payload".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import evidence, normalize
from amplify_jobs.events.deliveries import Delivery, Headers, header
from amplify_jobs.events.event import EventKind, PullRequestAction
from amplify_jobs.events.evidence import Evidence, Member, Origin, Time
from amplify_jobs.events.normalize import (
    RELEASE_MEMBERS,
    Commit,
    Facts,
    Ignored,
    Ping,
    PullRequestFacts,
    RefChange,
    Repository,
)
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.strict_json import json_body
from amplify_jobs.events.webhooks.signatures import hmac_sha256_hex, verify_basic, verify_hex_signature

SIGNATURE_HEADER = "X-Hub-Signature"
EVENT_HEADER = "X-Event-Key"

EVIDENCE = (
    Evidence(evidence.REFS, ((Time("date"),),)),
    Evidence(evidence.PULL_REQUEST, ((Time("date"), Member("comment.id")),), comments=True),
    Evidence(evidence.PULL_REQUEST, ((Time("date"), Member("pullRequest.updatedDate")),)),
)
OMISSIONS = {
    EventKind.PUSH: frozenset({"changed_files"}),
    EventKind.PULL_REQUEST: frozenset({"changed_files"}),
    EventKind.RELEASE: RELEASE_MEMBERS,
}
APPROVAL = "comment"
WEBHOOK_EVENTS = {
    EventKind.PUSH: ("Push",),
    EventKind.TAG: ("Push",),
    EventKind.PULL_REQUEST: ("Opened, Source branch updated, Modified, Merged, Declined, Deleted",),
    "approval": ("Comment added",),
}

PING = "diagnostics:ping"
PING_BODY = re.compile(rb'\s*\{\s*"test"\s*:\s*true\s*\}\s*')
# A mirror tells the changes when it has them: for those who clone from it.
PUSHES = ("repo:refs_changed", "mirror:repo_synchronized")
PULL_REQUEST = "pr:"
_COMMENT = "comment:"
_COMMENT_ADDED = "comment:added"
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
    payload = Payload(json_body(body))
    if kind == PING:
        facts: Iterable[Facts | Ignored] = [Ping()]
    elif kind in PUSHES:
        facts = _push(payload)
    elif kind == PULL_REQUEST + _COMMENT_ADDED:
        facts = [_comment(payload)]
    elif kind is None or not kind.startswith(PULL_REQUEST) or kind.startswith(PULL_REQUEST + _COMMENT):
        return normalize.not_handled(kind, f"{EVENT_HEADER} header", [*PUSHES, f"{PULL_REQUEST}*", PING])
    else:
        facts = [_pull_request(payload, kind.removeprefix(PULL_REQUEST))]
    return normalize.delivery(facts, Origin(EVIDENCE, headers, payload), pusher=_name(payload.at("actor")))


def _is_unsigned_ping(headers: Headers, body: bytes) -> bool:
    """Whether this is Test connection's ping, to the byte and without any proof: Bitbucket does not sign it."""
    unsigned = all(header(headers, name) is None for name in (SIGNATURE_HEADER, "Authorization"))
    return unsigned and header(headers, EVENT_HEADER) == PING and PING_BODY.fullmatch(body) is not None


def _push(payload: Payload) -> Iterable[RefChange | Ignored]:
    if not payload.has_list("changes"):
        raise UnreadableDeliveryError("a push needs changes")
    changes = payload.elements("changes")
    # toCommit describes the one change of the delivery; for an annotated tag it is the commit behind it.
    head = payload.at("toCommit") if len(changes) == 1 else Payload(None)
    repository = _repository(payload, "repository")
    return normalize.ref_changes(changes, repository, lambda change: _change(payload, change, head))


def _change(payload: Payload, change: Payload, head: Payload) -> RefChange:
    ref = change.ref("ref", "id") or change.ref("refId")
    if ref is None:
        raise UnreadableDeliveryError("a change needs ref.id")
    before, after = change.sha("fromHash"), change.sha("toHash")
    if head.value is None:
        head = next((commit for commit in payload.elements("commits") if commit.member("id") == after), head)
    return RefChange(
        repository=_repository(payload, "repository"),
        ref=ref,
        before=before,
        after=after,
        created=change.text("type") == "ADD" or before is None,
        deleted=change.text("type") == "DELETE" or after is None,
        head=Commit(
            head.sha("id"),
            _time(head.number("committerTimestamp")),
            head.text("message"),
            head.author("author", "name"),
        ),
    )


def _pull_request(payload: Payload, host_action: str) -> PullRequestFacts:
    pull = payload.at("pullRequest")
    source, target = (_repository(pull, side, "repository") for side in ("fromRef", "toRef"))
    number = pull.number("id")
    return PullRequestFacts(
        repository=target,
        number=number,
        host_action=host_action,
        action=_ACTIONS.get(host_action, PullRequestAction.OTHER),
        ref=f"refs/pull-requests/{number}/from",
        source=pull.ref("fromRef", "id") or pull.ref("fromRef", "displayId"),
        target=pull.ref("toRef", "id") or pull.ref("toRef", "displayId"),
        head=pull.sha("fromRef", "latestCommit"),
        before=payload.sha("previousFromHash"),
        from_fork=normalize.differ(source.name, target.name),
        title=pull.text("title"),
        author=_name(pull.at("author", "user")),
        draft=pull.flag("draft"),
        was_draft=payload.flag("previousDraft"),
        previous_target=payload.ref("previousTarget", "id") or payload.ref("previousTarget", "displayId"),
    )


def _comment(payload: Payload) -> PullRequestFacts | Ignored:
    is_open = payload.text("pullRequest", "state") == "OPEN"
    person = payload.author("actor", "name")
    approval = normalize.comment_approval(payload.text("comment", "text"), person, is_open=is_open)
    if isinstance(approval, Ignored):
        return approval
    return replace(_pull_request(payload, _COMMENT_ADDED), approval=approval)


def _repository(payload: Payload, *path: str) -> Repository:
    project, slug = payload.name(*path, "project", "key"), payload.name(*path, "slug")
    host = next((link.host("href") for link in payload.elements(*path, "links", "self")), None)
    return Repository(f"{project}/{slug}" if project and slug else None, host)


def _name(person: Payload) -> str | None:
    return person.author("displayName") or person.author("name")


def _time(milliseconds: int | None) -> datetime | None:
    """A time in milliseconds since 1970."""
    try:
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
