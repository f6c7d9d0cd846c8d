"""What routes name of an account (apps, branches, buckets), and what does not fit there. Decisions without calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_jobs.events.event import EventKind
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.s3_uri import bucket_and_key
from amplify_jobs.routing.github_patterns import last_match
from amplify_jobs.routing.placeholders import placeholders_in
from amplify_jobs.routing.routes import Route, Routes

_PATTERN_SIGNS = re.compile(r"[*?+\[\]\\!]")
# Jobs of these events would be doubled by Amplify's own build of the push.
_PUSHES = {EventKind.PUSH, EventKind.TAG, EventKind.PULL_REQUEST}
_BRANCH = "{branch}"


@dataclass(frozen=True)
class BranchUse:
    """The branches of an app that a route builds: names, and patterns of those that an event may name."""

    app_id: str
    names: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    # Whether a push starts the job, so that Amplify's auto-build would build it as well.
    by_push: bool = False


@dataclass(frozen=True)
class Use:
    """What a place in the routes names of the account, such as `routes.web`."""

    place: str
    app_id: str | None
    branches: BranchUse | None
    # The bucket whose events the route waits for, and those that deployments are read from.
    event_bucket: str | None
    artifact_bucket: str | None


@dataclass(frozen=True)
class Account:
    """What was found: None stands for what is not there; what could not be looked up is left out."""

    # App -> branch -> whether its auto-build is on.
    apps: Mapping[str, Mapping[str, bool] | None]
    # Bucket -> whether it sends its events to EventBridge.
    event_buckets: Mapping[str, bool]
    missing_buckets: frozenset[str]


@dataclass(frozen=True)
class Reach:
    """Where the stack is, its own bucket, and those of its parameter ReadableBuckets."""

    region: str
    own_bucket: str
    readable_buckets: frozenset[str]


def uses(routes: Routes) -> list[Use]:
    """What routes that are switched on, and `follow`, name, where it is no value of an event."""
    used = [_use(name, route) for name, route in routes.routes.items() if route.enabled]
    follow = () if isinstance(routes.follow, bool) else routes.follow
    for number, followed in enumerate(follow):
        used += [Use(f"follow.{number}", app_id, None, None, None) for app_id in followed.apps or ()]
    return used


def warnings(uses: Iterable[Use], account: Account, reach: Reach) -> Iterator[tuple[str, str]]:
    """What does not fit: the place that names it, and what is wrong."""
    for use in uses:
        yield from ((use.place, text) for text in _warnings(use, account, reach))


def _use(name: str, route: Route) -> Use:
    parameters = route.request.parameters
    app_id = _literal(parameters.get("appId", parameters.get("AppId")))
    branches = None
    if app_id and route.request.operation.spec.is_hosting:
        branches = _branch_use(app_id, parameters.get("branchName"), route)
    artifact = parameters.get("artifact") or parameters.get("sourceUrl")
    bucket = None
    if isinstance(artifact, str) and artifact.startswith("s3://"):
        bucket = _literal(bucket_and_key(artifact)[0])
    return Use(f"routes.{name}", app_id, branches, route.when.object.bucket if route.when.object else None, bucket)


def _branch_use(app_id: str, branch: Any, route: Route) -> BranchUse | None:
    by_push = route.request.operation == Operation.START_JOB and not _PUSHES.isdisjoint(route.when.kinds)
    if name := _literal(branch):
        return BranchUse(app_id, (name,), by_push=by_push)
    if branch == _BRANCH and route.when.push is not None:
        patterns = route.when.push.branch_patterns
        names = tuple(pattern for pattern in patterns if not _PATTERN_SIGNS.search(pattern))
        return BranchUse(app_id, names, patterns, by_push)
    return None


def _literal(value: Any) -> str | None:
    """A text without values of events."""
    return value if isinstance(value, str) and value and not placeholders_in(value) else None


def _warnings(use: Use, account: Account, reach: Reach) -> Iterator[str]:
    if use.app_id is not None and use.app_id in account.apps:
        branches = account.apps[use.app_id]
        if branches is None:
            yield f"Amplify has no app {use.app_id} in this account and Region {reach.region}; correct appId"
        elif use.branches is not None:
            yield from _branch_warnings(use.branches, branches)
    for bucket in filter(None, dict.fromkeys((use.event_bucket, use.artifact_bucket))):
        if bucket in account.missing_buckets:
            yield f"there is no bucket {bucket}; create it, or correct its name"
        # Its own bucket tells the stack nothing, but can be read.
        elif bucket not in reach.readable_buckets and (bucket != reach.own_bucket or bucket == use.event_bucket):
            yield (
                f"the stack gets no events of the bucket {bucket} and may not read it; deploy the stack with the "
                f"parameter ReadableBuckets={','.join(sorted({*reach.readable_buckets, bucket}))}"
            )
    if use.event_bucket is not None and account.event_buckets.get(use.event_bucket) is False:
        yield (
            f"the bucket {use.event_bucket} sends no events to EventBridge, so the route never starts a job; in S3, "
            "open the bucket's Properties, Event notifications, Amazon EventBridge, and choose On"
        )


def _branch_warnings(use: BranchUse, branches: Mapping[str, bool]) -> Iterator[str]:
    for name in use.names:
        if name not in branches:
            yield f"the app {use.app_id} has no branch {name}; connect it in Amplify, or correct the name"
    for name, auto_build in branches.items():
        if use.by_push and auto_build and (name in use.names or last_match(use.patterns, name)):
            yield (
                f"auto-build of the branch {name} of {use.app_id} is on, so Amplify builds each push as well; turn it "
                f"off: aws amplify update-branch --app-id {use.app_id} --branch-name {name} --no-enable-auto-build"
            )
