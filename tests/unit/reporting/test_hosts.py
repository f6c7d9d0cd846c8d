"""Statuses at git hosts: the call of each host, and what its answers mean."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.model.request import FOLLOWED, Cause
from amplify_jobs.reporting.call import Accepted, Answer, Call, Continued, Refused, Retry, Verdict
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.reporting.hosts.names import distinct_name
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.wording import title
from amplify_jobs.routing.routes import Routes
from tests.support.announced import COMMIT, JOB, finished, rejected, started

NOW = 1_000_000.0
TOKEN = "/amplify-jobs/secrets/token"
CREDENTIALS = {TOKEN: "t0ken"}
APIS = {
    "github": None,
    "gitlab": None,
    "bitbucket": None,
    "bitbucket-server": "https://git.example.com",
    "gitea": "https://git.example.com/api/v1",
    "forgejo": "https://git.example.com/api/v1",
    "azure-devops": "https://dev.azure.com/acme",
}


def destination(provider: str, **members: Any) -> Destination:
    target = {"kind": "commit_status", "source": "host", "token": TOKEN, "api": APIS[provider], **members}
    sources = {"host": {"provider": provider, "secrets": ["/amplify-jobs/secrets/host"]}}
    routes = Routes.model_validate({"sources": sources, "routes": {}, "reports": {"statuses": target}})
    return destinations(routes)[0]


def caused(report: Report, **members: Any) -> Report:
    cause = report.cause.model_copy(update={"source": "host", **members})
    return Report(report.detail_type, report.detail.model_copy(update={"cause": cause}))


def call(provider: str, report: Report, remote: str | None = None, **members: Any) -> Call:
    where = destination(provider, **members)
    result = kind_of(where).call(where, report, CREDENTIALS, remote)
    assert isinstance(result, Call)
    return result


def verdict(provider: str, answer: Answer, report: Report | None = None, remote: str | None = None) -> Verdict:
    where = destination(provider)
    return kind_of(where).judge(where, report or caused(started()), answer, remote, NOW)


@pytest.mark.parametrize(
    ("provider", "address", "header"),
    [
        ("github", f"https://api.github.com/repos/acme/web/statuses/{COMMIT}", ("Authorization", "Bearer t0ken")),
        ("gitlab", f"https://gitlab.com/api/v4/projects/acme%2Fweb/statuses/{COMMIT}", ("PRIVATE-TOKEN", "t0ken")),
        (
            "bitbucket",
            f"https://api.bitbucket.org/2.0/repositories/acme/web/commit/{COMMIT}/statuses/build",
            ("Authorization", "Bearer t0ken"),
        ),
        (
            "bitbucket-server",
            f"https://git.example.com/rest/api/latest/projects/acme/repos/web/commits/{COMMIT}/builds",
            ("Authorization", "Bearer t0ken"),
        ),
        ("gitea", f"https://git.example.com/api/v1/repos/acme/web/statuses/{COMMIT}", ("Authorization", "token t0ken")),
        (
            "forgejo",
            f"https://git.example.com/api/v1/repos/acme/web/statuses/{COMMIT}",
            ("Authorization", "token t0ken"),
        ),
        (
            "azure-devops",
            f"https://dev.azure.com/acme/acme/_apis/git/repositories/web/commits/{COMMIT}/statuses?api-version=7.1",
            ("Authorization", "Bearer t0ken"),
        ),
    ],
)
def test_where_a_status_goes(provider: str, address: str, header: tuple[str, str]) -> None:
    result = call(provider, caused(started()))
    assert (result.method, result.url) == ("POST", address)
    assert header in result.headers.items()
    assert result.headers["User-Agent"] == "amplify-jobs"
    assert "t0ken" not in result.body.decode()


@pytest.mark.parametrize(
    ("provider", "states"),
    [
        ("github", ["pending", "success", "failure", "error", "error", "error"]),
        ("gitlab", ["pending", "success", "failed", "failed", "canceled", "failed"]),
        ("bitbucket", ["INPROGRESS", "SUCCESSFUL", "FAILED", "FAILED", "STOPPED", "FAILED"]),
        ("bitbucket-server", ["INPROGRESS", "SUCCESSFUL", "FAILED", "FAILED", "CANCELLED", "FAILED"]),
        ("gitea", ["pending", "success", "failure", "error", "error", "error"]),
        ("azure-devops", ["pending", "succeeded", "failed", "error", "error", "error"]),
    ],
)
def test_the_words_of_each_host(provider: str, states: list[str]) -> None:
    reports = [
        started(),
        finished(),
        finished(Outcome.FAILED),
        finished(Outcome.TIMED_OUT),
        finished(Outcome.CANCELLED),
        rejected(),
    ]
    assert [json.loads(call(provider, caused(report)).body)["state"] for report in reports] == states


def test_what_each_host_is_told() -> None:
    report = caused(finished(Outcome.FAILED, reason="x" * 500))
    github = json.loads(call("github", report).body)
    assert github["context"] == "amplify-jobs/web"
    assert github["target_url"] == "https://console.example/17"
    assert len(github["description"]) == 140
    gitlab = json.loads(call("gitlab", report, remote="4711").body)
    assert (gitlab["name"], gitlab["ref"], gitlab["pipeline_id"]) == ("amplify-jobs/web", "main", 4711)
    assert len(gitlab["description"]) == 255
    azure = json.loads(call("azure-devops", report).body)
    assert azure["context"] == {"genre": "amplify-jobs", "name": "web"}
    server = json.loads(call("bitbucket-server", report).body)
    assert server["ref"] == "refs/heads/main"
    # Bitbucket needs an address, and has none of a request that was rejected.
    cloud = json.loads(call("bitbucket", caused(rejected())).body)
    assert cloud["url"] == f"https://bitbucket.org/acme/web/commits/{COMMIT}"


def test_long_contexts_stay_apart_at_bitbucket() -> None:
    keys = {
        json.loads(call("bitbucket", caused(started()), context=f"amplify-jobs/{'a' * 60}{end}").body)["key"]
        for end in ("one", "two")
    }
    assert len(keys) == 2
    assert {len(key) for key in keys} == {40}


@pytest.mark.parametrize(
    ("provider", "members", "limit"),
    [
        ("github", ("context",), 255),
        ("gitlab", ("name",), 255),
        ("bitbucket", ("key",), 40),
        ("bitbucket", ("name",), 255),
        ("bitbucket-server", ("key",), 255),
        ("gitea", ("context",), 255),
        ("azure-devops", ("context", "name"), 255),
    ],
)
def test_no_name_is_longer_than_its_host_takes_and_two_are_never_one(
    provider: str, members: tuple[str, ...], limit: int
) -> None:
    names = set()
    for end in ("one", "two"):
        job = JOB.model_copy(update={"app_name": "a" * 300 + end})
        report = caused(started(job=job))
        names.add(Answer(200, body=call(provider, report, context="amplify-jobs/{app}").body).member(*members))
    assert len(names) == 2
    assert all(limit - len("amplify-jobs/") <= len(name) <= limit for name in names)


@given(st.lists(st.text(min_size=1, max_size=60), min_size=2, unique=True), st.integers(33, 50))
def test_distinct_names_stay_distinct(names: list[str], limit: int) -> None:
    distinct_names = [distinct_name(name, limit) for name in names]
    assert len(set(distinct_names)) == len(names)
    assert all(len(name) <= limit for name in distinct_names)
    assert [new for new, name in zip(distinct_names, names, strict=True) if len(name) <= limit and new != name] == []


def test_a_token_with_a_user_is_a_password() -> None:
    header = call("bitbucket", caused(started()), username="ada@example.com").headers["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"ada@example.com:t0ken"


LIMITED = b'{"message": "You have exceeded a secondary rate limit. Please wait"}'


@pytest.mark.parametrize(
    ("provider", "answer", "expected"),
    [
        ("github", Answer(201), Accepted()),
        ("github", Answer(403, {}, LIMITED), Retry("HTTP 403: a rate limit", 60.0)),
        ("github", Answer(403, {"retry-after": "7"}, LIMITED), Retry("HTTP 403: a rate limit", 7.0)),
        ("github", Answer(429), Retry("HTTP 429: a rate limit", 60.0)),
        (
            "github",
            Answer(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000120"}),
            Retry("HTTP 403: a rate limit", 120.0),
        ),
        ("github", Answer(403, {}, b'{"message": "Resource not accessible"}'), Refused("HTTP 403", stops=True)),
        ("github", Answer(401), Refused("HTTP 401", stops=True)),
        ("github", Answer(502), Retry("HTTP 502")),
        ("gitlab", Answer(201, {}, b'{"id": 1, "pipeline_id": 4711}'), Accepted("4711")),
        ("gitlab", Answer(400, {}, b'{"message": "Cannot transition status via :enqueue from :pending"}'), Accepted()),
        ("gitlab", Answer(409), Retry("HTTP 409", 10.0)),
        ("gitlab", Answer(404, {}, b'{"message": "404 Commit Not Found"}'), Refused("HTTP 404: 404 Commit Not Found")),
        ("gitlab", Answer(401), Refused("HTTP 401", stops=True)),
        ("bitbucket", Answer(400, {}, b'{"error": {"message": "key too long"}}'), Refused("HTTP 400: key too long")),
        ("bitbucket-server", Answer(204), Accepted()),
        ("gitea", Answer(500, {}, b'{"message": "object does not exist [id: 3f1c]"}'), None),
        ("gitea", Answer(500, {}, b'{"message": "database is locked"}'), Retry("HTTP 500")),
        (
            "azure-devops",
            Answer(203, {}, b"<html>Sign in</html>"),
            Refused("HTTP 203: the token is not valid", stops=True),
        ),
        ("azure-devops", Answer(429, {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}), Retry("HTTP 429", 0.0)),
    ],
)
def test_answers(provider: str, answer: Answer, expected: Verdict | None) -> None:
    result = verdict(provider, answer)
    if expected is None:
        assert isinstance(result, Refused)
        assert not result.stops
    else:
        assert result == expected


def test_a_pull_request_of_azure_gets_a_status_of_its_own() -> None:
    report = caused(started(), pull_request=12)
    first = verdict("azure-devops", Answer(201), report)
    assert isinstance(first, Continued)
    second = call("azure-devops", report, first.remote)
    assert "/pullRequests/12/statuses?" in second.url
    assert verdict("azure-devops", Answer(201), report, first.remote) == Accepted()
    # What was left of an earlier state does not hide the commit's next one.
    assert f"/commits/{COMMIT}/" in call("azure-devops", caused(finished(), pull_request=12), first.remote).url


def test_a_status_needs_a_commit_of_its_source() -> None:
    where = destination("github")
    assert kind_of(where).subject(where, caused(started())) == f"acme/web {COMMIT} amplify-jobs/web"
    for cause in (Cause(source="host", kind="schedule"), Cause(source="other", kind="push", commit=COMMIT)):
        report = Report(started().detail_type, started().detail.model_copy(update={"cause": cause}))
        assert kind_of(where).subject(where, report) is None


@pytest.mark.parametrize(
    ("api", "host", "reports"),
    [
        (None, "github.com", True),
        (None, "ghe.example.com", False),
        (None, None, False),
        ("https://ghe.example.com/api/v3", "ghe.example.com", True),
        ("https://ghe.example.com/api/v3", "github.com", False),
        ("https://api.acme.ghe.com", "acme.ghe.com", True),
    ],
)
def test_a_job_that_somebody_else_started_has_the_status_at_the_host_of_its_repository(
    api: str | None, host: str | None, reports: bool
) -> None:
    where = destination("github")
    where = replace(where, target=where.target.model_copy(update={"api": api}))
    cause = Cause(source="amplify", kind=FOLLOWED, host=host, repository="acme/web", commit=COMMIT)
    detail = started().detail.model_copy(update={"cause": cause, "route": None})
    subject = kind_of(where).subject(where, Report(started().detail_type, detail))
    assert subject == (f"acme/web {COMMIT} amplify-jobs/web" if reports else None)


def test_a_preview_that_could_not_be_taken_away_is_told_as_such_and_is_no_status_of_a_commit() -> None:
    where, report = destination("github"), caused(rejected(operation="remove_preview", branch_name="pr-7"))
    assert title(report).endswith("pr-7: the preview was not taken away")
    assert kind_of(where).subject(where, caused(rejected())) is not None
    assert kind_of(where).subject(where, report) is None
