"""What the routes make of events: decisions with their reasons, and the requests that follow."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.events import Event, EventKind
from amplify_jobs.matching import CAUSE_MESSAGE_LIMIT, Ignored, Matched, decide, requested_job
from amplify_jobs.requests import JobRequest, StartJobParameters, validated_parameters
from amplify_jobs.routes import PLACEHOLDERS, Routes

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
PUSH: dict[str, Any] = {
    "kind": EventKind.PUSH,
    "host": "github.com",
    "repository": "acme/web",
    "ref": "refs/heads/release/1",
    "branch": "release/1",
    "after": "b" * 40,
    "commit": "b" * 40,
    "message": "Greet",
    "author": "Ada",
    "commit_time": datetime(2026, 1, 31, 11, tzinfo=UTC),
}


def routes(parameters: dict[str, Any] | None = None, **push: Any) -> Routes:
    request = {
        "operation": "start_job",
        "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "{branch}", "jobType": "RELEASE", **(parameters or {})},
    }
    when = {"push": {"repository": "acme/web", "branches": ["main", "release/*"], **push}}
    route = {"when": when, "request": request}
    return Routes.model_validate({"routes": {"web": route}})


def request_of(event: Event, **parameters: Any) -> JobRequest:
    (matched,) = decide(routes(parameters), event)
    assert isinstance(matched, Matched)
    return requested_job(matched, event, source="github", delivery_id="d-1", received_at=NOW)


TEXT = st.none() | st.text()
EVENTS = st.builds(
    Event,
    kind=st.sampled_from(EventKind),
    repository=TEXT | st.just("acme/web"),
    ref=TEXT,
    branch=TEXT | st.just("main"),
    tag=TEXT,
    commit=TEXT,
    commit_time=st.none() | st.datetimes(timezones=st.timezones()),
    message=TEXT,
    author=TEXT,
    deleted=st.booleans(),
)


class TestDecide:
    def test_a_push_that_meets_all_conditions_matches(self) -> None:
        (decision,) = decide(routes(), Event(**PUSH))
        assert isinstance(decision, Matched)
        assert decision.name == "web"

    @pytest.mark.parametrize("repository", ["ACME/Web", "acme/web"])
    def test_repositories_differ_by_more_than_case(self, repository: str) -> None:
        assert isinstance(decide(routes(repository=repository), Event(**PUSH))[0], Matched)

    def test_without_branches_every_branch_matches(self) -> None:
        every = Routes.model_validate(
            {"routes": {"web": {**routes().routes["web"].model_dump(), "when": {"push": {"repository": "acme/web"}}}}}
        )
        assert isinstance(decide(every, Event(**{**PUSH, "branch": "a/b/c"}))[0], Matched)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"repository": "acme/docs"}, "repository acme/docs is not acme/web"),
            ({"branch": "dev"}, "branch dev does not match main, release/*"),
            (
                {"kind": EventKind.TAG, "ref": "refs/tags/v1", "branch": None, "tag": "v1"},
                "refs/tags/v1 is a tag, and the route waits for pushes to branches",
            ),
            ({"deleted": True, "commit": None}, "branch release/1 was deleted"),
            ({"message": "Typo [skip ci]"}, "the head commit's message says [skip ci]"),
            ({"message": "[CI SKIP]\n\nTypo"}, "the head commit's message says [ci skip]"),
            ({"message": "Typo\n\n[skip-cd]"}, "the head commit's message says [skip-cd]"),
        ],
    )
    def test_the_first_condition_that_is_not_met_is_the_reason(self, changes: dict[str, Any], reason: str) -> None:
        assert decide(routes(), Event(**{**PUSH, **changes})) == [Ignored("web", reason)]

    def test_a_ping_is_no_routes_business(self) -> None:
        (ignored,) = decide(routes(), Event(kind=EventKind.PING))
        assert isinstance(ignored, Ignored)
        assert ignored.route is None

    def test_without_routes_that_is_the_reason(self) -> None:
        assert decide(Routes(routes={}), Event(**PUSH)) == [Ignored(None, "there are no routes")]


class TestRequest:
    def test_commit_message_and_time_of_the_push_are_added(self) -> None:
        assert request_of(Event(**PUSH)).parameters == {
            "appId": "d1a2b3c4d5e6",
            "branchName": "release/1",
            "jobType": "RELEASE",
            "commitId": "b" * 40,
            "commitMessage": "Greet",
            "commitTime": "2026-01-31T11:00:00+00:00",
        }

    def test_what_the_route_sets_stands(self) -> None:
        parameters = request_of(Event(**PUSH), commitMessage="by hand", commitId="HEAD").parameters
        assert (parameters["commitMessage"], parameters["commitId"]) == ("by hand", "HEAD")

    def test_what_the_event_does_not_know_is_left_out(self) -> None:
        event = Event(**{**PUSH, "message": None, "commit_time": None, "author": None})
        parameters = request_of(event, jobReason="{author}: {message}").parameters
        assert parameters["jobReason"] == ": "
        assert not {"commitMessage", "commitTime"} & set(parameters)

    def test_placeholders_are_filled(self) -> None:
        reason = request_of(Event(**PUSH), jobReason=" ".join(PLACEHOLDERS)).parameters["jobReason"]
        assert reason == f"release/1 refs/heads/release/1 acme/web {'b' * 40} Greet Ada"

    def test_values_are_not_filled_again(self) -> None:
        assert request_of(Event(**{**PUSH, "message": "{author}"}), jobReason="{message}").parameters["jobReason"] == (
            "{author}"
        )

    @pytest.mark.parametrize(("name", "limit"), [("commitMessage", 10_000), ("jobReason", 255)])
    def test_long_texts_are_cut_not_rejected(self, name: str, limit: int) -> None:
        request = request_of(Event(**{**PUSH, "message": "m" * 20_000}), jobReason="{message}")
        assert request.parameters[name] == "m" * limit
        assert len(request.cause.message or "") == CAUSE_MESSAGE_LIMIT
        assert isinstance(validated_parameters(request), StartJobParameters)

    @given(EVENTS)
    def test_any_push_that_matches_makes_a_request_that_survives_json(self, event: Event) -> None:
        for decision in decide(routes({"jobReason": "{message} {author}"}), event):
            if isinstance(decision, Matched):
                request = requested_job(decision, event, source="github", delivery_id=None, received_at=NOW)
                assert JobRequest.model_validate(json.loads(request.model_dump_json(by_alias=True))) == request

    @given(EVENTS)
    def test_matching_never_raises(self, event: Event) -> None:
        assert len(decide(routes(), event)) == 1


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind not in {EventKind.PUSH, EventKind.PING}])
def test_a_route_on_pushes_takes_nothing_else_that_names_a_branch(kind: EventKind) -> None:
    (decision,) = decide(routes(), Event(**{**PUSH, "kind": kind}))
    assert isinstance(decision, Ignored)
    assert str(kind) in decision.reason
