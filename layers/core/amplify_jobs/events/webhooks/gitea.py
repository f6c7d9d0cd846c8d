"""Gitea: deliveries signed with X-Gitea-Signature. Forgejo's, made after them, are read here too.

Source: Gitea's documentation, "Webhooks", services/webhook/deliver.go and modules/structs/hook.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from amplify_jobs.errors import InvalidSignatureError, UnreadableDeliveryError
from amplify_jobs.events import evidence, normalize
from amplify_jobs.events.deliveries import Delivery, Headers, header
from amplify_jobs.events.event import EventKind
from amplify_jobs.events.evidence import Evidence, Header, Member, Origin, Time
from amplify_jobs.events.normalize import Facts, Ignored, PullRequestFacts, RefChange
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.webhooks import github_payloads
from amplify_jobs.events.webhooks.signatures import hmac_sha256_hex, verify_hex_signature

SIGNATURE_HEADER = "X-Gitea-Signature"
EVENT_HEADER = "X-Gitea-Event"

EVIDENCE = (
    Evidence(evidence.REFS_AND_NOTICES, ((Time("repository.updated_at"),),)),
    Evidence(evidence.PULL_REQUEST, ((Time("comment.created_at"), Member("comment.id")),), comments=True),
    Evidence(
        evidence.PULL_REQUEST,
        # The pull request's time can be that of the change before; the push to its branch changes a repository's.
        (
            (
                Time("pull_request.updated_at"),
                Member("repository.updated_at"),
                Member("pull_request.head.repo.updated_at"),
            ),
        ),
    ),
    Evidence(
        evidence.RELEASE,
        # There is no time of an update.
        ((Time("release.published_at"), Header(("X-Forgejo-Delivery", "X-Gitea-Delivery"))),),
    ),
)
OMISSIONS = {EventKind.PULL_REQUEST: frozenset({"changed_files", "before"})}
# Which label was set is not told: label_updated lists all that the pull request has, also those of before a push.
APPROVAL = "comment"
WEBHOOK_EVENTS = {
    EventKind.PUSH: ("Push",),
    EventKind.TAG: ("Push",),
    EventKind.PULL_REQUEST: ("Pull Request", "Pull Request Synchronized"),
    EventKind.RELEASE: ("Release",),
    "approval": ("Pull Request Comment",),
}

# Gitea lists at most ui.FEED_MAX_COMMIT_NUM commits of a push; versions that do not tell total_commits can't be
# checked but against its default.
MOST_COMMITS = 5
# WORK_IN_PROGRESS_PREFIXES as they are unless an administrator changes them.
DRAFT_PREFIXES = ("wip:", "[wip]")
_COMMENT_CREATED = "issue_comment created"


def sign(secret: str, body: bytes) -> str:
    """The value of X-Gitea-Signature for a JSON payload, as Gitea makes it."""
    return hmac_sha256_hex(secret, body)


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- no time is signed
    """Raise InvalidSignatureError unless one of the secrets signed the payload."""
    verify_payload(headers, body, secrets, SIGNATURE_HEADER)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery. Raises UnreadableDeliveryError."""
    return parse_payload(headers, body, EVENT_HEADER)


def verify_payload(headers: Headers, body: bytes, secrets: Sequence[str], signature_header: str) -> None:
    """Raise InvalidSignatureError unless a secret signed the JSON; of a form, the field is signed."""
    content = body
    if github_payloads.is_form(headers):
        try:
            content = github_payloads.payload_text(headers, body).encode()
        except UnreadableDeliveryError as error:
            raise InvalidSignatureError(f"what {signature_header} signs can't be found: {error}") from None
    verify_hex_signature(headers, signature_header, "", content, secrets)


def parse_payload(headers: Headers, body: bytes, event_header: str) -> Delivery:
    """Read an authentic delivery whose kind a header names. Raises UnreadableDeliveryError."""
    kind = header(headers, event_header)
    payload = github_payloads.read_payload(headers, body)
    read = _READERS.get(kind or "")
    if read is None:
        return normalize.not_handled(kind, f"{event_header} header", _READERS)
    return normalize.delivery(
        [read(payload)], Origin(EVIDENCE, headers, payload), pusher=github_payloads.pusher(payload)
    )


def _push(payload: Payload) -> RefChange:
    change = github_payloads.push(payload)
    commits = payload.elements("commits")
    head = payload.at("head_commit")
    if head.value is None:
        head = next((commit for commit in commits if commit.member("id") == change.after), head)
    return replace(
        change,
        head=normalize.commit_of(head),
        changed_files=_changed_files(payload, commits, head),
        without_commits=not commits,
    )


def _changed_files(payload: Payload, commits: list[Payload], head: Payload) -> tuple[str, ...] | None:
    """The files of all commits, or of the head commit where the push brought no new ones; None if cut short."""
    total = payload.member("total_commits")
    complete = len(commits) == total if isinstance(total, int) else len(commits) < MOST_COMMITS
    return normalize.changed_files(commits or [head]) if complete else None


def _pull_request(payload: Payload) -> PullRequestFacts:
    facts, pull = github_payloads.pull_request(payload), payload.at("pull_request")
    # What changes while it is closed asks for nothing.
    changes = payload.at("changes") if pull.text("state") != "closed" else Payload(None)
    previous_title, flag = changes.text("title", "from"), pull.flag("draft")
    return replace(
        facts,
        from_fork=_from_fork(facts, pull),
        # Versions that do not tell draft are known to mean it by the title alone.
        draft=_is_draft(facts.title) if flag is None else flag,
        was_draft=None if previous_title is None else _is_draft(previous_title),
        previous_target=changes.ref("ref", "from"),
    )


def _comment(payload: Payload) -> PullRequestFacts | Ignored:
    """A comment on a pull request, as versions send it that describe the pull request beside it."""
    if not payload.flag("is_pull") or payload.member("action") != "created":
        return Ignored("only a new comment on a pull request is handled")
    if not payload.at("pull_request").is_object:
        return Ignored("the comment does not say which commit the pull request stands at; newer versions do")
    is_open = payload.text("pull_request", "state") == "open"
    person = payload.author("sender", "login")
    approval = normalize.comment_approval(payload.text("comment", "body"), person, is_open=is_open)
    if isinstance(approval, Ignored):
        return approval
    return replace(_pull_request(payload), host_action=_COMMENT_CREATED, approval=approval)


def _from_fork(facts: PullRequestFacts, pull: Payload) -> bool | None:
    """Whether the head lies elsewhere, or is of no branch: pushed to refs/for/… (AGit), as whoever can read may do.

    Such a head has no label. A branch that is gone leaves the same ref, so that it may be one where the label stays.
    """
    if facts.from_fork is not False or not (facts.source or "").startswith("refs/"):
        return facts.from_fork
    if not pull.text("head", "label"):
        return True
    return False if pull.text("state") == "closed" else None


def _is_draft(title: str | None) -> bool:
    return (title or "").lstrip().lower().startswith(DRAFT_PREFIXES)


# Every action on a pull request but reviews and comments comes as pull_request; X-Gitea-Event-Type says more.
_READERS: dict[str, Callable[[Payload], Facts | Ignored]] = {
    "push": _push,
    "pull_request": _pull_request,
    "issue_comment": _comment,
    "release": github_payloads.release,
    "create": github_payloads.created_ref,
    "delete": github_payloads.deleted_ref,
}
