"""What the routes make of events: decisions with their reasons, and the requests that follow."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from amplify_jobs.events.event import (
    Event,
    EventKind,
    PullRequest,
    PullRequestAction,
    Release,
    RequestedJob,
    Schedule,
    StoredObject,
)
from amplify_jobs.model.parameters import StartJobParameters, validated_parameters
from amplify_jobs.model.request import CAUSE_MESSAGE_LIMIT, JobRequest, OnTimeout, RetryWhen
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Ignored, Matched, decide
from amplify_jobs.routing.placeholders import VALUES, values_of
from amplify_jobs.routing.routes import Routes, Source
from tests.support.routes_and_events import EVENTS, ROUTES

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
PUSH: dict[str, Any] = {
    "kind": EventKind.PUSH,
    "host": "github.com",
    "repository": "acme/web",
    "ref": "refs/heads/release/1",
    "branch": "release/1",
    "before": "a" * 40,
    "after": "b" * 40,
    "commit": "b" * 40,
    "message": "Greet",
    "author": "Ada",
    "commit_time": datetime(2026, 1, 31, 11, tzinfo=UTC),
    "changed_files": ("apps/web/index.html", "docs/a.md"),
}
TAG: dict[str, Any] = {**PUSH, "kind": EventKind.TAG, "ref": "refs/tags/v1.2", "branch": None, "tag": "v1.2"}
PULL: dict[str, Any] = {
    "kind": EventKind.PULL_REQUEST,
    "repository": "acme/web",
    "branch": "main",
    "commit": "c" * 40,
    "message": "Add a page",
    "author": "Bob",
    "pull_request": {
        "number": 7,
        "action": "opened",
        "host_action": "opened",
        "source": "page",
        "target": "main",
        "head": "c" * 40,
        "from_fork": False,
    },
}
RELEASE: dict[str, Any] = {
    "kind": EventKind.RELEASE,
    "repository": "acme/web",
    "tag": "v1.2",
    "message": "Spring",
    "release": {"action": "published", "tag": "v1.2"},
}
STORED: dict[str, Any] = {
    "kind": EventKind.OBJECT,
    "object": {"bucket": "artifacts", "key": "web/site.zip", "version": "v7", "sequencer": "0A"},
}
DUE: dict[str, Any] = {
    "kind": EventKind.SCHEDULE,
    "schedule": {"route": "web", "scheduled_time": "2026-01-31T03:00:00Z"},
}
REQUEST_EVENT: dict[str, Any] = {"kind": EventKind.REQUEST, "key": "k", "request": {"route": "web"}}
PARAMETERS = {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}


def with_pull(**changes: Any) -> dict[str, Any]:
    return {**PULL, "pull_request": {**PULL["pull_request"], **changes}}


def routes(when: dict[str, Any], parameters: dict[str, Any] | None = None, **route: Any) -> Routes:
    request = {"operation": "start_job", "parameters": {**PARAMETERS, **(parameters or {})}}
    return Routes.model_validate({"routes": {"web": {"when": when, "request": request, **route}}})


def on_push(parameters: dict[str, Any] | None = None, **push: Any) -> Routes:
    when = {"push": {"repository": "acme/web", "branches": ["main", "release/*"], **push}}
    return routes(when, {"branchName": "{branch}", **(parameters or {})})


def decision(route_set: Routes, event: dict[str, Any], source: str = "github") -> Matched | Ignored:
    (decided,) = decide(route_set, source, Event.model_validate(event))
    return decided


def request_of(route_set: Routes, event: dict[str, Any], source: str = "github") -> JobRequest:
    matched = decision(route_set, event, source)
    assert isinstance(matched, Matched)
    return make_job_request(matched, Event.model_validate(event), source=source, delivery_id="d-1", received_at=NOW)


REPOSITORY = {"repository": "acme/web"}
MATCHING = [
    pytest.param({"push": {**REPOSITORY, "branches": ["release/*"]}}, PUSH, id="a push"),
    pytest.param({"push": {"repository": "ACME/Web"}}, PUSH, id="repositories have no case"),
    pytest.param({"push": {"repository": "acme/*"}}, PUSH, id="a pattern of repositories"),
    pytest.param({"push": REPOSITORY}, {**PUSH, "branch": "a/b/c"}, id="every branch"),
    pytest.param({"push": {**REPOSITORY, "tags": ["v*"]}}, TAG, id="a tag"),
    pytest.param({"push": {**REPOSITORY, "tags": ["v*"], "branches": ["release/*"]}}, PUSH, id="a branch beside tags"),
    pytest.param({"push": {**REPOSITORY, "tags": ["v*"], "paths": ["none"]}}, TAG, id="tags have no paths"),
    pytest.param({"push": {**REPOSITORY, "paths": ["apps/web/**"]}}, PUSH, id="one changed file of several"),
    pytest.param({"push": {**REPOSITORY, "paths": ["**", "!docs/**"]}}, PUSH, id="not all files taken back"),
    pytest.param({"push": {**REPOSITORY, "paths": ["x"]}}, {**PUSH, "changed_files": None}, id="files unknown"),
    pytest.param({"push": {**REPOSITORY, "paths": ["x"]}}, {**PUSH, "forced": True}, id="files of a forced push"),
    pytest.param({"push": {**REPOSITORY, "authors": ["*", "!*[bot]"]}}, PUSH, id="an author"),
    pytest.param({"push": {**REPOSITORY, "authors": ["ada"]}}, {**PUSH, "author": "Ada <a@x>"}, id="without address"),
    pytest.param({"push": {**REPOSITORY, "messages": ["*gr*"]}}, PUSH, id="a message"),
    pytest.param({"pull_request": REPOSITORY}, PULL, id="a pull request"),
    pytest.param({"pull_request": {**REPOSITORY, "targets": ["ma*"]}}, PULL, id="its target"),
    pytest.param({"pull_request": {**REPOSITORY, "actions": ["merged"]}}, with_pull(action="merged"), id="its action"),
    pytest.param({"pull_request": {**REPOSITORY, "forks": True}}, with_pull(from_fork=True), id="from a fork"),
    pytest.param({"pull_request": {**REPOSITORY, "paths": ["x"]}}, PULL, id="its files are unknown"),
    pytest.param({"pull_request": REPOSITORY}, {**PULL, "message": "[skip ci]"}, id="a title is no commit's message"),
    pytest.param({"release": REPOSITORY}, RELEASE, id="a release"),
    pytest.param({"release": {**REPOSITORY, "tags": ["v*"], "actions": ["Published"]}}, RELEASE, id="its tag"),
    pytest.param({"object": {"bucket": "artifacts"}}, STORED, id="an object"),
    pytest.param({"object": {"bucket": "artifacts", "prefix": "web/", "suffix": ".zip"}}, STORED, id="its key"),
    pytest.param({"schedule": {"expression": "rate(1 day)"}}, DUE, id="a schedule"),
    pytest.param({"request": {}}, REQUEST_EVENT, id="a request"),
    pytest.param({"push": REPOSITORY}, REQUEST_EVENT, id="a request that names a route with another condition"),
]


@pytest.mark.parametrize(("when", "event"), MATCHING)
def test_what_meets_all_conditions_matches(when: dict[str, Any], event: dict[str, Any]) -> None:
    matched = decision(routes(when), event)
    assert isinstance(matched, Matched), matched
    assert matched.name == "web"
    assert matched.findings


IGNORED = [
    ({"push": {"repository": "acme/docs"}}, PUSH, "push.repository", "repository acme/web is not acme/docs"),
    ({"push": {"repository": "acme/w"}}, PUSH, "push.repository", "repository acme/web is not acme/w"),
    (
        {"push": {**REPOSITORY, "branches": ["dev", "x"]}},
        PUSH,
        "push.branches",
        "branch release/1 does not match dev, x",
    ),
    ({"push": REPOSITORY}, TAG, "when", "refs/tags/v1.2 is a tag, and the route waits for pushes to branches"),
    (
        {"push": {**REPOSITORY, "tags": ["v*"]}},
        PUSH,
        "when",
        "the event's kind is push, and the route waits for pushes of tags",
    ),
    ({"push": {**REPOSITORY, "tags": ["w*"]}}, TAG, "push.tags", "tag v1.2 does not match w*"),
    (
        {"push": {**REPOSITORY, "tags": ["v*"], "branches": ["main"]}},
        PULL,
        "when",
        "the event's kind is pull_request, and the route waits for pushes to branches and pushes of tags",
    ),
    ({"push": REPOSITORY}, {**PUSH, "deleted": True}, "push.branches", "branch release/1 was deleted"),
    ({"push": {**REPOSITORY, "tags": ["v*"]}}, {**TAG, "deleted": True}, "push.tags", "tag v1.2 was deleted"),
    (
        {"push": REPOSITORY},
        {**PUSH, "message": "Typo [skip ci]"},
        "skip marker",
        "the head commit's message says [skip ci]",
    ),
    (
        {"push": REPOSITORY},
        {**PUSH, "message": "[CI SKIP]\n\nTypo"},
        "skip marker",
        "the head commit's message says [ci skip]",
    ),
    (
        {"push": {**REPOSITORY, "tags": ["v*"]}},
        {**TAG, "message": "Typo\n\n[skip-cd]"},
        "skip marker",
        "the head commit's message says [skip-cd]",
    ),
    ({"push": {**REPOSITORY, "paths": ["x/**"]}}, PUSH, "push.paths", "none of 2 changed files matches x/**"),
    (
        {"push": {**REPOSITORY, "paths": ["**", "!apps/**", "!docs/*"]}},
        PUSH,
        "push.paths",
        "none of 2 changed files matches **, !apps/**, !docs/*",
    ),
    ({"push": {**REPOSITORY, "paths": ["**"]}}, {**PUSH, "changed_files": ()}, "push.paths", "no file changed"),
    ({"push": {**REPOSITORY, "authors": ["bob"]}}, PUSH, "push.authors", "author 'Ada' does not match bob"),
    (
        {"push": {**REPOSITORY, "messages": ["*[go]*"]}},
        {**PUSH, "message": "a\nb"},
        "push.messages",
        "message 'a' does not match *[go]*",
    ),
    ({"push": REPOSITORY}, DUE, "when", "the event's kind is schedule, and the route waits for pushes to branches"),
    (
        {"pull_request": REPOSITORY},
        with_pull(action="other", host_action="labeled"),
        "pull_request.actions",
        "action other (the host's labeled) is none of opened, synchronize, reopened",
    ),
    ({"pull_request": {**REPOSITORY, "targets": ["x"]}}, PULL, "pull_request.targets", "target main does not match x"),
    (
        {"pull_request": REPOSITORY},
        with_pull(from_fork=True),
        "pull_request.forks",
        "pull request 7 comes from a fork, and the route takes none (forks: true would)",
    ),
    (
        {"pull_request": REPOSITORY},
        with_pull(from_fork=None),
        "pull_request.forks",
        "pull request 7 may come from a fork: the host does not say, and the route takes none (forks: true would)",
    ),
    ({"release": {**REPOSITORY, "actions": ["x"]}}, RELEASE, "release.actions", "action published is none of x"),
    ({"release": {**REPOSITORY, "tags": ["w*"]}}, RELEASE, "release.tags", "tag v1.2 does not match w*"),
    ({"object": {"bucket": "others"}}, STORED, "object.bucket", "bucket artifacts is not others"),
    (
        {"object": {"bucket": "artifacts", "prefix": "docs/"}},
        STORED,
        "object.prefix",
        "key web/site.zip does not begin with docs/",
    ),
    (
        {"object": {"bucket": "artifacts", "suffix": ".tar"}},
        STORED,
        "object.suffix",
        "key web/site.zip does not end with .tar",
    ),
]


@pytest.mark.parametrize(("when", "event", "condition", "reason"), IGNORED)
def test_the_first_condition_that_is_not_met_decides(
    when: dict[str, Any], event: dict[str, Any], condition: str, reason: str
) -> None:
    assert decision(routes(when), event) == Ignored("web", reason, condition)


class TestDecide:
    def test_every_route_decides_for_itself(self) -> None:
        two = Routes(routes={"web": on_push().routes["web"], "docs": on_push(branches=["main"]).routes["web"]})
        decisions = decide(two, "github", Event.model_validate(PUSH))
        assert [type(one) for one in decisions] == [Matched, Ignored]

    @pytest.mark.parametrize("kind", [EventKind.PING, EventKind.REF_CREATE, EventKind.REF_DELETE])
    def test_what_asks_for_nothing_is_no_routes_business(self, kind: EventKind) -> None:
        ignored = decision(on_push(), {**TAG, "kind": kind})
        assert isinstance(ignored, Ignored)
        assert ignored.route is None

    def test_one_tag_makes_one_request_though_create_and_push_both_come(self) -> None:
        parameters = on_push(tags=["v*"])
        events = [Event.model_validate({**TAG, "kind": kind}) for kind in (EventKind.REF_CREATE, EventKind.TAG)]
        assert [isinstance(decide(parameters, "github", event)[0], Matched) for event in events] == [False, True]

    def test_without_routes_that_is_the_reason(self) -> None:
        assert decide(Routes(routes={}), "github", Event.model_validate(PUSH)) == [Ignored(None, "there are no routes")]

    def test_a_route_can_be_switched_off(self) -> None:
        ignored = decision(routes({"push": REPOSITORY}, enabled=False), PUSH)
        assert ignored == Ignored("web", "the route is switched off (enabled: false)", "enabled")

    def test_a_route_may_trust_one_source_alone(self) -> None:
        guarded = routes({"push": REPOSITORY}, source="github")
        assert isinstance(decision(guarded, PUSH), Matched)
        assert decision(guarded, PUSH, "gitlab") == Ignored("web", "source gitlab is not github", "source")

    @pytest.mark.parametrize("event", [DUE, REQUEST_EVENT])
    def test_a_route_that_is_gone_is_named(self, event: dict[str, Any]) -> None:
        others = Routes(routes={"other": on_push().routes["web"]})
        assert decision(others, event) == Ignored(None, "there is no route web")

    def test_a_request_that_names_a_route_concerns_no_other(self) -> None:
        two = Routes(routes={name: routes({"request": {}}).routes["web"] for name in ("web", "docs")})
        (web, docs) = decide(two, "ci", Event.model_validate(REQUEST_EVENT))
        assert isinstance(web, Matched)
        assert docs == Ignored("docs", "the request names route web", "when")

    def test_a_request_has_no_values_for_a_routes_parameters(self) -> None:
        ignored = decision(on_push(), REQUEST_EVENT)
        assert isinstance(ignored, Ignored)
        assert ignored.condition == "request.parameters"
        assert "need {branch}, which a request does not have" in ignored.reason


class TestRequest:
    def test_commit_message_and_time_of_the_push_are_added(self) -> None:
        assert request_of(on_push(), PUSH).parameters == {
            "appId": "d1a2b3c4d5e6",
            "branchName": "release/1",
            "jobType": "RELEASE",
            "commitId": "b" * 40,
            "commitMessage": "Greet",
            "commitTime": "2026-01-31T11:00:00+00:00",
        }

    def test_what_the_route_sets_stands(self) -> None:
        result = on_push({"commitMessage": "by hand", "commitId": "HEAD"})
        parameters = request_of(result, PUSH).parameters
        assert (parameters["commitMessage"], parameters["commitId"]) == ("by hand", "HEAD")

    def test_what_the_event_does_not_know_is_left_out(self) -> None:
        event = {**PUSH, "message": None, "commit_time": None, "author": None}
        parameters = request_of(on_push({"jobReason": "{author}: {message}"}), event).parameters
        assert parameters["jobReason"] == ": "
        assert not {"commitMessage", "commitTime"} & set(parameters)

    @pytest.mark.parametrize(
        ("when", "event", "reason"),
        [
            ({"push": REPOSITORY}, PUSH, f"release/1 refs/heads/release/1 acme/web {'b' * 40} {'a' * 40} Greet Ada"),
            (
                {"push": {**REPOSITORY, "tags": ["v*"]}},
                TAG,
                f"v1.2 refs/tags/v1.2 acme/web {'b' * 40} {'a' * 40} Greet Ada",
            ),
            (
                {"pull_request": REPOSITORY},
                {**PULL, "ref": "r", "before": "old"},
                f"main r acme/web {'c' * 40} old Add a page Bob 7 opened page main {'c' * 40}",
            ),
            (
                {"release": REPOSITORY},
                {**RELEASE, "branch": "main", "ref": "r", "commit": "c"},
                "main v1.2 r acme/web c Spring published v1.2",
            ),
            ({"schedule": {"expression": "rate(1 day)"}}, DUE, "2026-01-31T03:00:00Z"),
            ({"object": {"bucket": "artifacts"}}, STORED, "artifacts web/site.zip v7"),
        ],
    )
    def test_every_value_that_a_kind_of_event_has_is_filled_in(
        self, when: dict[str, Any], event: dict[str, Any], reason: str
    ) -> None:
        named = " ".join(values_of(routes(when).routes["web"].when.kinds))
        assert request_of(routes(when, {"jobReason": named}), event).parameters["jobReason"] == reason

    def test_values_are_not_filled_again_and_unknown_ones_stay(self) -> None:
        parameters = on_push({"jobReason": "{message} {nothing}"})
        assert request_of(parameters, {**PUSH, "message": "{author}"}).parameters["jobReason"] == "{author} {nothing}"

    def test_values_are_filled_in_wherever_they_stand(self) -> None:
        parameters = on_push({"features": {"list": ["{tag}", 1, {"of": "{branch}"}]}})
        assert request_of(parameters, PUSH).parameters["features"] == {"list": ["", 1, {"of": "release/1"}]}

    @pytest.mark.parametrize(("name", "limit"), [("commitMessage", 10_000), ("jobReason", 255)])
    def test_long_texts_are_cut_not_rejected(self, name: str, limit: int) -> None:
        request = request_of(on_push({"jobReason": "{message}"}), {**PUSH, "message": "m" * 20_000})
        assert request.parameters[name] == "m" * limit
        assert len(request.cause.message or "") == CAUSE_MESSAGE_LIMIT
        assert isinstance(validated_parameters(request), StartJobParameters)

    def test_what_the_route_says_of_the_job_travels_with_it(self) -> None:
        result = routes(
            {"push": REPOSITORY},
            timeoutMinutes=5,
            startWithinMinutes=6,
            onTimeout="stop",
            retry=2,
            supersede=True,
        )
        request = request_of(result, PUSH)
        assert (request.timeout_minutes, request.start_within_minutes) == (5, 6)
        assert (request.on_timeout, request.retry, request.supersede) == (OnTimeout.STOP, 2, True)

    @pytest.mark.parametrize(
        ("retry", "expected"),
        [
            (2, (2, RetryWhen.FAILED)),
            ({"times": 3}, (3, RetryWhen.FAILED)),
            ({"times": 1, "when": "failed"}, (1, RetryWhen.FAILED)),
            ({"times": 5, "when": "transient"}, (5, RetryWhen.TRANSIENT)),
        ],
    )
    def test_a_route_may_say_after_which_failures_its_job_is_retried(
        self, retry: object, expected: tuple[int, RetryWhen]
    ) -> None:
        request = request_of(routes({"push": REPOSITORY}, retry=retry), PUSH)
        assert (request.retry, request.retry_when) == expected

    def test_the_cause_names_no_address_and_every_way_in(self) -> None:
        assert request_of(routes({"push": REPOSITORY}), {**PUSH, "author": "Ada <a@x>"}).cause.author == "Ada"
        assert request_of(routes({"pull_request": REPOSITORY}), PULL).cause.pull_request == 7
        stored = request_of(routes({"object": {"bucket": "artifacts"}}), STORED)
        assert stored.cause.object == "s3://artifacts/web/site.zip"
        assert "commitId" not in stored.parameters

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("1769850000", datetime(2026, 1, 31, 9, tzinfo=UTC)),
            ("2026-01-31T10:00:00+0100", datetime(2026, 1, 31, 9, tzinfo=UTC)),
            ("2026-01-31T09:00:00Z", datetime(2026, 1, 31, 9, tzinfo=UTC)),
            ("2026-01-31T13:00:00Z", NOW),
            ("2026-01-31T09:00:00", NOW),
            ("9" * 40, NOW),
            ("yesterday", NOW),
            (None, NOW),
        ],
    )
    def test_events_are_ordered_by_the_hosts_time_if_it_tells_one(
        self, written: str | None, expected: datetime
    ) -> None:
        assert request_of(on_push(), {**PUSH, "event_time": written}).event_time == expected

    def test_a_schedule_is_as_old_as_its_time(self) -> None:
        request = request_of(routes({"schedule": {"expression": "rate(1 day)"}}), DUE)
        assert request.event_time == datetime(2026, 1, 31, 3, tzinfo=UTC)


class TestNamedRoutes:
    SOURCES: dict[str, Any] = {  # noqa: RUF012
        name: {"provider": provider, "secrets": [f"/s/{name}"]}
        for name, provider in (("github", "github"), ("cms", "standard"), ("partner", "standard"))
    }

    def named(self, when: dict[str, Any], asker: str, source: str | None, **parameters: Any) -> Matched | Ignored:
        result = routes(when, parameters, **({"source": source} if source else {}))
        return decision(result.model_copy(update={"sources": self.sources()}), REQUEST_EVENT, asker)

    def sources(self) -> dict[str, Source]:
        return {name: Source.model_validate(source) for name, source in self.SOURCES.items()}

    @pytest.mark.parametrize("asker", ["aws.lambda", "com.acme.cms", "cms", "partner"])
    @pytest.mark.parametrize("source", [None, "github", "aws.codecommit"])
    @pytest.mark.parametrize(
        "when",
        [
            {"push": {**REPOSITORY, "branches": ["main"], "paths": ["apps/**"], "authors": ["ada"]}},
            {"push": {**REPOSITORY, "tags": ["v*"]}},
            {"pull_request": {**REPOSITORY, "drafts": False, "targets": ["main"]}},
            {"release": REPOSITORY},
            {"schedule": {"expression": "rate(1 day)"}},
            {"object": {"bucket": "artifacts", "prefix": "web/"}},
            {"request": {}},
        ],
    )
    def test_a_request_starts_a_route_whatever_its_source_and_conditions_say(
        self, asker: str, source: str | None, when: dict[str, Any]
    ) -> None:
        if when == {"request": {}} and asker in self.SOURCES and source is not None:
            return
        assert isinstance(self.named(when, asker, source), Matched)

    def test_a_route_of_requests_alone_may_belong_to_one_source(self) -> None:
        assert isinstance(self.named({"request": {}}, "cms", "cms"), Matched)
        # Who may invoke the function, or put events on the bus, is let in by IAM.
        assert isinstance(self.named({"request": {}}, "aws.lambda", "cms"), Matched)
        refused = self.named({"request": {}}, "partner", "cms")
        assert refused == Ignored("web", "source partner is not cms", "source")

    def test_a_route_that_is_switched_off_stays_off(self) -> None:
        result = routes({"push": REPOSITORY}, enabled=False)
        refused = decision(result, REQUEST_EVENT, "aws.lambda")
        assert isinstance(refused, Ignored)
        assert refused.condition == "enabled"

    def test_what_only_describes_the_job_is_left_out_where_a_request_does_not_know_it(self) -> None:
        result = routes({"push": REPOSITORY}, {"jobReason": "{branch} by {author}", "commitMessage": "{message}"})
        assert request_of(result, REQUEST_EVENT, "aws.lambda").parameters == PARAMETERS
        result = routes({"push": REPOSITORY}, {"jobReason": "nightly"})
        assert request_of(result, REQUEST_EVENT, "aws.lambda").parameters == {**PARAMETERS, "jobReason": "nightly"}

    def test_parameters_that_a_request_can_t_fill_are_named(self) -> None:
        refused = decision(on_push({"jobReason": "{author}"}), REQUEST_EVENT, "aws.lambda")
        assert isinstance(refused, Ignored)
        assert "{branch}, which a request does not have" in refused.reason


class TestReasons:
    WHY = "article 4711 was published"

    def test_becomes_amplifys_where_none_is_given(self) -> None:
        event = {**REQUEST_EVENT, "request": {"route": "web", "reason": self.WHY}}
        by_name = request_of(routes({"push": REPOSITORY}, {"jobReason": "{author}"}), event, "cms")
        assert (by_name.parameters["jobReason"], by_name.cause.reason) == (self.WHY, self.WHY)
        outright = {"operation": "start_job", "parameters": PARAMETERS, "reason": self.WHY}
        request = request_of(on_push(), {**REQUEST_EVENT, "request": outright}, "cms")
        assert (request.parameters["jobReason"], request.cause.reason) == (self.WHY, self.WHY)
        assert validated_parameters(request).model_dump(by_alias=True)["jobReason"] == self.WHY

    def test_does_not_take_the_place_of_one_that_is_given(self) -> None:
        event = {**REQUEST_EVENT, "request": {"route": "web", "reason": self.WHY}}
        request = request_of(routes({"push": REPOSITORY}, {"jobReason": "nightly"}), event, "cms")
        assert (request.parameters["jobReason"], request.cause.reason) == ("nightly", self.WHY)

    def test_is_no_parameter_of_other_operations(self) -> None:
        parameters = {"appId": "d1", "branchName": "main", "artifact": "s3://b/k"}
        outright = {"operation": "start_deployment", "parameters": parameters, "reason": self.WHY}
        request = request_of(on_push(), {**REQUEST_EVENT, "request": outright}, "cms")
        assert (request.parameters, request.cause.reason) == (parameters, self.WHY)

    def test_is_as_long_as_amplify_takes_it(self) -> None:
        assert RequestedJob(route="web", reason="x" * 255).reason == "x" * 255
        with pytest.raises(ValidationError, match="255"):
            RequestedJob(route="web", reason="x" * 256)

    def test_is_no_part_of_what_a_request_is_known_by(self) -> None:
        events = [{**REQUEST_EVENT, "request": {"route": "web", "reason": reason}} for reason in ("one", "another")]
        result = routes({"push": REPOSITORY})
        assert len({request_of(result, one, "cms").request_id for one in events}) == 1


class TestAskedOutright:
    def make_request(self, source: str = "ci", **request: Any) -> JobRequest:
        order = {"operation": "start_job", "parameters": {**PARAMETERS, "jobReason": "{branch}"}, **request}
        return request_of(on_push(), {"kind": EventKind.REQUEST, "key": "k", "request": order}, source)

    def test_the_request_is_as_it_was_asked(self) -> None:
        request = self.make_request(timeoutMinutes=5, onTimeout="stop", retry=1, supersede=True)
        assert request.route is None
        assert request.parameters == {**PARAMETERS, "jobReason": "{branch}"}
        assert (request.timeout_minutes, request.on_timeout, request.retry, request.supersede) == (5, "stop", 1, True)

    def test_a_retry_may_be_for_some_failures(self) -> None:
        request = self.make_request(retry=1, retryWhen="transient")
        assert (request.retry, request.retry_when) == (1, RetryWhen.TRANSIENT)
        assert self.make_request(retry=1).retry_when is RetryWhen.FAILED
        with pytest.raises(ValidationError, match="retry is missing"):
            self.make_request(retryWhen="transient")

    def test_two_senders_may_use_one_name(self) -> None:
        assert self.make_request("ci").request_id != self.make_request("cd").request_id
        assert self.make_request("ci").request_id.startswith("ci-")

    @pytest.mark.parametrize("source", ["My.Own/CI", "…", "x" * 100, "-"])
    def test_any_source_can_ask(self, source: str) -> None:
        assert self.make_request(source).cause.source == source


@given(ROUTES, st.sampled_from(["github", "aws.s3"]), EVENTS)
def test_matching_never_raises_and_what_matches_makes_a_request_that_survives_json(
    route_set: Routes, source: str, event: Event
) -> None:
    for decided in decide(route_set, source, event):
        if isinstance(decided, Matched):
            request = make_job_request(decided, event, source=source, delivery_id=None, received_at=NOW)
            assert JobRequest.model_validate(json.loads(request.model_dump_json(by_alias=True))) == request
        else:
            assert decided.reason


@given(ROUTES, EVENTS)
def test_no_route_changes_whether_another_one_matches(route_set: Routes, event: Event) -> None:
    together = {one.name for one in decide(route_set, "github", event) if isinstance(one, Matched)} - {None}
    alone = {
        name
        for name, route in route_set.routes.items()
        for one in decide(Routes(routes={name: route}), "github", event)
        if isinstance(one, Matched) and one.name is not None
    }
    assert together == alone


@pytest.mark.parametrize("kind", [EventKind.SCHEDULE, EventKind.REQUEST, EventKind.OBJECT, EventKind.PULL_REQUEST])
def test_an_event_that_lacks_what_its_kind_has_matches_nothing(kind: EventKind) -> None:
    conditions: list[dict[str, Any]] = [
        {"schedule": {"expression": "rate(1 day)"}},
        {"request": {}},
        {"object": {"bucket": "artifacts"}},
        {"pull_request": REPOSITORY},
    ]
    for when in conditions:
        assert isinstance(decision(routes(when), {"kind": kind, "repository": "acme/web"}), Ignored)


def test_every_value_is_one_that_events_have() -> None:
    full = {
        **PUSH,
        "tag": "v1",
        "pull_request": PullRequest(
            number=7,
            action=PullRequestAction.OPENED,
            host_action="open",
            source="page",
            target="main",
            head="c",
        ),
        "release": Release(action="published", tag="v1"),
        "schedule": Schedule(route="web", scheduled_time="t"),
        "object": StoredObject(bucket="b", key="k", version="v"),
        "request": RequestedJob(route="web"),
    }
    assert [name for name, value in VALUES.items() if value.of(Event(**full)) is None] == []
