"""Matching: what the routes make of an event, decided without input or output and without ever raising."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from amplify_jobs.events.event import (
    Event,
    EventKind,
    PullRequest,
    PullRequestAction,
    RequestedJob,
    happened_at,
    request_id,
)
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.request import COMMIT_MESSAGE_LIMIT, JOB_REASON_LIMIT, Cause, JobRequest
from amplify_jobs.routing.patterns import deciding_any_case, deciding_text, first_match, last_match
from amplify_jobs.routing.placeholders import VALUES, all_placeholders, render
from amplify_jobs.routing.request_limits import refusal
from amplify_jobs.routing.routes import Change, Objects, PullRequests, Push, Releases, Route, Routes

# Amplify's own marker is [skip-cd]; the other two are what git hosts agree on.
SKIP_MARKERS = ("[skip ci]", "[ci skip]", "[skip-cd]")
# What GitHub's merge queue calls its branches: it deletes them within minutes, and Amplify does not have them.
MERGE_QUEUE = "gh-readonly-queue/"
# What a job can do without.
_DESCRIPTIONS = ("jobReason", "commitMessage")
# Announcements show the message's beginning; the whole of it travels once, as commitMessage.
CAUSE_MESSAGE_LIMIT = 1_000

_ASKS_FOR_NOTHING = {
    EventKind.PING: "a ping asks for no job; the webhook works",
    EventKind.REF_CREATE: "that a branch or tag was created asks for no job; the push of it does",
    EventKind.REF_DELETE: "that a branch or tag was deleted asks for no job",
}
_WAITS_FOR = {
    EventKind.PUSH: "pushes to branches",
    EventKind.TAG: "pushes of tags",
    EventKind.PULL_REQUEST: "pull requests",
    EventKind.RELEASE: "releases",
    EventKind.SCHEDULE: "its schedule",
    EventKind.OBJECT: "objects in a bucket",
    EventKind.REQUEST: "requests that name it",
}


@dataclass(frozen=True)
class Matched:
    """A route that asks for a job because of the event, and what each of its conditions found.

    Without a route, the event itself says which job: someone asked for it outright.
    """

    name: str | None
    route: Route | None
    found: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ignored:
    """Why a route asks for nothing, and which of its conditions decided so; without a route, why none was asked."""

    route: str | None
    reason: str
    condition: str | None = None


class _Check(NamedTuple):
    """A condition of a route, whether the event meets it, and what was found."""

    condition: str
    met: bool
    found: str


def decide(routes: Routes, source: str, event: Event) -> list[Matched | Ignored]:
    """Say for each route whether an event of a source concerns it: the first condition that is not met decides."""
    if (reason := asks_for_nothing(event)) is not None:
        return [Ignored(None, reason)]
    if (reason := refusal(routes, source, event)) is not None:
        return [Ignored(event.request.route if event.request else None, reason, "allow")]
    wanted = event.request or event.schedule
    if isinstance(wanted, RequestedJob) and wanted.route is None:
        return [Matched(None, None, ("the event says which job",))]
    if wanted is None and event.kind in (EventKind.SCHEDULE, EventKind.REQUEST):
        return [Ignored(None, f"the {event.kind} does not say which route it is for")]
    if wanted is not None and wanted.route not in routes.routes:
        return [Ignored(None, f"there is no route {wanted.route}")]
    if not routes.routes:
        return [Ignored(None, "there are no routes")]
    return [_decision(name, routes, source, event) for name in routes.routes]


def asks_for_nothing(event: Event) -> str | None:
    """Why an event asks for no job whatever the routes say; None where they decide."""
    return _ASKS_FOR_NOTHING.get(event.kind)


def requested_job(
    matched: Matched, event: Event, *, source: str, delivery_id: str | None, received_at: datetime
) -> JobRequest:
    """Make the request that a route, or the event itself, asks for."""
    if matched.route is None:
        given = (
            event.request.model_dump(exclude={"version", "request_id", "reason"}, exclude_none=True)
            if event.request
            else {}
        )
    else:
        route = matched.route
        given = {
            "route": matched.name,
            "operation": route.request.operation,
            "parameters": _parameters(route, _as_taken(route, event)),
            "timeout_minutes": route.timeout_minutes,
            "start_within_minutes": route.start_within_minutes,
            "on_timeout": route.on_timeout,
            "retry": route.retry,
            "supersede": route.supersede,
        }
    given["parameters"] = _with_reason(given, event)
    return JobRequest(
        request_id=_request_id(matched, event, source),
        cause=_cause(event, source, delivery_id),
        received_at=received_at,
        event_time=happened_at(event, received_at),
        **given,
    )


def _request_id(matched: Matched, event: Event, source: str) -> str:
    if event.request is not None:
        # Senders of requests name them as they like: two of them may use the same name.
        event = event.model_copy(update={"host": source})
    asker = re.sub(r"[^a-z0-9]+", "-", source.lower()).strip("-") or "request"
    return request_id(matched.name or asker, event)


def _decision(name: str, routes: Routes, source: str, event: Event) -> Matched | Ignored:
    route = routes.routes[name]
    found: list[str] = []
    for check in _checks(name, routes, source, event):
        if not check.met:
            return Ignored(name, check.found, check.condition)
        found.append(check.found)
    return Matched(name, route, tuple(found))


def _checks(name: str, routes: Routes, source: str, event: Event) -> Iterator[_Check]:
    """A route's conditions in the order in which they are asked; the cheap ones that decide most often come first."""
    route = routes.routes[name]
    yield _kind(name, route, event)
    if not route.enabled:
        yield _Check("enabled", met=False, found="the route is switched off (enabled: false)")
    if event.request is not None:
        yield from _by_name(route, routes, source)
        return
    if route.source is not None:
        yield _check("source", route.source == source, f"source {source} is", f"source {source} is not", route.source)
    when = route.when
    if when.push is not None:
        yield from _of_push(when.push, event)
    elif when.pull_request is not None:
        yield from _of_pull_request(when.pull_request, event)
    elif when.release is not None:
        yield from _of_release(when.release, event)
    elif when.object is not None:
        yield from _of_object(when.object, event)


def _check(condition: str, met: bool, yes: str, no: str, wanted: str) -> _Check:
    return _Check(condition, met, f"{yes if met else no} {wanted}")


def _kind(name: str, route: Route, event: Event) -> _Check:
    """Whether it is the kind of event that the route waits for; one that names a route concerns that alone."""
    asked = event.request or event.schedule
    if asked is not None:
        who = "the request" if event.request else "the schedule that came due"
        if asked.route != name or event.request is not None:
            return _check("when", asked.route == name, f"{who} names", f"{who} names", f"route {asked.route}")
    kinds = route.when.kinds
    if event.kind in kinds:
        return _Check("when", met=True, found=f"the route waits for {_WAITS_FOR[event.kind]}")
    what = f"{event.ref} is a tag" if event.kind is EventKind.TAG else f"the event's kind is {event.kind}"
    waits = " and ".join(_WAITS_FOR[kind] for kind in kinds)
    return _Check("when", met=False, found=f"{what}, and the route waits for {waits}")


def _by_name(route: Route, routes: Routes, source: str) -> Iterator[_Check]:
    """Whether a request may have the route's job; the route's source and conditions are those of other events.

    Whoever can ask at all is trusted with any job: by IAM, or as a source of Standard Webhooks. Only a route that
    waits for nothing but requests means by its source which of the other sources may make them.
    """
    if route.when.request is not None and source in routes.sources and route.source is not None:
        yield _check("source", route.source == source, f"source {source} is", f"source {source} is not", route.source)
    needed = _without_descriptions(route.request.parameters)
    missing = next((name for name in all_placeholders(needed) if _unknown_to_requests(name)), None)
    if missing:
        reason = (
            f"the route's parameters need {missing}, which a request does not have: ask by operation and parameters"
        )
        yield _Check("request.parameters", met=False, found=reason)


def _without_descriptions(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters without what only describes the job in words that requests do not have."""
    return {
        name: value
        for name, value in parameters.items()
        if name not in _DESCRIPTIONS
        or not any(_unknown_to_requests(placeholder) for placeholder in all_placeholders(value))
    }


def _unknown_to_requests(placeholder: str) -> bool:
    value = VALUES.get(placeholder[1:-1])
    return value is not None and EventKind.REQUEST not in value.kinds


def _of_push(push: Push, event: Event) -> Iterator[_Check]:
    yield _repository(push.repository, "push", event)
    is_tag = event.kind is EventKind.TAG
    condition, what, name = ("push.tags", "tag", event.tag) if is_tag else ("push.branches", "branch", event.branch)
    if event.deleted:
        yield _Check(condition, met=False, found=f"{what} {name} was deleted")
    yield _name(condition, what, name, (push.tags or ()) if is_tag else push.branch_patterns)
    if not is_tag:
        yield from _named_queue(event.branch or "", push.branch_patterns)
    if event.skip_option is not None:
        yield _Check("skip option", met=False, found=f"the push was made with the option {event.skip_option}")
    message = (event.message or "").casefold()
    marker = next((marker for marker in SKIP_MARKERS if marker in message), None)
    if marker:
        yield _Check("skip marker", met=False, found=f"the head commit's message says {marker}")
    yield from _said(push, "push", event)
    # What a tag changed is not told, or told of the wrong commits: GitHub Actions does not ask either.
    if not is_tag:
        yield from _changed(push, "push", event)


def _named_queue(branch: str, patterns: Sequence[str]) -> Iterator[_Check]:
    """A merge queue's branch is in only by a pattern that begins with its name, not by one for all branches."""
    if branch.startswith(MERGE_QUEUE):
        naming = [pattern for pattern in patterns if pattern.startswith(("!", MERGE_QUEUE))]
        if last_match(naming, branch) is None:
            found = f"branch {branch} is of a merge queue, and no pattern names {MERGE_QUEUE}**"
            yield _Check("push.branches", met=False, found=found)


def _of_pull_request(wanted: PullRequests, event: Event) -> Iterator[_Check]:
    yield _repository(wanted.repository, "pull_request", event)
    pull = event.pull_request
    if pull is None:
        yield _Check("pull_request", met=False, found="the event does not say which pull request it is of")
        return
    joined = _joined(wanted, pull)
    found_actions = {pull.action} | ({PullRequestAction.OPENED} if joined else set())
    action, actions = f"action {pull.action} (the host's {pull.host_action}{joined})", ", ".join(wanted.actions)
    met = not found_actions.isdisjoint(wanted.actions)
    yield _check("pull_request.actions", met, f"{action} is one of", f"{action} is none of", actions)
    if not wanted.drafts and pull.draft:
        found = f"pull request {pull.number} is a draft, and the route takes none (drafts: false)"
        yield _Check("pull_request.drafts", met=False, found=found)
    if wanted.targets is not None:
        yield _name("pull_request.targets", "target", pull.target, wanted.targets)
    if not wanted.forks and pull.from_fork is not False:
        origin = "comes from a fork" if pull.from_fork else "may come from a fork: the host does not say"
        found = f"pull request {pull.number} {origin}, and the route takes none (forks: true would)"
        yield _Check("pull_request.forks", met=False, found=found)
    yield from _said(wanted, "pull_request", event)
    yield from _changed(wanted, "pull_request", event)


def _joined(wanted: PullRequests, pull: PullRequest) -> str:
    """How a pull request that was none of the route's became one, which is for the route as if it was opened then."""
    if not wanted.drafts and pull.became_ready:
        return ", opened for the route as it became ready"
    left, patterns = pull.previous_target, wanted.targets or ()
    if left is not None and last_match(patterns, left) is None and last_match(patterns, pull.target or "") is not None:
        return f", opened for the route as its target was {left}"
    return ""


def _of_release(wanted: Releases, event: Event) -> Iterator[_Check]:
    yield _repository(wanted.repository, "release", event)
    action = event.release.action if event.release else None
    met = (action or "").casefold() in {word.casefold() for word in wanted.actions}
    actions = ", ".join(wanted.actions)
    yield _check("release.actions", met, f"action {action} is one of", f"action {action} is none of", actions)
    if wanted.tags is not None:
        yield _name("release.tags", "tag", event.release.tag if event.release else None, wanted.tags)


def _of_object(wanted: Objects, event: Event) -> Iterator[_Check]:
    bucket, key = (event.object.bucket, event.object.key) if event.object else ("", "")
    yield _check(
        "object.bucket", bucket == wanted.bucket, f"bucket {bucket} is", f"bucket {bucket} is not", wanted.bucket
    )
    if wanted.prefix:
        met = key.startswith(wanted.prefix)
        yield _check("object.prefix", met, f"key {key} begins with", f"key {key} does not begin with", wanted.prefix)
    if wanted.suffix:
        met = key.endswith(wanted.suffix)
        yield _check("object.suffix", met, f"key {key} ends with", f"key {key} does not end with", wanted.suffix)


def _repository(wanted: str, kind: str, event: Event) -> _Check:
    name = event.repository
    met = deciding_any_case((wanted,), name or "") is not None
    return _check(f"{kind}.repository", met, f"repository {name} is", f"repository {name} is not", wanted)


def _name(condition: str, what: str, name: str | None, patterns: Sequence[str]) -> _Check:
    decided = None if name is None else last_match(patterns, name)
    if decided is None:
        return _Check(condition, met=False, found=f"{what} {name} does not match {', '.join(patterns)}")
    return _Check(condition, met=True, found=f"{what} {name} matches {decided}")


def _said(wanted: Change, kind: str, event: Event) -> Iterator[_Check]:
    """Who made the change, and what they said of it; a pull request's title for its message."""
    said = (
        ("authors", "author", event.author_name, wanted.authors),
        ("messages", "message", event.message, wanted.messages),
    )
    for member, what, text, patterns in said:
        if patterns is not None:
            decided = deciding_text(patterns, text or "")
            shown = repr((text or "").partition("\n")[0][:100])
            found = (
                f"{what} {shown} matches {decided}"
                if decided
                else f"{what} {shown} does not match {', '.join(patterns)}"
            )
            yield _Check(f"{kind}.{member}", decided is not None, found)


def _changed(wanted: Change, kind: str, event: Event) -> Iterator[_Check]:
    """Paths: at least one changed file must be in. Files that are not known may be any: the route is asked to build."""
    if wanted.paths is None:
        return
    condition, files = f"{kind}.paths", event.files_to_match
    if files is None:
        yield _Check(condition, met=True, found="which files changed is not known, so the paths may be among them")
        return
    found = first_match(wanted.paths, files)
    if found is not None:
        yield _Check(condition, met=True, found=f"changed file {found[0]} matches {found[1]}")
        return
    wanted_paths = ", ".join(wanted.paths)
    reason = f"none of {len(files)} changed files matches {wanted_paths}" if files else "no file changed"
    yield _Check(condition, met=False, found=reason)


def _cause(event: Event, source: str, delivery_id: str | None) -> Cause:
    return Cause(
        source=source,
        kind=event.kind,
        repository=event.repository,
        ref=event.ref,
        branch=event.branch,
        tag=event.tag,
        commit=event.commit,
        message=event.message and event.message[:CAUSE_MESSAGE_LIMIT],
        author=event.author_name,
        pull_request=event.pull_request.number if event.pull_request else None,
        object=f"s3://{event.object.bucket}/{event.object.key}" if event.object else None,
        delivery_id=delivery_id,
        reason=event.request.reason if event.request else None,
    )


def _with_reason(given: dict[str, Any], event: Event) -> dict[str, Any]:
    """The parameters, with the sender's reason as Amplify's where they do not say any."""
    parameters: dict[str, Any] = given["parameters"]
    reason = event.request.reason if event.request else None
    if reason and given["operation"] == Operation.START_JOB and "parameters_uri" not in given:
        return {"jobReason": reason} | parameters
    return parameters


def _as_taken(route: Route, event: Event) -> Event:
    """The event as the route takes it: a pull request that became one of the route's is opened."""
    wanted, pull = route.when.pull_request, event.pull_request
    if wanted is None or pull is None or event.kind is not EventKind.PULL_REQUEST or not _joined(wanted, pull):
        return event
    opened = pull.model_copy(update={"action": PullRequestAction.OPENED})
    return event.model_copy(update={"pull_request": opened})


def _parameters(route: Route, event: Event) -> dict[str, Any]:
    template = _without_descriptions(route.request.parameters) if event.request else route.request.parameters
    parameters: dict[str, Any] = render(template, event)
    if route.request.operation is Operation.START_JOB:
        of_commit = {
            "commitId": event.commit,
            "commitMessage": event.message,
            "commitTime": event.commit_time and event.commit_time.isoformat(),
        }
        parameters = {name: value for name, value in of_commit.items() if value} | parameters
    for name, limit in (("commitMessage", COMMIT_MESSAGE_LIMIT), ("jobReason", JOB_REASON_LIMIT)):
        if isinstance(parameters.get(name), str):
            parameters[name] = parameters[name][:limit]
    return parameters
