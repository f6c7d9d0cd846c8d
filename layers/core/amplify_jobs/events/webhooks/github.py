"""GitHub and GitHub Enterprise: deliveries signed with X-Hub-Signature-256.

Source: GitHub Docs, "Validating webhook deliveries" and "Webhook events and payloads".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from amplify_jobs.events import evidence, normalize
from amplify_jobs.events.deliveries import Delivery, Headers, header
from amplify_jobs.events.event import Approval, EventKind
from amplify_jobs.events.evidence import Evidence, Header, Origin, Time
from amplify_jobs.events.normalize import Facts, Ping, PullRequestFacts, RefChange
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.webhooks import github_payloads
from amplify_jobs.events.webhooks.signatures import hmac_sha256_hex, verify_hex_signature

SIGNATURE_HEADER = "X-Hub-Signature-256"
EVENT_HEADER = "X-GitHub-Event"

EVIDENCE = (
    Evidence(evidence.REFS_AND_NOTICES, ((Time("repository.pushed_at"),),)),
    Evidence(evidence.PULL_REQUEST, ((Time("pull_request.updated_at"),),)),
    Evidence(
        evidence.RELEASE,
        # Enterprise Server tells when a release was published, but not when it was edited.
        ((Time("release.updated_at"),), (Time("release.published_at"), Header(("X-GitHub-Delivery",)))),
    ),
)
OMISSIONS = {EventKind.PULL_REQUEST: frozenset({"changed_files"})}
# A comment (issue_comment) does not say which commit the pull request stands at.
APPROVAL = "label"
WEBHOOK_EVENTS = {
    EventKind.PUSH: ("Pushes",),
    EventKind.TAG: ("Pushes",),
    EventKind.PULL_REQUEST: ("Pull requests",),
    EventKind.RELEASE: ("Releases",),
}

# A push lists at most this many commits, and a commit at most this many files (Docs, push: commits, added).
MOST_COMMITS = 2048
MOST_FILES_OF_A_COMMIT = 3000


def sign(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for a body, as GitHub makes it."""
    return "sha256=" + hmac_sha256_hex(secret, body)


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- no time is signed
    """Raise InvalidSignatureError unless one of the secrets signed the raw body, be it JSON or a form."""
    verify_hex_signature(headers, SIGNATURE_HEADER, "sha256=", body, secrets)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery. Raises UnreadableDeliveryError."""
    kind = header(headers, EVENT_HEADER)
    payload = github_payloads.read_payload(headers, body)
    read = _READERS.get(kind or "")
    if read is None:
        return normalize.not_handled(kind, f"{EVENT_HEADER} header", _READERS)
    delivery = normalize.delivery(
        [read(payload)], Origin(EVIDENCE, headers, payload), pusher=github_payloads.pusher(payload)
    )
    return _by_installation(delivery, payload.number("installation", "id"))


def _by_installation(delivery: Delivery, installation: int | None) -> Delivery:
    """The delivery, with the installation of an App whose webhook it came by; other webhooks name none."""
    if installation is None:
        return delivery
    events = tuple(event.model_copy(update={"installation": installation}) for event in delivery.events)
    return replace(delivery, events=events)


def _push(payload: Payload) -> RefChange:
    return replace(
        github_payloads.push(payload),
        head=normalize.commit_of(payload.at("head_commit")),
        forced=payload.flag("forced"),
        changed_files=_changed_files(payload),
        without_commits=payload.member("commits") == [],
    )


def _changed_files(payload: Payload) -> tuple[str, ...] | None:
    """The files of all commits, or of the head commit where the push brought no new ones; None if cut short."""
    commits = payload.elements("commits")
    if not payload.has_list("commits") or len(commits) >= MOST_COMMITS:
        return None
    commits = commits or [payload.at("head_commit")]
    return normalize.changed_files(commits, most_files_of_a_commit=MOST_FILES_OF_A_COMMIT)


def _pull_request(payload: Payload) -> PullRequestFacts:
    return replace(
        github_payloads.pull_request(payload),
        draft=payload.flag("pull_request", "draft"),
        was_draft=payload.member("action") == "ready_for_review",
        previous_target=payload.ref("changes", "base", "ref", "from"),
        approval=_approval(payload),
    )


def _approval(payload: Payload) -> Approval | None:
    label = payload.author("label", "name")
    is_open = payload.text("pull_request", "state") == "open"
    if payload.member("action") != "labeled" or label is None or not is_open:
        return None
    return Approval(labels=(label,), person=payload.author("sender", "login"))


def _ping(payload: Payload) -> Ping:
    return Ping(github_payloads.repository(payload))


_READERS: dict[str, Callable[[Payload], Facts]] = {
    "push": _push,
    "pull_request": _pull_request,
    "release": github_payloads.release,
    "create": github_payloads.created_ref,
    "delete": github_payloads.deleted_ref,
    "ping": _ping,
}
