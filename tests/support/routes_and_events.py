"""Routes and events of all kinds, as hypothesis makes them: of few names, so that they often meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from amplify_jobs.events.event import (
    Approval,
    Event,
    EventKind,
    PullRequest,
    PullRequestAction,
    Release,
    RequestedJob,
    Schedule,
    StoredObject,
)
from amplify_jobs.model.base import Model
from amplify_jobs.routing.placeholders import values_of
from amplify_jobs.routing.routes import Routes

_NAMES = st.sampled_from(["main", "v1", "release/1"])
_TEXT = st.none() | st.text(st.characters(codec="utf-8")) | _NAMES
_REPOSITORY = st.sampled_from(["acme/web", "acme/docs"])
_PATTERNS = st.lists(st.sampled_from(["main", "v*", "**", "release/*"]), min_size=1).flatmap(
    lambda wanted: st.just(wanted) | st.just([*wanted, "!main"])
)
_FILES = st.lists(st.sampled_from(["main", "docs/a.md", "release/1"]), max_size=3).map(tuple)


def _instances(model: type[Model], **members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # hypothesis' own way would ask a model's signature, which names some members by their aliases.
    return st.fixed_dictionaries(members).map(model.model_validate)


def _some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"repository": _REPOSITORY | st.just("acme/*")}, optional=members)


_CHANGE: dict[str, st.SearchStrategy[Any]] = {"paths": _PATTERNS, "authors": _PATTERNS, "messages": _PATTERNS}
_ACTIONS = st.lists(st.sampled_from(PullRequestAction), min_size=1)
_WHEN = st.one_of(
    _some(branches=_PATTERNS, tags=_PATTERNS, **_CHANGE).map(lambda push: {"push": push}),
    _some(targets=_PATTERNS, forks=st.booleans(), drafts=st.booleans(), actions=_ACTIONS, **_CHANGE).map(
        lambda pull: {"pull_request": pull}
    ),
    _some(tags=_PATTERNS).map(lambda release: {"release": release}),
    st.just({"schedule": {"expression": "rate(1 day)"}}),
    st.fixed_dictionaries({"bucket": st.just("artifacts")}, optional={"suffix": st.just(".zip")}).map(
        lambda stored: {"object": stored}
    ),
    st.just({"request": {}}),
)
_ROUTE = st.fixed_dictionaries(
    {
        "when": _WHEN,
        "request": st.just(
            {
                "operation": "start_job",
                "parameters": {"appId": "d1", "jobReason": "".join(values_of(tuple(EventKind)))},
            }
        ),
    },
    optional={"enabled": st.booleans(), "source": st.just("github"), "supersede": st.booleans()},
)
ROUTES = st.dictionaries(st.sampled_from(["web", "docs", "other"]), _ROUTE).map(
    lambda routes: Routes.model_validate({"routes": routes})
)
EVENTS = _instances(
    Event,
    kind=st.sampled_from(EventKind),
    event_time=_TEXT,
    repository=_TEXT | _REPOSITORY,
    ref=_TEXT,
    branch=_TEXT,
    tag=_TEXT,
    commit=_TEXT,
    commit_time=st.none() | st.datetimes(timezones=st.timezones()),
    message=_TEXT | st.just("[skip ci]"),
    author=_TEXT,
    deleted=st.booleans(),
    forced=st.none() | st.booleans(),
    changed_files=st.none() | _FILES,
    without_commits=st.booleans(),
    skip_option=st.none() | st.just("ci.skip"),
    pull_request=st.none()
    | _instances(
        PullRequest,
        number=st.integers(),
        action=st.sampled_from(PullRequestAction),
        host_action=st.text(),
        target=_TEXT,
        from_fork=st.none() | st.booleans(),
        draft=st.none() | st.booleans(),
        became_ready=st.booleans(),
        previous_target=_TEXT,
        target_unclear=st.booleans(),
        source_ref=_TEXT,
        approval=st.none()
        | _instances(
            Approval,
            labels=st.lists(st.text() | st.just("preview"), max_size=2).map(tuple),
            comment=_TEXT | st.just("/preview"),
            person=_TEXT | st.just("ada"),
        ),
    ),
    release=st.none() | _instances(Release, action=st.text() | st.just("published"), tag=_NAMES),
    schedule=st.none()
    | _instances(
        Schedule, route=st.sampled_from(["web", "gone"]), scheduled_time=st.text("0Z-:T", min_size=1, max_size=64)
    ),
    object=st.none() | _instances(StoredObject, bucket=st.just("artifacts"), key=st.text()),
    request=st.none()
    | _instances(RequestedJob, route=st.sampled_from(["web", "gone"]), reason=st.none() | st.text(max_size=255))
    | _instances(RequestedJob, operation=st.text(), parameters=st.dictionaries(st.text(), st.text())),
    key=_TEXT,
)
