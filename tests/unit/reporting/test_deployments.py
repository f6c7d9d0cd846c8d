"""Deployments at GitHub and GitLab: one a request, in the order of requests, whatever is lost, late or deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.reporting.planning import plan
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.sending import Result, Sender
from amplify_jobs.routing.routes import Routes
from tests.support.announced import COMMIT, JOB, REQUESTED, finished, rejected, started
from tests.support.host_wire import BASE, Fault, HostWire, answers, lost
from tests.support.report_fakes import Notices, Records, Secrets, until_sent

TOKEN = "/amplify-jobs/secrets/token"
SITE = "https://main.d1a2b3c4d5e6.amplifyapp.com"
both_hosts = pytest.mark.parametrize("provider", ["github", "gitlab"])
DEPLOYMENTS = {"github": "/repos/acme/web/deployments", "gitlab": "/projects/acme%2Fweb/deployments"}
STATES = {
    "github": {
        "SUCCEEDED": "success",
        "FAILED": "failure",
        "CANCELLED": "error",
        "TIMED_OUT": "error",
        "": "in_progress",
    },
    "gitlab": {
        "SUCCEEDED": "success",
        "FAILED": "failed",
        "CANCELLED": "canceled",
        "TIMED_OUT": "failed",
        "": "running",
    },
}


def destination(provider: str, **members: Any) -> Destination:
    target = {"kind": "deployment", "source": "host", "token": TOKEN, "api": BASE, **members}
    sources = {"host": {"provider": provider, "secrets": ["/amplify-jobs/secrets/host"]}}
    return destinations(Routes.model_validate({"sources": sources, "routes": {}, "reports": {"sites": target}}))[0]


def of_host(report: Report, **members: Any) -> Report:
    cause = report.cause.model_copy(update={"source": "host", **members})
    return Report(report.detail_type, report.detail.model_copy(update={"cause": cause}))


def second(report: Report, **members: Any) -> Report:
    """The same of a request that was made a second later, for the next commit."""
    changes = {"request_id": "web-2", "requested_at": REQUESTED + timedelta(seconds=1)}
    return of_host(Report(report.detail_type, report.detail.model_copy(update=changes)), commit="d" * 40, **members)


@dataclass
class World:
    provider: str
    members: dict[str, Any] = field(default_factory=dict)
    records: Records = field(default_factory=Records)
    notices: Notices = field(default_factory=Notices)
    wire: HostWire = field(init=False)

    def __post_init__(self) -> None:
        self.wire = HostWire(self.provider)

    def send(self, report: Report) -> Result:
        sender = Sender(
            records=self.records, secrets=Secrets(), http=self.wire, notices=self.notices, clock=lambda: 1_000.0
        )
        where = destination(self.provider, **self.members)
        (planned,) = plan([where], report)
        return sender.send(where, planned, report).result

    def until_sent(self, report: Report) -> Result:
        return until_sent(lambda: self.send(report))

    def deployments(self) -> list[dict[str, Any]]:
        """The deployments, oldest first."""
        result = list(self.wire.ask("GET", DEPLOYMENTS[self.provider], per_page="100"))
        return result[::-1] if self.provider == "github" else result

    def states(self) -> list[str]:
        if self.provider == "gitlab":
            return [one["status"] for one in self.deployments()]
        path = DEPLOYMENTS["github"]
        return [
            next(iter(self.wire.ask("GET", f"{path}/{one['id']}/statuses")), {"state": "none"})["state"]
            for one in self.deployments()
        ]


@both_hosts
@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED, Outcome.TIMED_OUT])
@pytest.mark.parametrize("is_begun", [True, False])
def test_a_deployment_begins_and_ends(provider: str, outcome: Outcome, is_begun: bool) -> None:
    world = World(provider)
    if is_begun:
        assert world.send(of_host(started())) is Result.SENT
        assert world.states() == [STATES[provider][""]]
    assert world.send(of_host(finished(outcome))) is Result.SENT
    assert world.states() == [STATES[provider][outcome.value]]
    (deployment,) = world.deployments()
    assert deployment["sha"] == COMMIT


def test_what_github_is_told() -> None:
    world = World("github")
    world.send(of_host(started(), pull_request=7))
    world.send(of_host(finished(), pull_request=7))
    (deployment,) = world.deployments()
    assert (deployment["environment"], deployment["transient_environment"]) == ("web/main", True)
    assert deployment["payload"] == {"requestId": "web-1"}
    begun, ended = [call.content for call in world.wire.calls if call.path.endswith("/statuses")]
    assert "environment_url" not in begun
    assert (ended["environment_url"], ended["log_url"]) == (SITE, "https://console.example/17")
    assert ended["auto_inactive"] is True
    world = World("github", {"environment": "production", "transient": False, "production": True})
    world.send(of_host(started(), pull_request=7))
    (deployment,) = world.deployments()
    assert (deployment["environment"], deployment["production_environment"]) == ("production", True)
    assert deployment["transient_environment"] is False


def test_an_earlier_deployment_of_the_environment_becomes_inactive_at_github() -> None:
    world = World("github")
    for report in (of_host(started()), of_host(finished()), second(started()), second(finished())):
        world.send(report)
    assert world.states() == ["inactive", "success"]


def test_the_environment_at_gitlab_has_the_address_of_the_site() -> None:
    world = World("gitlab")
    world.send(of_host(started()))
    world.send(of_host(finished(Outcome.FAILED)))
    environments = "/projects/acme%2Fweb/environments"
    assert [one["external_url"] for one in world.wire.ask("GET", environments)] == [None]
    world.send(second(finished()))
    assert [(one["name"], one["external_url"]) for one in world.wire.ask("GET", environments)] == [("web/main", SITE)]


def test_names_that_gitlab_does_not_take_stay_apart() -> None:
    world = World("gitlab", {"environment": "{app}"})
    names: set[str] = set()
    for name in ("a:b", "a-b", "/a-b/", "ü" * 300, "x" * 300):
        report = started(job=JOB.model_copy(update={"app_name": name}), request_id=f"web-{len(names)}")
        assert world.send(of_host(report)) is Result.SENT
        names.add(world.deployments()[-1]["environment"]["name"])
    assert len(names) == 5
    assert "a-b" in names


@both_hosts
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=7),
    st.lists(
        st.sampled_from([None, None, None, lost, answers(503), answers(429, **{"retry-after": "3"})]), max_size=12
    ),
)
def test_each_request_has_one_deployment_and_no_older_one_begins_after_a_newer(
    provider: str, order: list[int], faults: list[Fault | None]
) -> None:
    reports = [of_host(started()), of_host(finished(Outcome.FAILED)), second(started()), second(finished())]
    world = World(provider)
    world.wire.faults = list(faults)
    for number in order:
        world.until_sent(reports[number])
    commits = [one["sha"] for one in world.deployments()]
    first_of_newer = next((place for place, number in enumerate(order) if number >= 2), len(order))
    expected = [COMMIT] if any(number < 2 for number in order[:first_of_newer]) else []
    expected += ["d" * 40] if first_of_newer < len(order) else []
    assert commits == expected
    states = dict(zip(commits, world.states(), strict=True))
    if "d" * 40 in states:
        assert states["d" * 40] == STATES[provider]["SUCCEEDED" if 3 in order else ""]
    if COMMIT in states:
        assert states[COMMIT] == STATES[provider]["FAILED" if 1 in order else ""]
    assert world.notices.told == []


@both_hosts
def test_a_report_whose_record_is_lost_ends_the_deployment_that_was_begun(provider: str) -> None:
    world = World(provider)
    world.send(of_host(started()))
    world.records.records.clear()
    world.send(of_host(finished()))
    assert world.states() == ["success"]


@both_hosts
def test_what_is_no_deployment_is_not_planned(provider: str) -> None:
    where = destination(provider)
    backend = JOB.model_copy(update={"operation": "start_codegen_job"})
    for report in (rejected(), started(job=backend), started(cause=None)):
        assert list(plan([where], of_host(report) if report.detail.cause else report)) == []
    assert list(plan([where], of_host(started(), source="other"))) == []
    assert list(plan([where], of_host(started(), commit=None))) == []


@pytest.mark.parametrize(
    ("provider", "fault", "result"),
    [
        ("github", answers(401), Result.STOPPED),
        ("github", answers(403, "Resource not accessible by personal access token"), Result.STOPPED),
        ("github", answers(404), Result.REFUSED),
        ("github", answers(409, "Conflict: Commit status checks failed"), Result.REFUSED),
        ("github", answers(422, "No ref found for: 000"), Result.REFUSED),
        ("gitlab", answers(401), Result.STOPPED),
        ("gitlab", answers(403), Result.REFUSED),
        ("gitlab", answers(404), Result.REFUSED),
        ("gitlab", answers(400, "name can contain only letters"), Result.REFUSED),
    ],
)
def test_answers(provider: str, fault: Fault, result: Result) -> None:
    for before in (0, 1):
        world = World(provider)
        world.wire.faults = [*[None] * before, fault]
        assert world.until_sent(of_host(started())) is result
        assert world.deployments() == []


@both_hosts
def test_deployments_to_one_environment_wait_for_each_other_and_others_do_not(provider: str) -> None:
    where = destination(provider)
    other = JOB.model_copy(update={"branch_name": "develop"})
    reports = [of_host(started()), second(started()), second(started(job=other))]
    plans = [next(iter(plan([where], report))) for report in reports]
    assert len({each.whole_lane.group for each in plans}) == 2
    assert plans[0].whole_lane == plans[1].whole_lane
    assert len({each.group for each in plans}) == 2
