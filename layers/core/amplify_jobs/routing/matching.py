"""Matching: decides for each route whether an event concerns it, without input or output and without ever raising."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from amplify_jobs.events.event import (
    Event,
    EventKind,
    PullRequest,
    PullRequestAction,
    Release,
    RequestedJob,
    StoredObject,
)
from amplify_jobs.routing.conditions import Change, Objects, PullRequests, Push, Releases
from amplify_jobs.routing.github_patterns import first_match, last_match, last_match_in_any_case
from amplify_jobs.routing.placeholders import all_placeholders, drop_unknown_descriptions, is_unknown
from amplify_jobs.routing.previews import Approval, Preview
from amplify_jobs.routing.pull_requests import ending, late_opening
from amplify_jobs.routing.request_limits import refusal
from amplify_jobs.routing.routes import Route, Routes
from amplify_jobs.routing.text_patterns import last_text_match

# Amplify's own marker is [skip-cd]; the other two are what git hosts agree on.
SKIP_MARKER = "skip marker"
SKIP_MARKERS = ("[skip ci]", "[ci skip]", "[skip-cd]")
# What GitHub's merge queue calls its branches: it deletes them within minutes, and Amplify does not have them.
MERGE_QUEUE = "gh-readonly-queue/"

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
    """A route that asks for a job because of the event, and a finding for each of its conditions.

    Without a route, the event itself says which job: someone asked for it outright. With `removes_preview` the route
    asks for no job, but for the end of the pull request's preview.
    """

    name: str | None
    route: Route | None
    findings: tuple[str, ...] = ()
    removes_preview: bool = False


@dataclass(frozen=True)
class Ignored:
    """Why a route asks for nothing, and which of its conditions decided so; without a route, why none does."""

    route: str | None
    reason: str
    condition: str | None = None


class _Check(NamedTuple):
    """A condition of a route, whether the event meets it, and what the event has there."""

    condition: str
    is_met: bool
    finding: str


def decide(routes: Routes, source: str, event: Event) -> list[Matched | Ignored]:
    """Say for each route whether an event of a source concerns it: the first condition that is not met decides."""
    if (reason := event.reason_to_ignore) is not None:
        return [Ignored(None, reason)]
    if (reason := refusal(routes, source, event)) is not None:
        return [Ignored(event.request.route if event.request else None, reason, "allow")]
    order = event.request or event.schedule
    if isinstance(order, RequestedJob) and order.route is None:
        return [Matched(None, None, ("the event says which job",))]
    if order is None and event.kind in (EventKind.SCHEDULE, EventKind.REQUEST):
        return [Ignored(None, f"the {event.kind} does not say which route it is for")]
    if order is not None and order.route not in routes.routes:
        return [Ignored(None, f"there is no route {order.route}")]
    if not routes.routes:
        return [Ignored(None, "there are no routes")]
    return [_decide_route(name, routes, source, event) for name in routes.routes]


def _decide_route(name: str, routes: Routes, source: str, event: Event) -> Matched | Ignored:
    if (removal := _decide_removal(name, routes, source, event)) is not None:
        return removal
    findings: list[str] = []
    for check in _checks(name, routes, source, event):
        if not check.is_met:
            return Ignored(name, check.finding, check.condition)
        findings.append(check.finding)
    return Matched(name, routes.routes[name], tuple(findings))


def _decide_removal(name: str, routes: Routes, source: str, event: Event) -> Matched | None:
    """Whether a pull request needs the preview of a route no more, whatever other conditions the route has.

    A preview that is not there, since the others were not met, is no trouble.
    """
    route, pull = routes.routes[name], event.pull_request
    conditions = route.when.pull_request
    if route.preview is None or conditions is None or pull is None or event.kind is not EventKind.PULL_REQUEST:
        return None
    end = ending(conditions, pull)
    if end is None:
        return None
    checks = [] if route.source is None else [_check_source(route.source, source)]
    checks.append(_check_repository("pull_request", conditions.repository, event))
    if not route.enabled or not all(check.is_met for check in checks):
        return None
    findings = tuple(check.finding for check in checks)
    return Matched(name, route, (*findings, f"{end}, and its preview is taken away"), removes_preview=True)


def _checks(name: str, routes: Routes, source: str, event: Event) -> Iterator[_Check]:
    """A route's conditions in their order; the cheap ones that decide most often come first."""
    route = routes.routes[name]
    yield _check_kind(name, route, event)
    if not route.enabled:
        yield _Check("enabled", is_met=False, finding="the route is switched off (enabled: false)")
    if event.request is not None:
        yield from _check_request(route, routes, source, event)
        return
    if route.source is not None:
        yield _check_source(route.source, source)
    when = route.when
    if when.push is not None:
        yield from _check_push(when.push, event)
    elif when.pull_request is not None and event.pull_request is not None:
        yield from _check_pull_request(when.pull_request, route.preview, event, event.pull_request)
    elif when.release is not None and event.release is not None:
        yield from _check_release(when.release, event, event.release)
    elif when.object is not None and event.object is not None:
        yield from _check_object(when.object, event.object)
    elif when.schedule is None:
        kind = event.kind.replace("_", " ")
        yield _Check(event.kind, is_met=False, finding=f"the event does not say which {kind} it is of")


def _compare(condition: str, is_met: bool, phrases: tuple[str, str], expected: str) -> _Check:
    """A check whose finding is the first phrase if the condition is met, else the second, and what is expected."""
    return _Check(condition, is_met, f"{phrases[0] if is_met else phrases[1]} {expected}")


def _check_source(expected: str, source: str) -> _Check:
    return _compare("source", expected == source, (f"source {source} is", f"source {source} is not"), expected)


def _check_kind(name: str, route: Route, event: Event) -> _Check:
    """Whether it is the kind of event that the route waits for; one that names a route concerns that alone."""
    order = event.request or event.schedule
    if order is not None and (order.route != name or event.request is not None):
        sender = "the request" if event.request else "the schedule that came due"
        return _compare("when", order.route == name, (f"{sender} names",) * 2, f"route {order.route}")
    kinds = route.when.kinds
    if event.kind in kinds:
        return _Check("when", is_met=True, finding=f"the route waits for {_WAITS_FOR[event.kind]}")
    kind = f"{event.ref} is a tag" if event.kind is EventKind.TAG else f"the event's kind is {event.kind}"
    expected = " and ".join(_WAITS_FOR[kind] for kind in kinds)
    return _Check("when", is_met=False, finding=f"{kind}, and the route waits for {expected}")


def _check_request(route: Route, routes: Routes, source: str, event: Event) -> Iterator[_Check]:
    """Whether a request may have the route's job; the route's source and conditions are those of other events.

    Whoever can ask at all is trusted with any job: by IAM, or as a source of Standard Webhooks. Only a route that
    waits for nothing but requests means by its source which of the other sources may make them.
    """
    if route.when.request is not None and source in routes.sources and route.source is not None:
        yield _check_source(route.source, source)
    parameters = drop_unknown_descriptions(route.request.parameters, EventKind.REQUEST)
    placeholders = all_placeholders(parameters)
    # The API's requests may say which branch or commit.
    filled = {f"{{{name}}}" for name in ("branch", "commit") if getattr(event, name) is not None}
    unknown = (each for each in placeholders if each not in filled and is_unknown(each, EventKind.REQUEST))
    missing = next(unknown, None)
    if missing:
        pull_request = "retry the newest request of the pull request"
        remedy = pull_request if route.when.pull_request is not None else "ask by operation and parameters"
        finding = f"the route's parameters need {missing}, which a request does not have: {remedy}"
        yield _Check("request.parameters", is_met=False, finding=finding)


def _check_push(conditions: Push, event: Event) -> Iterator[_Check]:
    yield _check_repository("push", conditions.repository, event)
    if event.kind is EventKind.TAG:
        yield from _check_ref("push.tags", "tag", event.tag, event, conditions.tags or ())
    else:
        yield from _check_ref("push.branches", "branch", event.branch, event, conditions.branch_patterns)
        yield from _check_merge_queue(event.branch or "", conditions.branch_patterns)
    if event.skip_option is not None:
        yield _Check("skip option", is_met=False, finding=f"the push was made with the option {event.skip_option}")
    message = (event.message or "").casefold()
    marker = next((marker for marker in SKIP_MARKERS if marker in message), None)
    if marker:
        yield _Check(SKIP_MARKER, is_met=False, finding=f"the head commit's message says {marker}")
    yield from _check_author_and_message("push", conditions, event)
    # What a tag changed is not told, or told of the wrong commits: GitHub Actions does not ask either.
    if event.kind is not EventKind.TAG:
        yield from _check_paths("push", conditions, event)


def _check_ref(condition: str, noun: str, name: str | None, event: Event, patterns: Sequence[str]) -> Iterator[_Check]:
    if event.deleted:
        yield _Check(condition, is_met=False, finding=f"{noun} {name} was deleted")
    yield _check_name(condition, noun, name, patterns)


def _check_merge_queue(branch: str, patterns: Sequence[str]) -> Iterator[_Check]:
    """A merge queue's branch is in only by a pattern that begins with its name, not by one for all branches."""
    if branch.startswith(MERGE_QUEUE):
        explicit = [pattern for pattern in patterns if pattern.startswith(("!", MERGE_QUEUE))]
        if last_match(explicit, branch) is None:
            finding = f"branch {branch} is of a merge queue, and no pattern names {MERGE_QUEUE}**"
            yield _Check("push.branches", is_met=False, finding=finding)


def _check_pull_request(
    conditions: PullRequests, preview: Preview | None, event: Event, pull: PullRequest
) -> Iterator[_Check]:
    yield _check_repository("pull_request", conditions.repository, event)
    needs_approval = preview is not None and preview.approval is not None and pull.from_fork is not False
    if preview is not None and preview.approval is not None and needs_approval:
        yield _check_approval(preview.approval, pull)
    elif pull.approval is not None and pull.approval.comment is not None:
        finding = f"a comment on pull request {pull.number} changes none of its code"
        yield _Check("pull_request.actions", is_met=False, finding=finding)
    else:
        yield _check_actions(conditions, pull)
    if not conditions.drafts and pull.draft:
        finding = f"pull request {pull.number} is a draft, and the route takes none (drafts: false)"
        yield _Check("pull_request.drafts", is_met=False, finding=finding)
    if conditions.targets is not None:
        yield _check_name("pull_request.targets", "target", pull.target, conditions.targets)
    if not needs_approval and not conditions.forks and pull.from_fork is not False:
        remedy = "forks: true" if preview is None else "a mirror and preview.approval"
        finding = f"pull request {pull.number} {_origin(pull)}, and the route takes none ({remedy} would)"
        yield _Check("pull_request.forks", is_met=False, finding=finding)
    yield from _check_author_and_message("pull_request", conditions, event)
    yield from _check_paths("pull_request", conditions, event)


def _check_actions(conditions: PullRequests, pull: PullRequest) -> _Check:
    opening = late_opening(conditions, pull)
    actions = {pull.action} | ({PullRequestAction.OPENED} if opening else set())
    is_met = not actions.isdisjoint(conditions.actions)
    action = f"action {pull.action} (the host's {pull.host_action}{opening})"
    expected = ", ".join(conditions.actions)
    return _compare("pull_request.actions", is_met, (f"{action} is one of", f"{action} is none of"), expected)


def _check_approval(approval: Approval, pull: PullRequest) -> _Check:
    """Whether the event approves the code of a fork; what was approved before is other code."""
    number, origin, sign = pull.number, _origin(pull), pull.approval
    is_met = approval.is_given(pull) and pull.head is not None
    phrases = f"pull request {number} {origin} and has", f"pull request {number} {origin} and waits for approval:"
    check = _compare("preview.approval", is_met, phrases, approval.text)
    if not is_met and approval.by is not None and sign is not None and sign.comment == approval.comment:
        check = check._replace(finding=f"{check.finding}; this one is of {sign.person or 'nobody that the host names'}")
    return check


def _origin(pull: PullRequest) -> str:
    return "comes from a fork" if pull.from_fork else "may come from a fork: the host does not say"


def _check_release(conditions: Releases, event: Event, release: Release) -> Iterator[_Check]:
    yield _check_repository("release", conditions.repository, event)
    is_met = release.action.casefold() in {action.casefold() for action in conditions.actions}
    phrases = f"action {release.action} is one of", f"action {release.action} is none of"
    yield _compare("release.actions", is_met, phrases, ", ".join(conditions.actions))
    if conditions.tags is not None:
        yield _check_name("release.tags", "tag", release.tag, conditions.tags)


def _check_object(conditions: Objects, stored: StoredObject) -> Iterator[_Check]:
    bucket, key = stored.bucket, stored.key
    phrases = f"bucket {bucket} is", f"bucket {bucket} is not"
    yield _compare("object.bucket", bucket == conditions.bucket, phrases, conditions.bucket)
    if prefix := conditions.prefix:
        phrases = f"key {key} begins with", f"key {key} does not begin with"
        yield _compare("object.prefix", key.startswith(prefix), phrases, prefix)
    if suffix := conditions.suffix:
        phrases = f"key {key} ends with", f"key {key} does not end with"
        yield _compare("object.suffix", key.endswith(suffix), phrases, suffix)


def _check_repository(kind: str, pattern: str, event: Event) -> _Check:
    name = event.repository
    is_met = last_match_in_any_case((pattern,), name or "") is not None
    return _compare(f"{kind}.repository", is_met, (f"repository {name} is", f"repository {name} is not"), pattern)


def _check_name(condition: str, noun: str, name: str | None, patterns: Sequence[str]) -> _Check:
    pattern = None if name is None else last_match(patterns, name)
    if pattern is None:
        return _Check(condition, is_met=False, finding=f"{noun} {name} does not match {', '.join(patterns)}")
    return _Check(condition, is_met=True, finding=f"{noun} {name} matches {pattern}")


def _check_author_and_message(kind: str, conditions: Change, event: Event) -> Iterator[_Check]:
    """Who made the change, and its message; for a pull request, its title."""
    texts = (
        ("authors", "author", event.author_name, conditions.authors),
        ("messages", "message", event.message, conditions.messages),
    )
    for member, noun, text, patterns in texts:
        if patterns is not None:
            pattern = last_text_match(patterns, text or "")
            beginning = repr((text or "").partition("\n")[0][:100])
            result = f"matches {pattern}" if pattern else f"does not match {', '.join(patterns)}"
            yield _Check(f"{kind}.{member}", pattern is not None, f"{noun} {beginning} {result}")


def _check_paths(kind: str, conditions: Change, event: Event) -> Iterator[_Check]:
    """Paths: at least one changed file must be in. Files that are not known may be any: the route is asked to build."""
    if conditions.paths is None:
        return
    condition, files = f"{kind}.paths", event.files_to_match
    if files is None:
        finding = "which files changed is not known, so the paths may be among them"
        yield _Check(condition, is_met=True, finding=finding)
        return
    match = first_match(conditions.paths, files)
    if match is not None:
        yield _Check(condition, is_met=True, finding=f"changed file {match[0]} matches {match[1]}")
        return
    patterns = ", ".join(conditions.paths)
    finding = f"none of {len(files)} changed files matches {patterns}" if files else "no file changed"
    yield _Check(condition, is_met=False, finding=finding)
