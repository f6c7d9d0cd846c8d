"""mirror against moto and a real git server: the branch stands at the request's commit, in the order of events."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.errors import BranchBusy, RequestRejected, ServiceTrouble, Superseded
from local.services.moto import ACCOUNT
from tests.support.git_histories import History, refs_of
from tests.support.git_server import Fault, GitServer, git, running_git_server
from tests.support.stack import BUCKET, REGION, REPOSITORY, Context, Stack, job_request, serving

MAIN = "refs/heads/main"
TOKEN = "t0p-secret"
TOKEN_NAME = "/amplify-jobs/secrets/git-token"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@dataclass
class World:
    """A stack, a self-hosted git server, and a mirror."""

    stack: Stack
    server: GitServer
    source: History
    target: Path
    machine: str

    @property
    def branch(self) -> str | None:
        return refs_of(self.target).get(MAIN)

    def request(
        self, number: int | None, minutes: int = 0, before: str | None = None, **members: Any
    ) -> dict[str, Any]:
        """The request of a push, `minutes` after noon."""
        order = {"source": "gitea", "repository": "acme/web", "ref": MAIN, "branch": "main", "before": before}
        commit = None if number is None else self.source.commits[number]
        event_time = (NOON + timedelta(minutes=minutes)).isoformat()
        request: dict[str, Any] = job_request("d1", mirror={**order, "commit": commit}, eventTime=event_time, **members)
        return request

    def preview(self, number: int, minutes: int = 0, *, pull_request: int = 7, remove: bool = False) -> dict[str, Any]:
        """The request of a pull request that is built or closed, `minutes` after noon."""
        order = {"source": "gitea", "repository": "acme/web", "pullRequest": pull_request, "isFork": False}
        action = "remove" if remove else "build"
        request = self.request(number, minutes, preview={**order, "action": action})
        request["mirror"] |= {"remove": remove}
        return request

    def begin(self, request: dict[str, Any]) -> str:
        """Begin an execution, which runs until it is stopped."""
        states = self.stack.client("stepfunctions")
        started = states.start_execution(stateMachineArn=self.machine, name=request["requestId"], input="{}")
        return str(started["executionArn"])

    def end(self, execution: str) -> None:
        """Stop the execution. moto only notes the stop, and a thread ends it; one before the first state is lost."""
        states = self.stack.client("stepfunctions")
        give_up = time.monotonic() + 30
        while states.describe_execution(executionArn=execution)["status"] == "RUNNING":
            assert time.monotonic() < give_up, "the execution does not end"
            states.stop_execution(executionArn=execution)
            time.sleep(0.01)

    def mirror(self, request: dict[str, Any], execution: str | None = None) -> dict[str, Any]:
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:amplify-jobs:{request['requestId']}"
        call = {"request": request, "execution": execution or arn}
        answer: dict[str, Any] = self.stack.function("mirror")(call, Context(60_000))
        return answer


def routes(server: GitServer, **mirror: Any) -> dict[str, Any]:
    login = {"token": TOKEN_NAME, "username": "ci"}
    git_access = {"url": server.address("{repository}"), **login}
    return {
        "sources": {"gitea": {"provider": "gitea", "secrets": ["/amplify-jobs/secrets/gitea"], "git": git_access}},
        "routes": {
            "web": {
                "source": "gitea",
                "when": {"push": {"repository": "acme/web", "branches": ["main"]}},
                "request": {
                    "operation": "start_job",
                    "parameters": {"appId": "d1", "branchName": "{branch}", "jobType": "RELEASE"},
                },
                "mirror": {"to": server.address("mirror"), **login, **mirror},
            }
        },
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, GitServer]]:
    root = tmp_path_factory.mktemp("git")
    with running_git_server(root, TOKEN) as server, serving() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIVATE_HOSTS", f"127.0.0.1:{server.port}")
        patch.setenv("DISK_MEBIBYTES", "512")
        stack.client("ssm").put_parameter(Name=TOKEN_NAME, Type="SecureString", Value=TOKEN)
        content = json.dumps(routes(server))
        stack.client("s3").put_object(Bucket=BUCKET, Key="routes.json", Body=content)
        yield stack, server


@pytest.fixture
def world(running: tuple[Stack, GitServer]) -> World:
    stack, server = running
    for name in ("acme/web", "mirror"):
        folder = server.root / f"{name}.git"
        if folder.exists():
            folder.rename(server.root / uuid.uuid4().hex)
    (server.root / "acme").mkdir(exist_ok=True)
    source = History(server.repository("acme/web", "uploadpack.allowReachableSHA1InWant=true"))
    for number in range(1, 4):
        source.set(MAIN, source.commit((number - 1,) if number > 1 else ()))
    for item in stack.jobs_table.scan()["Items"]:
        stack.jobs_table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
    machine = stack.client("stepfunctions").create_state_machine(
        name=uuid.uuid4().hex, definition=json.dumps(wait), roleArn=f"arn:aws:iam::{ACCOUNT}:role/any"
    )
    target = server.repository("mirror")
    # Of a branch that HEAD names, a server refuses the deletion.
    git(target, "symbolic-ref", "HEAD", "refs/heads/production")
    return World(stack, server, source, target, machine["stateMachineArn"])


def test_the_branch_stands_at_the_commit_of_the_event_and_repeats_change_nothing(world: World) -> None:
    request = world.request(2)
    assert world.mirror(request)["objects"] == 6
    assert world.branch == world.source.commits[2]
    assert world.mirror(request) == {"commit": world.source.commits[2], "objects": 0, "warnings": []}


def test_without_a_commit_it_stands_at_the_newest_one(world: World) -> None:
    assert world.mirror(world.request(None))["commit"] == world.source.commits[3]


def test_two_pushes_in_a_row_wait_for_each_other(world: World) -> None:
    first, second = world.request(2), world.request(3, minutes=1)
    executions = [world.begin(request) for request in (first, second)]
    world.mirror(first, executions[0])
    with pytest.raises(BranchBusy, match=f"until the job of {first['requestId']} ends"):
        world.mirror(second, executions[1])
    assert world.branch == world.source.commits[2]
    world.end(executions[0])
    world.mirror(second, executions[1])
    assert world.branch == world.source.commits[3]


def test_the_older_of_two_that_wait_goes_first(world: World) -> None:
    requests = [world.request(number, minutes=number) for number in (1, 2, 3)]
    executions = [world.begin(request) for request in requests]
    world.mirror(requests[0], executions[0])
    for number in (2, 1):
        with pytest.raises(BranchBusy):
            world.mirror(requests[number], executions[number])
    world.end(executions[0])
    with pytest.raises(BranchBusy):
        world.mirror(requests[2], executions[2])
    world.mirror(requests[1], executions[1])
    world.end(executions[1])
    world.mirror(requests[2], executions[2])
    assert world.branch == world.source.commits[3]


def test_a_push_waits_for_the_one_before_it_which_may_come_soon(world: World) -> None:
    now = datetime.now(UTC).isoformat()
    first, second = world.request(2), world.request(3, before=world.source.commits[2], receivedAt=now)
    executions = [world.begin(request) for request in (first, second)]
    with pytest.raises(BranchBusy, match=f"The push of {world.source.commits[2]} goes first"):
        world.mirror(second, executions[1])
    world.mirror(first, executions[0])
    assert world.branch == world.source.commits[2]
    world.end(executions[0])
    world.mirror(second, executions[1])
    assert world.branch == world.source.commits[3]


def test_a_push_does_not_wait_long_for_one_that_may_have_asked_for_nothing(world: World) -> None:
    long_ago = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    world.mirror(world.request(3, before=world.source.commits[2], receivedAt=long_ago))
    assert world.branch == world.source.commits[3]


def test_with_supersede_the_newest_does_not_wait(world: World) -> None:
    first, second = world.request(2, supersede=True), world.request(3, minutes=1, supersede=True)
    execution = world.begin(first)
    world.mirror(first, execution)
    world.mirror(second)
    assert world.branch == world.source.commits[3]
    with pytest.raises(Superseded, match=str(second["requestId"])):
        world.mirror(first, execution)
    record = world.stack.item(f"request#{first['requestId']}", "request")
    assert record["supersededBy"] == second["requestId"]


def test_a_request_that_a_person_stopped_sets_no_branch(world: World) -> None:
    request = world.request(2)
    JobsTable.connect("jobs").order_stop(request["requestId"], "Stopped by the jobs API.", NOON)
    with pytest.raises(Superseded, match="Stopped by the jobs API"):
        world.mirror(request)
    assert world.branch is None


def test_a_late_event_never_moves_a_branch_back(world: World) -> None:
    world.mirror(world.request(3, minutes=5))
    with pytest.raises(Superseded):
        world.mirror(world.request(2))
    assert world.branch == world.source.commits[3]


def test_a_forced_push_of_the_source_is_followed(world: World) -> None:
    world.mirror(world.request(3))
    world.source.set(MAIN, world.source.commit((1,)))
    world.mirror(world.request(4, minutes=1))
    assert world.branch == world.source.commits[4]


def test_a_branch_that_somebody_else_moved_is_rejected_until_it_is_corrected(world: World) -> None:
    world.mirror(world.request(2))
    stray = git(world.target, "commit-tree", "-m", "stray", world.source.commits[1] + "^{tree}")
    git(world.target, "update-ref", MAIN, stray)
    with pytest.raises(RequestRejected, match="nobody else should push"):
        world.mirror(world.request(3, minutes=1))
    git(world.target, "update-ref", "-d", MAIN)
    world.mirror(world.request(3, minutes=2))
    assert world.branch == world.source.commits[3]


def test_the_branch_of_a_preview_is_deleted_when_its_pull_request_closes(world: World) -> None:
    world.mirror(world.preview(2))
    closing = world.preview(2, minutes=1, remove=True)
    for commit in (world.source.commits[2], None):
        assert world.mirror(closing) == {"commit": commit, "objects": 0, "warnings": []}
        assert world.branch is None
    # An update that arrives only now sets no branch any more; the pull request that is opened again does.
    with pytest.raises(Superseded, match=f"The newer request {closing['requestId']} deletes main of the mirror"):
        world.mirror(world.preview(3))
    assert world.branch is None
    world.mirror(world.preview(3, minutes=2))
    assert world.branch == world.source.commits[3]
    with pytest.raises(Superseded):
        world.mirror(closing)
    assert world.branch == world.source.commits[3]


def test_a_deletion_waits_for_the_build_that_set_the_branch_and_not_for_those_that_wait(world: World) -> None:
    builds = [world.preview(number, minutes=number) for number in (1, 2)]
    closing = world.preview(2, minutes=3, remove=True)
    executions = [world.begin(request) for request in (*builds, closing)]
    world.mirror(builds[0], executions[0])
    with pytest.raises(BranchBusy):
        world.mirror(builds[1], executions[1])
    with pytest.raises(BranchBusy, match=f"until the job of {builds[0]['requestId']} ends"):
        world.mirror(closing, executions[2])
    with pytest.raises(Superseded, match=closing["requestId"]):
        world.mirror(builds[1], executions[1])
    reopened = world.preview(3, minutes=4)
    with pytest.raises(BranchBusy):
        world.mirror(reopened, world.begin(reopened))
    for execution in executions[:2]:
        world.end(execution)
    assert world.mirror(closing, executions[2])["commit"] == world.source.commits[1]
    with pytest.raises(BranchBusy, match=f"main is deleted first, by {closing['requestId']}"):
        world.mirror(reopened)
    world.end(executions[2])
    world.mirror(reopened)
    assert world.branch == world.source.commits[3]


@pytest.mark.parametrize("pull_request", [8, None])
def test_a_branch_that_was_last_set_for_another_purpose_stays(world: World, pull_request: int | None) -> None:
    world.mirror(world.request(2) if pull_request is None else world.preview(2, pull_request=pull_request))
    (warning,) = world.mirror(world.preview(2, minutes=1, remove=True))["warnings"]
    assert warning.endswith("was not set for this pull request, and stays")
    assert world.branch == world.source.commits[2]
    # Nor is anything of that branch made moot.
    world.mirror(world.request(3, minutes=1))
    assert world.branch == world.source.commits[3]


def test_a_deletion_needs_the_route_and_not_the_source(world: World) -> None:
    closing = world.preview(2, remove=True)
    with pytest.raises(RequestRejected, match="has no mirror any more; delete main of its mirror by hand"):
        world.mirror({**closing, "route": "gone"})
    closing["mirror"] |= {"source": "gone"}
    assert world.mirror(closing)["commit"] is None
    with pytest.raises(RequestRejected, match="is of no preview"):
        world.mirror({**closing, "preview": None})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("service=git-upload-pack", status=401), f"refused the token in SSM {TOKEN_NAME} .HTTP 401"),
        (Fault("/git-upload-pack", cut_answer=100), "did not answer, or not to the end"),
        (Fault("/git-receive-pack", cut_request=100), "did not answer, or not to the end"),
    ],
)
def test_what_time_can_heal_is_tried_again_until_the_time_to_start_runs_out(
    world: World, fault: Fault, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.server.faults.append(fault)
    with pytest.raises(ServiceTrouble, match=reason) as trouble:
        world.mirror(world.request(2))
    # By this name the state machine knows that it is tried again.
    assert type(trouble.value) is ServiceTrouble
    fault.times = 1
    world.server.faults.append(fault)
    long_ago = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    with pytest.raises(RequestRejected, match=f"Not started within 360 minutes.*{reason}"):
        world.mirror(world.request(2, receivedAt=long_ago))
    assert TOKEN not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fault": "it says nothing"}, "it says nothing"),
        ({"mirror": None}, "asks for no mirror"),
        ({"route": "gone"}, "the route gone is no longer in routes.yaml"),
        ({"mirror": {"source": 5}}, "mirror.source: "),
    ],
)
def test_what_can_not_be_mirrored_is_rejected(world: World, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(RequestRejected, match=reason):
        world.mirror({**world.request(2), **change})


def test_the_example_is_what_the_state_machine_sends(world: World) -> None:
    event = json.loads((REPOSITORY / "events" / "mirror.json").read_text(encoding="utf-8"))
    event["request"] |= {"route": "web", "mirror": event["request"]["mirror"] | {"commit": world.source.commits[2]}}
    assert world.stack.function("mirror")(event, Context(60_000))["commit"] == world.branch
