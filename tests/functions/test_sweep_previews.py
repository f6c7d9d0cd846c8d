"""sweep_previews against moto and a real git server: it asks hosts, and the removals that it asks for are done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.jobs_table.previews import PreviewRecords
from amplify_jobs.previewing.record import PreviewRecord
from tests.support.git_histories import History
from tests.support.git_server import Fault, GitServer, running_git_server
from tests.support.stack import BUCKET, Context, Stack, serving

TOKEN = "t0p-secret"
TOKEN_NAME = "/amplify-jobs/secrets/git-token"


@dataclass
class World:
    """A stack, and a self-hosted git server with one repository."""

    stack: Stack
    server: GitServer
    source: History

    def write(self, branch: str, **changes: Any) -> None:
        """Record a preview of the pull request from a branch of this name."""
        record = PreviewRecord(
            app_id="d1",
            branch_name=f"pr-{branch}",
            route="web",
            source="gitea",
            repository="acme/web",
            pull_request=7,
            source_branch=branch,
            is_fork=False,
            has_mirror=True,
            event_time=datetime.now(UTC) - timedelta(days=1),
            version=1,
        )
        records = PreviewRecords(Table(dynamodb_client(), "jobs"))
        assert records.write_preview_record(replace(record, **changes), datetime.now(UTC))

    def sweep(self, milliseconds: int = 120_000) -> dict[str, Any]:
        answer: dict[str, Any] = self.stack.function("sweep_previews")({}, Context(milliseconds))
        return answer

    def removals(self) -> list[dict[str, Any]]:
        """The inputs of the executions, by the branch."""
        states = self.stack.client("stepfunctions")
        listed = states.list_executions(stateMachineArn=self.stack.environment["STATE_MACHINE_ARN"])["executions"]
        inputs = [json.loads(states.describe_execution(executionArn=one["executionArn"])["input"]) for one in listed]
        return sorted(inputs, key=lambda one: str(one["parameters"]["branchName"]))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("git")
    with running_git_server(root, TOKEN) as server, serving() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIVATE_HOSTS", f"127.0.0.1:{server.port}")
        stack.client("ssm").put_parameter(Name=TOKEN_NAME, Type="SecureString", Value=TOKEN)
        git = {"url": server.address("{repository}"), "token": TOKEN_NAME}
        parameters = {"appId": "d1", "branchName": "pr-{pullRequest.number}", "jobType": "RELEASE"}
        route = {
            "source": "gitea",
            "when": {"pull_request": {"repository": "acme/web"}},
            "request": {"operation": "start_job", "parameters": parameters},
            "mirror": {"to": "codecommit::web"},
            "preview": {},
        }
        sources = {"gitea": {"provider": "gitea", "secrets": ["/amplify-jobs/secrets/gitea"], "git": git}}
        content = json.dumps({"sources": sources, "routes": {"web": route}})
        stack.client("s3").put_object(Bucket=BUCKET, Key="routes.json", Body=content)
        (root / "acme").mkdir()
        source = History(server.repository("acme/web"))
        source.set("refs/heads/page", source.commit())
        yield World(stack, server, source)


@pytest.fixture
def world(running: World) -> World:
    table = running.stack.jobs_table
    for item in table.scan()["Items"]:
        table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
    running.server.faults.clear()
    return running


def test_what_is_left_over_is_taken_away_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.write("page")
    world.write("gone")
    world.write("forgotten", is_fork=True, has_mirror=False, event_time=datetime.now(UTC) - timedelta(days=15))
    assert world.sweep() == {
        "previews": 3,
        "removals": [
            {
                "appId": "d1",
                "branchName": "pr-forgotten",
                "reason": "no event of pull request 7 came for 14 days (keepDays)",
            },
            {"appId": "d1", "branchName": "pr-gone", "reason": "acme/web has no branch gone any more"},
        ],
        "duplicates": 0,
        "unreached": 0,
    }
    again = world.sweep()
    assert (again["removals"], again["duplicates"]) == ([], 2)
    forgotten, gone = world.removals()
    assert (gone["operation"], gone["route"], gone["cause"]["kind"]) == ("remove_preview", "web", "sweep")
    assert gone["cause"]["reason"] == "acme/web has no branch gone any more"
    assert gone["mirror"] == {**gone["mirror"], "branch": "pr-gone", "remove": True}
    assert forgotten["mirror"] is None
    assert "A preview is left over" in caplog.text
    assert TOKEN not in repr([vars(record) for record in caplog.records])


@pytest.mark.parametrize(
    "fault", [Fault("service=git-upload-pack", times=9, status=503), Fault("", status=401, times=9)]
)
def test_a_host_that_does_not_answer_takes_nothing_away(
    world: World, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    world.write("lost")
    world.server.faults += [fault, Fault("/git-upload-pack", status=503, times=9)]
    swept = world.sweep()
    assert (swept["previews"], swept["removals"], swept["unreached"]) == (1, [], 1)
    assert "Repository not listed" in caplog.text


def test_a_sweep_that_has_no_time_left_for_hosts_takes_nothing_away_for_them(world: World) -> None:
    world.write("late")
    swept = world.sweep(1_000)
    assert (swept["removals"], swept["unreached"]) == ([], 1)
    assert len(world.sweep()["removals"]) == 1
