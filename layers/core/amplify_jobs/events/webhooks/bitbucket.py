"""Bitbucket Cloud: deliveries signed with X-Hub-Signature.

Source: Bitbucket Cloud's documentation, "Manage webhooks" and "Event payloads".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import evidence, normalize
from amplify_jobs.events.deliveries import Delivery, Headers, header
from amplify_jobs.events.event import EventKind, PullRequestAction
from amplify_jobs.events.evidence import Evidence, Header, Origin, Time
from amplify_jobs.events.normalize import (
    RELEASE_MEMBERS,
    Commit,
    Facts,
    Ignored,
    PullRequestFacts,
    RefChange,
    Repository,
)
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.refs import BRANCHES, TAGS
from amplify_jobs.events.strict_json import json_body
from amplify_jobs.events.webhooks.signatures import hmac_sha256_hex, verify_hex_signature

SIGNATURE_HEADER = "X-Hub-Signature"
EVENT_HEADER = "X-Event-Key"
HOST = "bitbucket.org"

_ID = Header(("X-Request-UUID",))
EVIDENCE = (
    Evidence(evidence.REFS, ((_ID,),), else_delivery=True),
    Evidence(evidence.PULL_REQUEST, ((Time("pullrequest.updated_on"),), (_ID,)), else_delivery=True),
)
OMISSIONS = {
    EventKind.PUSH: frozenset({"changed_files"}),
    # An update may be anything.
    EventKind.PULL_REQUEST: frozenset({"changed_files", "before", "ref", "reopened", "became_ready"}),
    EventKind.RELEASE: RELEASE_MEMBERS,
}
# Commits of pull requests are named by 12 digits, and whoever writes a fork can make two that begin alike.
APPROVAL = None
WEBHOOK_EVENTS = {
    EventKind.PUSH: ("Repository: Push",),
    EventKind.TAG: ("Repository: Push",),
    EventKind.PULL_REQUEST: ("Pull request: Created, Updated, Merged, Declined",),
}

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


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- no time is signed
    """Raise InvalidSignatureError unless one of the secrets signed the raw body."""
    verify_hex_signature(headers, SIGNATURE_HEADER, "sha256=", body, secrets)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery: pushes of several refs are several events. Raises UnreadableDeliveryError."""
    kind = header(headers, EVENT_HEADER)
    payload = Payload(json_body(body))
    if kind == PUSH:
        facts: Iterable[Facts | Ignored] = _push(payload)
    elif kind is None or not kind.startswith(PULL_REQUEST) or kind.startswith(f"{PULL_REQUEST}comment_"):
        return normalize.not_handled(kind, f"{EVENT_HEADER} header", [PUSH, f"{PULL_REQUEST}*"])
    else:
        facts = [_pull_request(payload, kind.removeprefix(PULL_REQUEST))]
    return normalize.delivery(facts, Origin(EVIDENCE, headers, payload), pusher=_name(payload.at("actor")))


def _push(payload: Payload) -> Iterable[RefChange | Ignored]:
    if not payload.has_list("push", "changes"):
        raise UnreadableDeliveryError("a push needs push.changes")
    repository = Repository(payload.name("repository", "full_name"), HOST)
    changes = payload.elements("push", "changes")
    return normalize.ref_changes(changes, repository, lambda change: _change(repository, change))


def _change(repository: Repository, change: Payload) -> RefChange | Ignored:
    old, new = change.at("old"), change.at("new")
    ref = new if new.is_object else old
    ref_type, name = ref.text("type"), ref.ref("name")
    if ref_type is None or name is None:
        raise UnreadableDeliveryError("a change of push.changes needs new or old, with type and name")
    if ref_type not in _PREFIXES:
        return Ignored(f"the pushed ref is a {ref_type[:100]!r}, neither a branch nor a tag")
    head = new.at("target")
    return RefChange(
        repository=repository,
        ref=_PREFIXES[ref_type] + name,
        before=old.sha("target", "hash"),
        after=head.sha("hash"),
        created=old.value is None,
        deleted=new.value is None,
        head=Commit(head.sha("hash"), head.time("date"), head.text("message"), head.author("author", "raw")),
        forced=change.flag("forced"),
    )


def _pull_request(payload: Payload, host_action: str) -> PullRequestFacts:
    pull = payload.at("pullrequest")
    source, target = (pull.name(side, "repository", "full_name") for side in ("source", "destination"))
    action = _ACTIONS.get(host_action, PullRequestAction.OTHER)
    return PullRequestFacts(
        repository=Repository(payload.name("repository", "full_name") or target, HOST),
        number=pull.number("id"),
        host_action=host_action,
        action=action,
        source=pull.ref("source", "branch", "name"),
        target=pull.ref("destination", "branch", "name"),
        head=pull.sha("source", "commit", "hash"),
        from_fork=normalize.differ(source, target),
        title=pull.text("title"),
        author=_name(pull.at("author")),
        draft=pull.flag("draft"),
        target_unclear=action is PullRequestAction.SYNCHRONIZE,
    )


def _name(person: Payload) -> str | None:
    return next(filter(None, (person.author(key) for key in _NAMES)), None)
