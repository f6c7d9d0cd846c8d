"""preview against moto: the branch of an app that shows a pull request, whatever comes late or is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.errors import BranchBusy, RequestRejected, ServiceTrouble, Superseded
from tests.support.stack import BUCKET, MOST_BRANCHES, Stack, job_request, serving

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LOGIN_NAME, LOGIN = "/amplify-jobs/secrets/preview-login", "ada:t0p-s3cret"
TAG = {"amplify-jobs:preview": "web"}


@dataclass
class World:
    """A stack and an app; the preview of a pull request is the branch pr-7."""

    stack: Stack
    app_id: str

    def routes(self, **preview: Any) -> None:
        """Push a route with such a preview."""
        git = {"url": "https://git.example.com/{repository}.git"}
        parameters = {"appId": "d1", "branchName": "pr-{pullRequest.number}", "jobType": "RELEASE"}
        route = {
            "source": "gitlab",
            "when": {"pull_request": {"repository": "acme/web"}},
            "request": {"operation": "start_job", "parameters": parameters},
            "mirror": {"to": "codecommit::web"},
            "preview": preview,
        }
        sources = {"gitlab": {"provider": "gitlab", "secrets": ["/amplify-jobs/secrets/a"], "git": git}}
        content = {"sources": sources, "routes": {"web": route}}
        self.stack.client("s3").put_object(Bucket=BUCKET, Key="routes.json", Body=json.dumps(content))

    def build(self, minute: int, branch: str = "pr-7", **members: Any) -> Any:
        return self._request(minute, branch, "build", {}, members)

    def remove(self, minute: int, branch: str = "pr-7", **members: Any) -> Any:
        return self._request(minute, branch, "remove", {"operation": "remove_preview"}, members)

    def _request(
        self, minute: int, branch: str, action: str, changes: dict[str, Any], parameters: dict[str, Any]
    ) -> dict[str, Any]:
        order = {"action": action, "source": "gitlab", "repository": "acme/web", "pullRequest": 7, "isFork": False}
        time = (NOON + timedelta(minutes=minute)).isoformat()
        request: dict[str, Any] = job_request(
            self.app_id, branch_name=branch, preview=order, eventTime=time, **changes, **parameters
        )
        return request

    def preview(self, request: dict[str, Any]) -> str:
        return str(self.stack.function("preview")({"request": request})["change"])

    @property
    def branch(self) -> dict[str, Any] | None:
        return self.stack.amplify.branches.get((self.app_id, "pr-7"))

    @property
    def record(self) -> dict[str, Any]:
        return dict(self.stack.item("previews", f"{self.app_id}#pr-7"))


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    with serving() as stack:
        stack.client("ssm").put_parameter(Name=LOGIN_NAME, Type="SecureString", Value=LOGIN)
        bad = f"{LOGIN_NAME}-bad"
        stack.client("ssm").put_parameter(Name=bad, Type="SecureString", Value="t0p-s3cret")
        yield stack


@pytest.fixture
def world(running: Stack) -> Iterator[World]:
    world = World(running, running.amplify.new_app("main"))
    world.routes()
    yield world
    running.amplify.answers.clear()
    running.faults.clear()


def test_the_branch_is_made_as_the_route_says_and_updated_when_it_says_otherwise(world: World) -> None:
    world.routes(environmentVariables={"API": "https://a"}, basicAuth=LOGIN_NAME, framework="Next.js - SSR")
    assert world.preview(world.build(0)) == "created"
    assert world.branch == {
        "appId": world.app_id,
        "branchName": "pr-7",
        "stage": "PULL_REQUEST",
        "framework": "Next.js - SSR",
        "environmentVariables": {"API": "https://a"},
        "enableAutoBuild": False,
        "enablePullRequestPreview": False,
        "enableBasicAuth": True,
        "basicAuthCredentials": "YWRhOnQwcC1zM2NyZXQ=",
        "tags": TAG,
    }
    assert world.stack.function("preview").metrics["PreviewsCreated"] == 1
    assert world.preview(world.build(1)) == "unchanged"
    world.routes(environmentVariables={"API": "https://b"}, buildSpec="version: 1")
    assert world.preview(world.build(2)) == "updated"
    assert world.branch is not None
    assert world.branch["environmentVariables"] == {"API": "https://b"}
    assert world.branch["enableBasicAuth"] is False
    assert world.branch["buildSpec"] == "version: 1"
    assert world.preview(world.build(3)) == "unchanged"


def test_the_record_says_whose_preview_it_is(world: World) -> None:
    request = world.build(0, mirror={"source": "gitlab", "repository": "acme/web", "ref": "r", "branch": "pr-7"})
    world.preview(request)
    record = world.record
    assert (record["route"], record["source"], record["repository"]) == ("web", "gitlab", "acme/web")
    assert (record["pullRequest"], record["hasMirror"], record["closedAt"]) == (7, True, None)
    assert record["eventTime"] == NOON.isoformat()


def test_a_closed_pull_request_takes_branch_jobs_and_all_away(world: World) -> None:
    world.preview(world.build(0))
    jobs = world.stack.amplify.jobs[world.app_id, "pr-7"]
    jobs += [{"summary": {"jobId": str(n), "status": status}} for n, status in ((1, "SUCCEED"), (2, "RUNNING"))]
    closing = world.remove(1)
    with pytest.raises(BranchBusy, match="Job 2 of pr-7 is being stopped"):
        world.preview(closing)
    assert world.stack.amplify.stopped(world.app_id) == ["2"]
    # What comes newer waits until the branch is gone.
    with pytest.raises(BranchBusy, match="is being taken away"):
        world.preview(world.build(2))
    assert world.preview(closing) == "removed"
    assert world.branch is None
    assert world.preview(closing) == "removed"
    assert world.record["closedAt"] == (NOON + timedelta(minutes=1)).isoformat()
    assert world.preview(world.build(2)) == "created"


def test_an_event_before_the_closing_builds_nothing_and_one_before_the_newest_build_takes_nothing_away(
    world: World,
) -> None:
    closing = world.remove(5)
    assert world.preview(closing) == "removed"
    late = world.build(3)
    with pytest.raises(Superseded, match="Pull request 7 was closed"):
        world.preview(late)
    assert world.branch is None
    assert world.stack.item(f"request#{late['requestId']}", "request")["supersededBy"] == closing["requestId"]
    assert world.preview(world.build(6)) == "created"
    assert world.preview(world.remove(4)) == "kept"
    assert world.branch is not None


def test_a_branch_of_somebody_else_is_neither_built_nor_deleted(world: World) -> None:
    with pytest.raises(RequestRejected, match=r"the branch main of app .* exists and is no preview of amplify-jobs"):
        world.preview(world.build(0, branch="main"))
    answer = world.stack.function("preview")({"request": world.remove(1, branch="main")})
    assert answer == {"change": "kept", "isPreview": False}
    assert (world.app_id, "main") in world.stack.amplify.jobs


def test_lost_answers_change_nothing(world: World) -> None:
    for operation, request, change in (
        ("CreateBranch", world.build(0), "unchanged"),
        ("DeleteBranch", world.remove(1), "removed"),
    ):
        world.stack.faults.inject({"service": "amplify", "operation": operation, "fault": "lose-answer"})
        assert world.preview(request) == change
    assert world.branch is None


def test_a_full_app_is_told_with_what_to_do(world: World) -> None:
    for number in range(MOST_BRANCHES):
        world.stack.amplify.jobs[world.app_id, f"b{number}"] = []
    with pytest.raises(RequestRejected, match=rf"as many branches as Amplify allows, which are {MOST_BRANCHES} unless"):
        world.preview(world.build(0))


def test_an_app_that_is_not_there_is_told_with_the_place_to_correct(world: World) -> None:
    request = world.build(0)
    request["parameters"]["appId"] = "d0"
    with pytest.raises(RequestRejected, match=r"App d0 not found \(check appId in route web of routes.yaml\)"):
        world.preview(request)
    assert world.preview(world.remove(0)) == "removed"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fault": "it says nothing"}, "it says nothing"),
        ({"preview": None}, "asks for no preview"),
        ({"route": None}, "asks for no preview"),
        ({"route": "gone"}, "the route gone is no longer in routes.yaml, or has no preview"),
        ({"preview": {"action": 5}}, "preview.action: "),
        ({"parameters": {"appId": "d1", "branchName": ""}}, "branchName: "),
    ],
)
def test_what_can_not_be_built_is_rejected(world: World, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(RequestRejected, match=reason):
        world.preview({**world.build(0), **change})


def test_a_login_of_another_form_is_told_without_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.routes(basicAuth=f"{LOGIN_NAME}-bad")
    with pytest.raises(RequestRejected, match=f"{LOGIN_NAME}-bad of the preview is not of the form user:p") as raised:
        world.preview(world.build(0))
    assert "t0p-s3cret" not in str(raised.value) + capsys.readouterr().out
    world.routes(basicAuth="/amplify-jobs/secrets/none")
    with pytest.raises(ServiceTrouble, match="no secret is stored"):
        world.preview(world.build(0))


def test_a_removal_that_can_not_be_done_says_what_a_person_is_to_do(world: World) -> None:
    world.preview(world.build(0))
    world.stack.amplify.jobs[world.app_id, "pr-7"] = [{"summary": {"jobId": "1", "status": "CANCELLING"}}]
    long_ago = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    with pytest.raises(
        RequestRejected, match=r"pr-7 of app .*; delete this branch in Amplify.*Not taken away within 360"
    ):
        world.preview(world.remove(1, receivedAt=long_ago))
    with pytest.raises(RequestRejected, match="Not started within 360 minutes"):
        world.preview(world.build(2, receivedAt=long_ago))


def test_a_request_that_a_person_stopped_makes_no_branch(world: World) -> None:
    request = world.build(0)
    world.stack.jobs_table.put_item(
        Item={"pk": f"request#{request['requestId']}", "sk": "request", "stopOrder": "Stopped by the jobs API."}
    )
    with pytest.raises(Superseded, match="Stopped by the jobs API"):
        world.preview(request)
    assert world.branch is None


@pytest.mark.parametrize("operation", ["GetBranch", "CreateBranch", "UpdateBranch", "DeleteBranch", "ListJobs"])
def test_what_time_can_heal_is_tried_again_and_counted(world: World, operation: str) -> None:
    steps = [
        ("GetBranch CreateBranch", world.build(0)),
        ("UpdateBranch", world.build(1)),
        ("DeleteBranch ListJobs", world.remove(2)),
    ]
    for operations, request in steps:
        if operations == "UpdateBranch":
            world.routes(stage="BETA")
        if operation in operations:
            world.stack.faults.inject({"service": "amplify", "operation": operation, "fault": "nonsense", "times": 9})
            with pytest.raises(ServiceTrouble, match=operation):
                world.preview(request)
            assert world.stack.function("preview").metrics["StartsFailed"] == 1
            world.stack.faults.clear()
        world.preview(request)
    assert world.branch is None
