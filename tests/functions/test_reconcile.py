"""reconcile against moto and a real git server: what it lists, stores and asks for, and what it says of a host."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.errors import InvalidEventError
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.intake.message import QueuedEvent
from tests.support.git_histories import History
from tests.support.git_server import Fault, GitServer, git, running_git_server
from tests.support.stack import BUCKET, REPOSITORY, Context, Function, Stack, serving

MAIN = "refs/heads/main"
NAME = "acme/web"
TOKEN = "t0p-secret"
TOKEN_NAME = "/amplify-jobs/secrets/git-token"
JOB = {"operation": "start_job", "parameters": {"appId": "d1", "branchName": "{branch}", "jobType": "RELEASE"}}


@dataclass
class World:
    """A stack, a self-hosted git server with one repository, and the stack's intake queue."""

    stack: Stack
    server: GitServer
    source: History
    queue: str
    earlier: int
    name: str = NAME

    def look(self, **order: Any) -> dict[str, Any]:
        call = {"order": {"afterMinutes": 0, **order}, "repositories": [{"source": "gitea", "repository": self.name}]}
        answer: dict[str, Any] = self.stack.function("reconcile")(call, Context(60_000))
        return answer

    def commit(self, ref: str = MAIN, message: str | None = None, files: dict[str, bytes] | None = None) -> str:
        number = len(self.source.commits)
        return self.source.set(ref, self.source.commit((number,) if number else (), files, message))

    def messages(self) -> list[dict[str, Any]]:
        """Take what waits out of the queue."""
        sqs, bodies = self.stack.client("sqs"), []
        attributes = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"]}
        while received := sqs.receive_message(QueueUrl=self.queue, **attributes).get("Messages"):
            for message in received:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(message)
        return bodies

    def drain(self) -> list[dict[str, Any]]:
        """Process what waits, and give the inputs of the executions of the repository."""
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "eventSource": "aws:sqs",
            }
            for message in self.messages()
        ]
        if records:
            assert self.stack.function("drain_intake")({"Records": records}, Context()) == {"batchItemFailures": []}
        return self.started()

    def started(self) -> list[dict[str, Any]]:
        states = self.stack.client("stepfunctions")
        listed = states.list_executions(stateMachineArn=self.stack.environment["STATE_MACHINE_ARN"])["executions"]
        inputs = [
            json.loads(states.describe_execution(executionArn=one["executionArn"])["input"])
            for one in sorted(listed, key=lambda one: one["startDate"])
        ]
        return inputs[self.earlier :]

    def deliver(self, commit: str, before: str) -> None:
        """Let the delivery of a push be processed, as it is taken from the queue."""
        event = Event(
            kind=EventKind.PUSH,
            repository=self.name,
            ref=MAIN,
            branch="main",
            before=before,
            after=commit,
            commit=commit,
            evidence=(uuid.uuid4().hex,),
        )
        message = QueuedEvent(source="gitea", received_at=datetime.now(UTC), event=event)
        self.stack.client("sqs").send_message(
            QueueUrl=self.queue,
            MessageBody=message.model_dump_json(by_alias=True),
            MessageGroupId="g",
            MessageDeduplicationId=uuid.uuid4().hex,
        )


def routes(server: GitServer, *repositories: str) -> dict[str, Any]:
    git = {"url": server.address("{repository}"), "token": TOKEN_NAME, "username": "ci"}
    when = {"branches": ["main", "release/*"], "tags": ["v*"]}
    return {
        "sources": {"gitea": {"provider": "gitea", "secrets": ["/amplify-jobs/secrets/gitea"], "git": git}},
        "routes": {
            f"route-{number}": {"source": "gitea", "when": {"push": {"repository": name, **when}}, "request": JOB}
            for number, name in enumerate(repositories)
        },
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, GitServer, str]]:
    root = tmp_path_factory.mktemp("git")
    (root / "acme").mkdir()
    with running_git_server(root, TOKEN) as server, serving() as stack, pytest.MonkeyPatch.context() as patch:
        queue = stack.client("sqs").create_queue(QueueName="intake.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        patch.setenv("INTAKE_QUEUE_URL", queue)
        patch.setenv("CODECOMMIT_REPOSITORIES", "")
        patch.setenv("SOURCES_PATH", "/amplify-jobs/sources")
        patch.setenv("WEBHOOKS_URL", "https://api.example.com/webhooks")
        patch.setenv("PRIVATE_HOSTS", f"127.0.0.1:{server.port}")
        stack.client("ssm").put_parameter(Name=TOKEN_NAME, Type="SecureString", Value=TOKEN)
        yield stack, server, queue


@pytest.fixture
def world(running: tuple[Stack, GitServer, str]) -> World:
    stack, server, queue = running
    server.requests.clear()
    server.faults.clear()
    folder = server.root / f"{NAME}.git"
    if folder.exists():
        folder.rename(server.root / uuid.uuid4().hex)
    s3 = stack.client("s3")
    for stored in s3.list_objects_v2(Bucket=BUCKET, Prefix="reconcile/").get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=stored["Key"])
    s3.put_object(Bucket=BUCKET, Key="routes.json", Body=json.dumps(routes(server, NAME)))
    for item in stack.jobs_table.scan()["Items"]:
        stack.jobs_table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
    result = World(stack, server, History(server.repository(NAME)), queue, 0)
    # Messages that an earlier test left.
    result.messages()
    result.earlier = len(result.started())
    result.commit()
    return result


def test_the_first_look_asks_for_nothing_and_takes_one_call(world: World) -> None:
    assert world.look()["first"] == [{"source": "gitea", "repository": world.name}]
    assert world.server.requests == [f"POST /{world.name}.git/git-upload-pack"]
    assert world.drain() == []


def test_a_push_is_asked_for_once_and_its_delivery_starts_nothing_more(world: World) -> None:
    before = world.source.commits[1]
    world.look()
    commit = world.commit()
    (push,) = world.look()["pushes"]
    assert push == {"source": "gitea", "repository": world.name, "ref": MAIN, "commit": commit}
    (request,) = world.drain()
    assert request["cause"]["commit"] == commit
    assert request["cause"]["deliveryId"].startswith("reconcile-")
    assert world.look()["missed"] == 0
    world.deliver(commit, before)
    assert len(world.drain()) == 1


def test_a_delivery_that_was_processed_leaves_nothing_to_ask_for(world: World) -> None:
    before = world.source.commits[1]
    world.look()
    commit = world.commit()
    world.deliver(commit, before)
    assert len(world.drain()) == 1
    assert world.look()["missed"] == 0


def test_a_push_may_take_some_minutes(world: World) -> None:
    world.look()
    world.commit()
    looked = world.look(afterMinutes=5)
    assert (looked["missed"], looked["waiting"]) == (0, 1)


def test_a_dry_run_tells_and_asks_for_nothing(world: World) -> None:
    world.look()
    world.commit()
    for _ in range(2):
        assert world.look(dryRun=True)["missed"] == 1
    assert world.drain() == []


def test_tags_are_asked_for_at_the_commit_behind_them(world: World) -> None:
    world.look()
    commit = world.source.commits[1]
    world.source.tag("v1", 1)
    world.look()
    (request,) = world.drain()
    assert (request["cause"]["tag"], request["cause"]["commit"]) == ("v1", commit)


@pytest.mark.parametrize("allows_filters", [False, True])
def test_what_commits_say_holds_as_for_a_delivery(world: World, allows_filters: bool) -> None:
    git(world.source.path, "config", "uploadpack.allowFilter", str(allows_filters).lower())
    # Without a filter it comes with its files, which are larger than what is read.
    large = {f"f{number}": random.Random(number).randbytes(1 << 20) for number in range(5)}
    world.look()
    world.commit(message="Skipped [skip ci]", files=large)
    world.commit("refs/heads/release/1", "Deploy", large)
    world.source.tag("v1", 2)
    shown = world.look()["pushes"]
    assert {push["ref"]: push.get("note") for push in shown} == {
        MAIN: "no job: route route-0: the head commit's message says [skip ci]",
        "refs/heads/release/1": None,
        "refs/tags/v1": "no job: route route-0: the head commit's message says [skip ci]",
    }
    (request,) = world.drain()
    assert [request["cause"][name] for name in ("branch", "author", "message")] == ["release/1", "A", "Deploy"]
    assert "a@example.com" not in json.dumps(request)
    assert world.look()["missed"] == 0


def test_a_push_whose_commit_can_t_be_read_waits_and_the_others_do_not(world: World) -> None:
    world.look()
    world.commit()
    world.server.faults.append(Fault("/info/refs?service=git-upload-pack", status=503))
    looked = world.look()
    assert (looked["missed"], looked["waiting"]) == (0, 1)
    assert world.drain() == []
    assert world.look()["missed"] == 1


def test_a_server_without_the_newer_protocol_is_asked_by_the_older_one(world: World) -> None:
    world.look()
    commit = world.commit()
    world.server.faults.append(Fault("/git-upload-pack", status=400))
    assert [push["commit"] for push in world.look()["pushes"]] == [commit]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("", status=503), "answered HTTP 503"),
        (Fault("", status=401), f"refused the token in SSM {TOKEN_NAME}"),
        (Fault("", status=404, times=2), "is not there, or the token"),
        (Fault("", cut_answer=5, times=2), "did not answer, or not to the end"),
    ],
)
def test_a_host_that_does_not_answer_is_told_and_its_pushes_are_found_later(
    world: World, fault: Fault, reason: str
) -> None:
    world.look()
    commit = world.commit()
    world.server.faults.append(fault)
    (unreached,) = world.look()["unreached"]
    assert reason in unreached["reason"]
    assert TOKEN not in json.dumps(unreached)
    world.server.faults.clear()
    assert [push["commit"] for push in world.look()["pushes"]] == [commit]


def test_ten_thousand_refs_are_one_call_and_one_object_and_a_commit_is_two_calls_more(world: World) -> None:
    commit = world.source.commits[1]
    lines = [f"{commit} refs/tags/v{number}\n" for number in range(10_000)]
    (world.source.path / "packed-refs").write_text(
        "".join(["# pack-refs with: sorted\n", *sorted(lines, key=lambda line: line[41:])])
    )
    assert world.look()["refs"] == 10_001
    world.commit()
    looked = world.look()
    assert (looked["refs"], looked["missed"]) == (10_001, 1)
    assert len(world.server.requests) == 1 + 1 + 2


def test_repositories_are_told_in_batches(world: World) -> None:
    names = [f"acme/r{number}" for number in range(45)]
    content = json.dumps(routes(world.server, *names))
    world.stack.client("s3").put_object(Bucket=BUCKET, Key="routes.json", Body=content)
    batches = world.stack.function("reconcile")({"order": {}}, Context())["batches"]
    assert [len(batch) for batch in batches] == [20, 20, 5]
    assert [one["repository"] for batch in batches for one in batch] == names


def test_without_routes_there_is_nothing_to_look_at(world: World) -> None:
    world.stack.client("s3").delete_object(Bucket=BUCKET, Key="routes.json")
    # One that has read them before goes on with what it has.
    assert Function("reconcile")({"order": {}}, Context()) == {"batches": []}


def test_a_repository_that_is_no_longer_in_the_routes_is_left_out(world: World) -> None:
    call = {"order": {}, "repositories": [{"source": "gitea", "repository": "acme/gone"}]}
    assert world.stack.function("reconcile")(call, Context())["repositories"] == 0


def test_a_call_of_another_form_is_refused(world: World) -> None:
    with pytest.raises(InvalidEventError, match="afterMinutes"):
        world.stack.function("reconcile")({"order": {"afterMinutes": -1}}, Context())


def test_the_example_is_a_call(world: World) -> None:
    event = json.loads((REPOSITORY / "events" / "reconcile.json").read_text())
    assert world.stack.function("reconcile")(event, Context())["repositories"] == 1
