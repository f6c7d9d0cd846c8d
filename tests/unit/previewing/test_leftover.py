"""Which previews are left over: a table, and what must hold for any records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.model.preview_order import PreviewAction
from amplify_jobs.previewing.leftover import (
    REMOVAL_LASTS,
    Repository,
    leftovers,
    removal_request,
    repositories_to_ask,
)
from amplify_jobs.previewing.record import PreviewRecord, Removal, closed
from amplify_jobs.previewing.record import PullRequestEvent as Closing
from amplify_jobs.routing.routes import Routes

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HERE = Repository("gitlab", "acme/web")


def routes(**preview: Any) -> Routes:
    """Routes with a preview, and one that lost it."""
    route = {
        "source": "gitlab",
        "when": {"pull_request": {"repository": "acme/web"}},
        "request": {
            "operation": "start_job",
            "parameters": {"appId": "d1", "branchName": "pr-{pullRequest.number}", "jobType": "RELEASE"},
        },
        "mirror": {"to": "codecommit::web"},
    }
    git = {"url": "https://git.example.com/{repository}.git"}
    return Routes.model_validate(
        {
            "sources": {"gitlab": {"provider": "gitlab", "secrets": ["/amplify-jobs/secrets/gitlab"], "git": git}},
            "routes": {"web": {**route, "preview": preview}, "plain": route},
        }
    )


RECORD = PreviewRecord(
    app_id="d1",
    branch_name="pr-7",
    route="web",
    source="gitlab",
    repository="acme/web",
    pull_request=7,
    source_branch="feature",
    is_fork=False,
    has_mirror=True,
    event_time=NOON - timedelta(days=1),
    version=1,
)


def closed_with(removal: Removal | None) -> PreviewRecord:
    return replace(RECORD, closed_at=NOON - timedelta(hours=20), removal=removal)


@pytest.mark.parametrize(
    ("record", "branches", "reason"),
    [
        (RECORD, {"feature", "main"}, None),
        (RECORD, {"main"}, "acme/web has no branch feature any more"),
        # The host could not be asked, or tells of nothing.
        (RECORD, None, None),
        (RECORD, set(), None),
        # The branch of a fork is in another repository, and one that is not known is nowhere.
        (replace(RECORD, is_fork=True), {"main"}, None),
        (replace(RECORD, source_branch=None), {"main"}, None),
        (replace(RECORD, event_time=NOON - timedelta(days=13, hours=23)), {"feature"}, None),
        (
            replace(RECORD, event_time=NOON - timedelta(days=14), is_fork=True),
            {"feature"},
            "no event of pull request 7 came for 14 days (keepDays)",
        ),
        (replace(RECORD, event_time=NOON - timedelta(days=14)), None, "no event of pull request 7 came for 14 days"),
        (replace(RECORD, route="gone"), {"feature"}, "the route gone is no longer in routes.yaml"),
        (replace(RECORD, route="plain"), None, "the route plain is no longer in routes.yaml, or has no preview"),
        (closed_with(None), {"main"}, None),
        (closed_with(Removal("closing", None)), {"main"}, None),
        (closed_with(Removal("closing", NOON - REMOVAL_LASTS + timedelta(minutes=1))), {"main"}, None),
        (closed_with(Removal("closing", NOON - REMOVAL_LASTS)), None, "its removal of 2026-11-01 00:00 UTC did not"),
    ],
)
def test_what_is_left_over(record: PreviewRecord, branches: set[str] | None, reason: str | None) -> None:
    names_of_branches = {} if branches is None else {HERE: frozenset(branches)}
    result = leftovers([record], routes(), names_of_branches, NOON)
    assert [each.record for each in result] == ([] if reason is None else [record])
    assert reason is None or result[0].reason.startswith(reason)


def test_a_route_says_how_long_a_preview_is_kept() -> None:
    (leftover,) = leftovers([RECORD], routes(keepDays=1), {}, NOON)
    assert "for 1 days" in leftover.reason


def test_a_repository_is_asked_once_and_only_where_its_branches_tell_of_a_preview() -> None:
    others = [
        replace(RECORD, is_fork=True, repository="acme/forked"),
        replace(RECORD, source_branch=None, repository="acme/unknown"),
        replace(closed_with(None), repository="acme/closed"),
    ]
    assert repositories_to_ask([RECORD, replace(RECORD, branch_name="pr-8"), *others]) == [HERE]


def test_a_removal_has_one_id_for_one_state_of_its_record() -> None:
    (leftover,) = leftovers([RECORD], routes(keepDays=1), {}, NOON)
    request = removal_request(leftover, NOON)
    assert removal_request(leftover, NOON + timedelta(days=1)).request_id == request.request_id
    assert (request.route, request.parameters) == ("web", {"appId": "d1", "branchName": "pr-7"})
    assert request.mirror is not None
    assert (request.mirror.remove, request.mirror.branch) == (True, "pr-7")
    assert request.preview is not None
    assert (request.preview.action, request.preview.pull_request) == (PreviewAction.REMOVE, 7)
    assert removal_request(replace(leftover, record=replace(RECORD, has_mirror=False)), NOON).mirror is None
    states = [
        RECORD,
        replace(RECORD, branch_name="pr-8"),
        replace(RECORD, event_time=NOON),
        closed_with(Removal("closing", NOON)),
        closed_with(Removal("sweep", NOON)),
    ]
    ids = {removal_request(replace(leftover, record=record), NOON).request_id for record in states}
    assert len(ids) == len(states)


times = st.integers(-40 * 24, 0).map(lambda hours: NOON + timedelta(hours=hours))
records = st.builds(
    replace,
    st.just(RECORD),
    pull_request=st.integers(1, 9),
    route=st.sampled_from(["web", "plain", "gone"]),
    is_fork=st.booleans(),
    source_branch=st.sampled_from(["feature", "main", None]),
    event_time=times,
    closed_at=st.none() | times,
    removal=st.none() | st.builds(Removal, st.just("closing"), st.none() | times),
)
branch_names = st.none() | st.frozensets(st.sampled_from(["feature", "main"]))


@given(st.lists(records, max_size=8), branch_names, st.integers(1, 30))
def test_what_must_hold_of_every_sweep(every: list[PreviewRecord], names: frozenset[str] | None, days: int) -> None:
    branches = {} if names is None else {HERE: names}
    result = leftovers(every, routes(keepDays=days), branches, NOON)
    for record in every:
        if not any(each.record is record for each in result):
            continue
        # What is kept is younger than keepDays, and its branch is there as far as that is known.
        assert not record.is_open or record.route != "web" or names or NOON - record.event_time >= timedelta(days=days)
    for leftover in result:
        request = removal_request(leftover, NOON)
        assert request.event_time is not None
        assert request.event_time <= request.received_at
        # The removal is taken for the newest event of what was seen, and for an older one than any that comes.
        event = Closing(
            request.request_id,
            leftover.record.route,
            "gitlab",
            "acme/web",
            leftover.record.pull_request,
            None,
            is_fork=False,
            has_mirror=True,
            time=request.event_time,
        )
        assert closed(leftover.record, event, "d1", "pr-7", NOON) is not None
        if leftover.record.is_open:
            newer = replace(leftover.record, event_time=request.event_time + timedelta(seconds=1))
            assert closed(newer, event, "d1", "pr-7", NOON) is None
