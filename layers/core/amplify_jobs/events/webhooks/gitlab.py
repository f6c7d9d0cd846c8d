"""GitLab, SaaS and self-managed: deliveries signed with a signing token, or with the plain X-Gitlab-Token.

A secret that opens with whsec_ is a signing token. Source: GitLab Docs, "Webhooks" and "Webhook events".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from amplify_jobs.errors import InvalidSignatureError, UnreadableDeliveryError
from amplify_jobs.events import evidence, normalize
from amplify_jobs.events.deliveries import Delivery, Headers
from amplify_jobs.events.event import Approval, EventKind, PullRequestAction
from amplify_jobs.events.evidence import Evidence, Header, Origin, Time
from amplify_jobs.events.normalize import Commit, Facts, PullRequestFacts, RefChange, ReleaseFacts, Repository
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.strict_json import json_body
from amplify_jobs.events.webhooks.signatures import verify_token
from amplify_jobs.events.webhooks.standard_signature import SECRET_PREFIX, SIGNATURE_HEADER, keys_of, signed_message

TOKEN_HEADER = "X-Gitlab-Token"  # noqa: S105 -- the header's name, not a token

# A signed delivery has webhook-id (GitLab 19), any has the same Idempotency-Key (17.4), older ones a UUID.
_ID = Header(("webhook-id", "Idempotency-Key", "X-Gitlab-Event-UUID"))
EVIDENCE = (
    Evidence(evidence.REFS, ((_ID,),), else_delivery=True),
    Evidence(evidence.PULL_REQUEST, ((Time("object_attributes.updated_at"), _ID),), else_delivery=True),
    Evidence(evidence.RELEASE, ((Time("released_at"), Time("created_at"), _ID),), else_delivery=True),
)
OMISSIONS = {
    EventKind.PULL_REQUEST: frozenset({"changed_files"}),
    EventKind.RELEASE: frozenset({"branch"}),
}
APPROVAL = "label"
WEBHOOK_EVENTS = {
    EventKind.PUSH: ("Push events",),
    EventKind.TAG: ("Tag push events",),
    EventKind.PULL_REQUEST: ("Merge request events",),
    EventKind.RELEASE: ("Releases events",),
}

# How the titles of drafts begin, in any version.
DRAFT_PREFIXES = ("draft:", "[draft]", "(draft)", "wip:", "[wip]")
_ACTIONS = {
    "open": PullRequestAction.OPENED,
    "opened": PullRequestAction.OPENED,
    "reopen": PullRequestAction.REOPENED,
    "close": PullRequestAction.CLOSED,
    "merge": PullRequestAction.MERGED,
}


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Raise InvalidSignatureError unless a signing token signed id, time and body or, where there is none, a token is
    given.

    With a signing token among the secrets the plain token is never taken: GitLab sends it on signed deliveries too.
    """
    signing_tokens = [secret for secret in secrets if secret.startswith(SECRET_PREFIX)]
    if not signing_tokens:
        return verify_token(headers, TOKEN_HEADER, secrets)
    if not signed_message(headers, body, now).is_signed_with(keys_of(signing_tokens)):
        raise InvalidSignatureError(f"{SIGNATURE_HEADER} was not made with a signing token of this source")
    return None


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery of a project, group or system hook. Raises UnreadableDeliveryError."""
    payload = Payload(json_body(body))
    kind = payload.text("object_kind") or payload.text("event_name")
    read = _READERS.get(kind or "")
    if read is None:
        return normalize.not_handled(kind, "object_kind in the body", _READERS)
    return normalize.delivery(
        [read(payload)],
        Origin(EVIDENCE, headers, payload),
        # A push has the person's name by itself, a merge request as a member of the user.
        pusher=payload.author("user_name") or payload.author("user", "name"),
    )


def _repository(payload: Payload) -> Repository:
    return Repository(payload.name("project", "path_with_namespace"), payload.host("project", "web_url"))


def _push(payload: Payload) -> RefChange:
    ref = payload.ref("ref")
    if ref is None:
        raise UnreadableDeliveryError("a push needs ref")
    before, after, commits = payload.sha("before"), payload.sha("after"), payload.elements("commits")
    # checkout_sha is the commit behind an annotated tag, where after is the tag itself.
    sha = payload.sha("checkout_sha") or after
    head = normalize.commit_of(
        next((commit for commit in commits if sha and commit.member("id") == sha), Payload(None))
    )
    return RefChange(
        repository=_repository(payload),
        ref=ref,
        before=before,
        after=after,
        created=before is None and "before" in payload.value,
        deleted=after is None and "after" in payload.value,
        head=Commit(sha, head.time, head.message, head.author),
        changed_files=_changed_files(payload, commits),
        without_commits=payload.member("commits") == [],
        skip_option="ci.skip" if _is_set(payload.member("push_options", "ci", "skip")) else None,
    )


def _changed_files(payload: Payload, commits: list[Payload]) -> tuple[str, ...] | None:
    """The files of all commits; None where fewer are listed than were pushed: GitLab lists at most 20."""
    complete = payload.member("total_commits_count") == len(commits)
    return normalize.changed_files(commits) if complete else None


def _is_set(option: object) -> bool:
    """Whether a push option was given: true without a value, else the value's text, or an object of several."""
    return option is not None and option is not False


def _merge_request(payload: Payload) -> PullRequestFacts:
    attributes = payload.at("object_attributes")
    # Without an action, as some system hooks come, the state is all that GitLab says.
    host_action = attributes.name("action") or attributes.name("state")
    previous_head = attributes.sha("oldrev")
    action = _ACTIONS.get(host_action or "", PullRequestAction.OTHER)
    # What changes while it is closed asks for nothing.
    is_update = host_action == "update" and attributes.text("state") in (None, "opened")
    if host_action == "update" and previous_head is not None:
        action = PullRequestAction.SYNCHRONIZE
    project, target = _repository(payload), attributes.name("target", "path_with_namespace")
    number = attributes.number("iid")
    return PullRequestFacts(
        repository=Repository(target or project.name, attributes.host("target", "web_url") or project.host),
        number=number,
        host_action=host_action,
        action=action,
        ref=f"refs/merge-requests/{number}/head",
        source=attributes.ref("source_branch"),
        target=attributes.ref("target_branch"),
        head=attributes.sha("last_commit", "id"),
        before=previous_head,
        from_fork=_from_fork(attributes),
        title=attributes.text("title"),
        author=_author(payload),
        draft=_draft(attributes),
        was_draft=_was_draft(payload) if is_update else None,
        previous_target=payload.ref("changes", "target_branch", "previous") if is_update else None,
        target_unclear=is_update and previous_head is None and _is_unchecked(payload),
        approval=_approval(payload) if is_update else None,
    )


def _is_unchecked(payload: Payload) -> bool:
    """Whether GitLab has to find out anew if it can merge: this may be all that it says of a new target."""
    changes = payload.at("changes")
    return changes.text("merge_status", "current") == "unchecked" and not changes.at("target_branch").is_object


def _approval(payload: Payload) -> Approval | None:
    """The labels that an update added: it lists all that there were before and are now."""
    before, now = (
        {title for label in payload.elements("changes", "labels", when) if (title := label.author("title"))}
        for when in ("previous", "current")
    )
    added = tuple(sorted(now - before))
    return Approval(labels=added, person=payload.author("user", "username")) if added else None


def _from_fork(attributes: Payload) -> bool | None:
    """Whether the source is another project than the target, by their numbers or by their names."""
    by_id = normalize.differ(attributes.number("source_project_id"), attributes.number("target_project_id"))
    source, target = (attributes.name(side, "path_with_namespace") for side in ("source", "target"))
    by_name = normalize.differ(source, target)
    return by_id if by_name is None else by_id or by_name


def _author(payload: Payload) -> str | None:
    """Who made the merge request: the user of the event only where it is them, else who wrote its last commit."""
    user = payload.author("user", "name")
    author_id, user_id = payload.number("object_attributes", "author_id"), payload.number("user", "id")
    if author_id is not None and author_id == user_id:
        return user
    return payload.author("object_attributes", "last_commit", "author", "name") or user


def _draft(attributes: Payload) -> bool | None:
    """The flag, under its older name in older versions."""
    flags = (attributes.flag(key) for key in ("draft", "work_in_progress"))
    return next((flag for flag in flags if flag is not None), None)


def _was_draft(payload: Payload) -> bool | None:
    """What the flag was before an update; versions that do not tell mean it by the title alone."""
    previous = payload.flag("changes", "draft", "previous")
    title = payload.text("changes", "title", "previous")
    return previous if previous is not None or title is None else title.lower().startswith(DRAFT_PREFIXES)


def _release(payload: Payload) -> ReleaseFacts:
    return ReleaseFacts(
        repository=_repository(payload),
        action=payload.name("action"),
        tag=payload.ref("tag"),
        title=payload.text("name"),
        commit=payload.sha("commit", "id"),
    )


_READERS: dict[str, Callable[[Payload], Facts]] = {
    "push": _push,
    "tag_push": _push,
    "merge_request": _merge_request,
    "release": _release,
}
