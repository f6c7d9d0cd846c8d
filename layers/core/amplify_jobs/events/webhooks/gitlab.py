"""GitLab, SaaS and self-managed: deliveries signed with a signing token, or with the plain X-Gitlab-Token.

A secret that opens with whsec_ is a signing token. Source: GitLab Docs, "Webhooks" and "Webhook events".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from amplify_jobs.errors import InvalidSignatureError, UnreadableDeliveryError
from amplify_jobs.events import deliveries, normalize
from amplify_jobs.events.deliveries import Delivery, Headers
from amplify_jobs.events.event import Event, PullRequestAction
from amplify_jobs.events.identity import Origin
from amplify_jobs.events.payload import author, flag, host, items, member, name, number, ref, sha, text
from amplify_jobs.events.strict_json import json_body
from amplify_jobs.events.webhooks.signatures import verify_token
from amplify_jobs.events.webhooks.standard_signature import SECRET_PREFIX, SIGNATURE_HEADER, keys_of, signed_message

TOKEN_HEADER = "X-Gitlab-Token"  # noqa: S105 -- the header's name, not a token

# How the titles of drafts begin, in any version.
DRAFT_PREFIXES = ("draft:", "[draft]", "(draft)", "wip:", "[wip]")
_ACTIONS = {
    "open": PullRequestAction.OPENED,
    "opened": PullRequestAction.OPENED,
    "reopen": PullRequestAction.REOPENED,
    "close": PullRequestAction.CLOSED,
    "merge": PullRequestAction.MERGED,
}


def delivery_id(headers: Headers) -> str | None:
    """The Idempotency-Key header, before GitLab 17.4 X-Gitlab-Event-UUID; only a signing token signs it."""
    ids = (deliveries.delivery_id(headers, header) for header in ("Idempotency-Key", "X-Gitlab-Event-UUID"))
    return next((found for found in ids if found), None)


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Raise InvalidSignatureError unless a signing token signed id, time and body or, where there is none, a token is
    given.

    With a signing token among the secrets the plain token is never taken: GitLab sends it on signed deliveries too.
    """
    signing_tokens = [secret for secret in secrets if secret.startswith(SECRET_PREFIX)]
    if not signing_tokens:
        return verify_token(headers, TOKEN_HEADER, secrets)
    if not signed_message(headers, body, now).signed_with(keys_of(signing_tokens)):
        raise InvalidSignatureError(f"{SIGNATURE_HEADER} was not made with a signing token of this source")
    return None


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery of a project, group or system hook. Raises UnreadableDeliveryError."""
    payload = json_body(body)
    kind = text(payload, "object_kind") or text(payload, "event_name")
    read = _READERS.get(kind or "")
    if read is None:
        return normalize.not_handled(kind, "object_kind in the body", _READERS)
    return normalize.delivery([read(payload)], Origin("gitlab", headers, payload))


def _push(payload: dict[str, Any]) -> Event | str:
    pushed = ref(payload, "ref")
    if pushed is None:
        raise UnreadableDeliveryError("a push needs ref")
    before, after, commits = sha(payload, "before"), sha(payload, "after"), items(payload, "commits")
    # checkout_sha is the commit behind an annotated tag, where after is the tag itself.
    built = sha(payload, "checkout_sha") or after
    head = normalize.commit_of(next((commit for commit in commits if built and member(commit, "id") == built), None))
    return normalize.ref_change(
        ref=pushed,
        repository=name(payload, "project", "path_with_namespace"),
        before=before,
        after=after,
        created=before is None and "before" in payload,
        deleted=after is None and "after" in payload,
        host=host(payload, "project", "web_url"),
        head=normalize.Commit(built, head.time, head.message, head.author),
        changed_files=_changed_files(payload, commits),
        without_commits=member(payload, "commits") == [],
        skip_option="ci.skip" if _is_set(member(payload, "push_options", "ci", "skip")) else None,
    )


def _changed_files(payload: dict[str, Any], commits: list[Any]) -> tuple[str, ...] | None:
    """The files of all commits; None where fewer are listed than were pushed: GitLab lists at most 20."""
    complete = member(payload, "total_commits_count") == len(commits)
    return normalize.changed_files(commits) if complete else None


def _is_set(option: object) -> bool:
    """Whether a push option was given: true without a value, else the value's text, or an object of several."""
    return option is not None and option is not False


def _merge_request(payload: dict[str, Any]) -> Event | str:
    attributes = member(payload, "object_attributes")
    # Without an action, as some system hooks come, the state is all that GitLab says.
    host_action = name(attributes, "action") or name(attributes, "state")
    previous_head = sha(attributes, "oldrev")
    action = _ACTIONS.get(host_action or "", PullRequestAction.OTHER)
    # What changes while it is closed asks for nothing.
    is_update = host_action == "update" and text(attributes, "state") in (None, "opened")
    if host_action == "update" and previous_head is not None:
        action = PullRequestAction.SYNCHRONIZE
    target = name(attributes, "target", "path_with_namespace")
    ids = normalize.different(number(attributes, "source_project_id"), number(attributes, "target_project_id"))
    names = normalize.different(name(attributes, "source", "path_with_namespace"), target)
    iid = number(attributes, "iid")
    return normalize.pull_request(
        repository=target or name(payload, "project", "path_with_namespace"),
        number=iid,
        host_action=host_action,
        action=action,
        ref=f"refs/merge-requests/{iid}/head",
        source=ref(attributes, "source_branch"),
        target=ref(attributes, "target_branch"),
        head=sha(attributes, "last_commit", "id"),
        before=previous_head,
        from_fork=ids or names if names is not None else ids,
        title=text(attributes, "title"),
        author=_author(payload, attributes),
        draft=_draft(attributes),
        was_draft=_was_draft(payload) if is_update else None,
        previous_target=ref(payload, "changes", "target_branch", "previous") if is_update else None,
        host=host(attributes, "target", "web_url") or host(payload, "project", "web_url"),
    )


def _author(payload: dict[str, Any], attributes: object) -> str | None:
    """Who made the merge request: the user of the event only where it is them, else who wrote its last commit."""
    user = author(payload, "user", "name")
    made_by, user_id = number(attributes, "author_id"), number(payload, "user", "id")
    if made_by is not None and made_by == user_id:
        return user
    return author(attributes, "last_commit", "author", "name") or user


def _draft(attributes: object) -> bool | None:
    """The flag, under its older name in older versions."""
    flags = (flag(attributes, key) for key in ("draft", "work_in_progress"))
    return next((found for found in flags if found is not None), None)


def _was_draft(payload: dict[str, Any]) -> bool | None:
    """What the flag was before an update; versions that do not tell mean it by the title alone."""
    previous = flag(payload, "changes", "draft", "previous")
    title = text(payload, "changes", "title", "previous")
    return previous if previous is not None or title is None else title.lower().startswith(DRAFT_PREFIXES)


def _release(payload: dict[str, Any]) -> Event | str:
    return normalize.release(
        repository=name(payload, "project", "path_with_namespace"),
        action=name(payload, "action"),
        tag=ref(payload, "tag"),
        title=text(payload, "name"),
        commit=sha(payload, "commit", "id"),
        host=host(payload, "project", "web_url"),
    )


_READERS: dict[str, Callable[[dict[str, Any]], Event | str]] = {
    "push": _push,
    "tag_push": _push,
    "merge_request": _merge_request,
    "release": _release,
}
