"""receive_webhook against moto: what a delivery is answered, what it starts, and what is logged."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from aws_lambda_powertools import Logger
from werkzeug.wrappers import Request, Response

from amplify_jobs.events.http_request import LARGEST_BODY
from amplify_jobs.events.webhooks import github
from tests.support.aws_stand_in import AwsStandIn, serving_aws
from tests.support.github_pushes import NEW, OLD, ROUTES, SECRET, SECRET_NAME, as_base64, delivery, push
from tests.support.intake_stack import Clients, IntakeStack

REPOSITORY = Path(__file__).parents[2]
EVENT_FILE = REPOSITORY / "events" / "receive_webhook.push.json"
ROUTES_AT_TWO = {**ROUTES, "routes": {"web": ROUTES["routes"]["web"], "docs": ROUTES["routes"]["web"]}}


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsStandIn]:
    with serving_aws() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def clients(aws: AwsStandIn) -> Clients:
    return Clients.of(aws)


@dataclass(frozen=True)
class Stack(IntakeStack):
    """The stack with the routes and the secret of the tests."""

    def new_function(self, name: str = "receive_webhook") -> Callable[..., Any]:
        return super().new_function(name)


@pytest.fixture
def stack(aws: AwsStandIn, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Stack:
    stack = Stack.create(aws, clients, monkeypatch)
    stack.ssm.put_parameter(Name=SECRET_NAME, Type="SecureString", Value=SECRET)
    stack.push_routes(ROUTES)
    aws.calls.clear()
    return stack


def content(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["headers"]["Content-Type"] == "application/json"
    parsed: dict[str, Any] = json.loads(answer["body"])
    return parsed


class TestAccepted:
    def test_a_push_starts_one_execution_that_bears_the_request_id(self, stack: Stack) -> None:
        answer = stack.new_function()(delivery(push()))

        assert answer["statusCode"] == 202
        (request,) = content(answer)["requests"]
        assert request == {
            "requestId": request["requestId"],
            "route": "web",
            "operation": "start_job",
            "duplicate": False,
        }
        (execution,) = stack.executions()
        assert execution["name"] == request["requestId"]
        job_request = json.loads(execution["input"])
        assert job_request.pop("receivedAt")
        job_request["cause"] = {name: value for name, value in job_request["cause"].items() if value is not None}
        assert {name: value for name, value in job_request.items() if value is not None} == {
            "version": "1",
            "requestId": request["requestId"],
            "route": "web",
            "operation": "start_job",
            "parameters": {
                "appId": "d1a2b3c4d5e6",
                "branchName": "main",
                "jobType": "RELEASE",
                "commitId": NEW,
                "commitMessage": "Say hello\n\nFor real",
                "commitTime": "2026-01-31T12:00:00+01:00",
            },
            "timeoutMinutes": 45,
            "startWithinMinutes": 360,
            "onTimeout": "leave",
            "retry": 0,
            "retryWhen": "failed",
            "supersede": False,
            "eventTime": "2026-01-31T11:00:00Z",
            "cause": {
                "source": "github",
                "kind": "push",
                "repository": "acme/web",
                "ref": "refs/heads/main",
                "branch": "main",
                "commit": NEW,
                "message": "Say hello\n\nFor real",
                "author": "Ada",
                "deliveryId": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            },
        }

    def test_the_answer_says_what_was_understood(self, stack: Stack) -> None:
        (event,) = content(stack.new_function()(delivery(push())))["events"]
        assert event == {
            "kind": "push",
            "repository": "acme/web",
            "ref": "refs/heads/main",
            "branch": "main",
            "tag": None,
            "before": OLD,
            "after": NEW,
            "commit": NEW,
            "message": "Say hello\n\nFor real",
            "author": "Ada",
            "created": False,
            "deleted": False,
            "forced": False,
            "changedFiles": ["hello.html", "index.html"],
            "pullRequest": None,
            "release": None,
        }

    def test_every_matching_route_makes_its_own_request(self, stack: Stack) -> None:
        stack.push_routes(ROUTES_AT_TWO)
        answer = stack.new_function()(delivery(push("release/1")))
        assert [request["route"] for request in content(answer)["requests"]] == ["web", "docs"]
        assert len(stack.executions()) == 2

    def test_a_base64_body_is_verified_as_the_bytes_that_it_encodes(self, stack: Stack) -> None:
        assert stack.new_function()(as_base64(delivery(push())))["statusCode"] == 202

    def test_a_form_is_signed_as_a_whole(self, stack: Stack) -> None:
        form = b"payload=" + quote_plus(json.dumps(push())).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert stack.new_function()(delivery(form, headers=headers))["statusCode"] == 202

    def test_the_largest_input_stays_below_what_step_functions_takes(self, stack: Stack) -> None:
        payload = push(head_commit={**push()["head_commit"], "message": "\x01" * 500_000})
        stack.new_function()(delivery(payload))
        (execution,) = stack.executions()
        assert len(execution["input"].encode()) < 256 * 1024


class TestDuplicates:
    def test_the_same_event_again_is_a_duplicate_whatever_its_delivery_id(self, stack: Stack) -> None:
        function = stack.new_function()
        first = function(delivery(push()))
        again = function(delivery(push(), headers={"x-github-delivery": "another"}))
        assert again["statusCode"] == 202
        assert content(first)["requests"][0]["duplicate"] is False
        assert content(again)["requests"][0] == {**content(first)["requests"][0], "duplicate": True}
        assert len(stack.executions()) == 1

    def test_the_same_event_after_the_execution_ended_is_a_duplicate(self, stack: Stack) -> None:
        stack.new_function()(delivery(push()))
        (execution,) = stack.executions()
        if execution["status"] == "RUNNING":
            stack.states.stop_execution(executionArn=execution["executionArn"])
        again = stack.new_function()(delivery(push()))
        assert content(again)["requests"][0]["duplicate"] is True
        assert len(stack.executions()) == 1

    # tests/end_to_end/test_job.py delivers ten at once too.
    @pytest.mark.thorough
    def test_ten_at_once_start_one_execution(self, stack: Stack, tmp_path: Path) -> None:
        with ThreadPoolExecutor(10) as pool:
            runs = [
                pool.submit(stack.in_a_process, "receive_webhook", delivery(push()), tmp_path / str(number))
                for number in range(10)
            ]
        answers = [run.result()[0] for run in runs]
        assert [answer["statusCode"] for answer in answers] == [202] * 10
        assert sorted(content(answer)["requests"][0]["duplicate"] for answer in answers) == [False] + [True] * 9
        assert len(stack.executions()) == 1

    def test_a_pushed_back_and_forth_is_no_duplicate(self, stack: Stack) -> None:
        function = stack.new_function()
        repository = push()["repository"]
        for pushed_at in (1769857200, 1769857260):
            function(delivery(push(repository={**repository, "pushed_at": pushed_at})))
        assert len(stack.executions()) == 2


def test_nothing_to_do_is_200_with_the_reason(stack: Stack) -> None:
    answer = stack.new_function()(delivery(push("dev")))
    assert (answer["statusCode"], content(answer)["requests"]) == (200, [])
    (ignored,) = content(answer)["ignored"]
    assert ignored["route"] == "web"
    assert "branch dev does not match main, release/*" in ignored["reason"]
    assert stack.executions() == []


BODY = json.dumps(push()).encode()
# What else is refused, and why, is in tests/unit/intake/test_accept.py.
REFUSED = [
    pytest.param(delivery(BODY, secret="another"), 401, "was not made with a secret", id="wrong secret"),
    pytest.param(delivery(BODY, source="gitlab"), 404, "no source", id="unknown source"),
    pytest.param(delivery(b"x" * (LARGEST_BODY + 1)), 413, "at most 5242880 (5 MiB)", id="too large"),
    pytest.param({**delivery(BODY), "isBase64Encoded": True}, 400, "can't be decoded", id="not base64"),
    pytest.param(
        {**delivery(BODY), "headers": {"a": [SECRET]}}, 400, "headers.a: Input should be a valid", id="no text"
    ),
    pytest.param({"headers": {}}, 400, "pathParameters: Field required", id="no source at all"),
]


@pytest.mark.parametrize(("event", "status", "message"), REFUSED)
def test_what_is_wrong_is_refused_and_named(stack: Stack, event: dict[str, Any], status: int, message: str) -> None:
    answer = stack.new_function()(event)
    assert answer["statusCode"] == status
    assert message in content(answer)["message"]
    assert "Traceback" not in answer["body"]
    assert SECRET not in answer["body"]
    assert stack.executions() == []


def test_a_ref_of_no_use_is_ignored_with_the_reason(stack: Stack) -> None:
    answer = stack.new_function()(delivery(push("-f")))
    assert answer["statusCode"] == 200
    (ignored,) = content(answer)["ignored"]
    assert ignored["route"] is None
    assert "opens with '-'" in ignored["reason"]
    assert stack.executions() == []


class TestTrouble:
    def test_a_delivery_that_is_not_taken_is_logged_by_its_id_whatever_fails(self, stack: Stack) -> None:
        """With S3 and SSM out of order not even the host is known."""
        stack.aws.answers_left.update({"s3": 0, "ssm": 0, "sqs": 0})
        function, event, written = stack.new_function(), delivery(push()), io.StringIO()
        headers = {name: value for name, value in event["headers"].items() if name != "x-github-delivery"}
        # The function's own: Powertools has one logger of a service in a process.
        Logger().registered_handler.setStream(written)  # type: ignore[attr-defined]  # a StreamHandler
        assert function({**event, "headers": {**headers, "x-gitea-delivery": "the-id"}})["statusCode"] == 503
        lines = [json.loads(line) for line in written.getvalue().splitlines()]
        assert [line["delivery_id"] for line in lines if line["message"] == "Delivery not accepted"] == ["the-id"]

    def test_nobody_at_the_endpoint_is_503(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        assert stack.new_function()(delivery(push()))["statusCode"] == 503

    def test_before_the_first_push_of_routes_it_is_503(self, stack: Stack) -> None:
        stack.s3.delete_object(Bucket="bucket", Key="routes.json")
        answer = stack.new_function()(delivery(push()))
        assert answer["statusCode"] == 503
        assert int(answer["headers"]["Retry-After"]) > 0
        assert set(content(answer)) == {"message"}

    def test_a_source_whose_secret_nobody_made_is_503(self, stack: Stack) -> None:
        stack.ssm.delete_parameter(Name=SECRET_NAME)
        assert stack.new_function()(delivery(push()))["statusCode"] == 503

    def test_a_warm_function_serves_without_s3_and_ssm(self, stack: Stack) -> None:
        function = stack.new_function()
        function(delivery(push()))
        stack.aws.answers_left.update({"s3": 0, "ssm": 0})
        assert function(delivery(push("release/2")))["statusCode"] == 202


class TestUnverified:
    """What can't be verified now is kept as it came, and verified when it comes out of the queue."""

    @pytest.mark.parametrize("service", ["s3", "ssm"])
    def test_it_becomes_the_very_request_that_it_would_have_been(self, stack: Stack, service: str) -> None:
        stack.aws.answers_left[service] = 0
        function = stack.new_function()
        answer = function(delivery(push()))
        assert answer["statusCode"] == 202
        assert content(answer)["deferred"] == [{"kind": "delivery", "repository": None, "ref": None}]
        assert content(answer)["requests"] == content(answer)["events"] == []
        assert service not in answer["body"]

        stack.aws.answers_left.clear()
        assert stack.drain() == {"batchItemFailures": []}
        (execution,) = stack.executions()
        assert json.loads(execution["input"])["cause"]["deliveryId"] == "72d3162e-cc78-11e3-81ab-4c9367dc0958"
        again = content(function(delivery(push())))["requests"]
        assert [(one["requestId"], one["duplicate"]) for one in again] == [(execution["name"], True)]

    @pytest.mark.parametrize("routes", ["not routes", {"routes": {"web": {}}}])
    def test_while_the_routes_are_broken_it_waits_for_better_ones(self, stack: Stack, routes: Any) -> None:
        stack.push_routes(routes)
        assert stack.new_function()(delivery(push()))["statusCode"] == 202
        (message,) = stack.messages()
        assert len(stack.drain([message])["batchItemFailures"]) == 1
        stack.push_routes(ROUTES)
        assert stack.drain([message]) == {"batchItemFailures": []}
        assert len(stack.executions()) == 1

    @pytest.mark.parametrize("change", [{"secret": "another"}, {"source": "gitlab"}], ids=str)
    def test_a_strangers_starts_nothing_and_does_not_come_again(self, stack: Stack, change: dict[str, Any]) -> None:
        stack.aws.answers_left.update({"s3": 0, "ssm": 0})
        assert stack.new_function()(delivery(push(), **change))["statusCode"] == 202
        stack.aws.answers_left.clear()
        assert stack.drain() == {"batchItemFailures": []}
        assert stack.executions() == []

    def test_a_hosts_token_is_in_no_line_and_no_answer(self, stack: Stack, tmp_path: Path) -> None:
        stack.aws.answers_left["ssm"] = 0
        event = delivery(push(), headers={"x-gitlab-token": "a token of gitlab", "authorization": "Basic dXNlcjpwYXNz"})
        answer, written = stack.in_a_process("receive_webhook", event, tmp_path / "answer")
        assert answer["statusCode"] == 202
        for unspoken in ("a token of gitlab", "dXNlcjpwYXNz", event["headers"]["x-hub-signature-256"]):
            assert unspoken not in written + answer["body"]

    def test_a_large_one_lies_in_the_bucket(self, stack: Stack) -> None:
        stack.aws.answers_left["ssm"] = 0
        large = push(padding="x" * 1_000_000)
        assert stack.new_function()(delivery(large))["statusCode"] == 202
        (stored,) = stack.s3.list_objects_v2(Bucket="bucket", Prefix="requests/intake/")["Contents"]
        assert stored["Size"] > 1_000_000
        stack.aws.answers_left.clear()
        assert stack.drain() == {"batchItemFailures": []}
        assert len(stack.executions()) == 1

    def test_all_that_a_delivery_needs_is_tried_for_seconds(self, stack: Stack) -> None:
        throttled = Response('{"__type": "ThrottlingException"}', 400)
        answers = [throttled, throttled, throttled]
        moto = stack.aws.moto

        class Ssm:
            def handle(self, service: str, request: Request) -> Response:
                return answers.pop() if answers else moto.handle(service, request)

        stack.aws.services["ssm"] = Ssm()
        event = {**delivery(push()), "requestContext": {"timeEpoch": int(time.time() * 1000)}}
        try:
            answer = stack.new_function()(event)
        finally:
            del stack.aws.services["ssm"]
        assert (answer["statusCode"], len(content(answer)["requests"])) == (202, 1)


class TestDeferring:
    """What is verified is kept, and comes out of the queue as the request that it would have been."""

    @pytest.mark.parametrize("down", [["states"], ["states", "s3"]], ids=str)
    def test_one_with_many_files_is_kept_whole_or_without_its_files(self, stack: Stack, down: list[str]) -> None:
        push_of_files = push(
            commits=[{**push()["head_commit"], "added": [f"file-{n}-" + "x" * 80 for n in range(20_000)]}]
        )
        function = stack.new_function()
        function(delivery(push("release/warm")))
        stack.aws.answers_left.update(dict.fromkeys(down, 0))
        assert function(delivery(push_of_files))["statusCode"] == 202
        (message,) = stack.messages()
        assert len(message["Body"]) < 1_048_576
        stack.aws.answers_left.clear()
        assert stack.drain([message]) == {"batchItemFailures": []}
        assert len(stack.executions()) == 2

    def test_a_deferred_event_becomes_the_very_request_that_it_would_have_been(self, stack: Stack) -> None:
        stack.aws.answers_left["states"] = 0
        function = stack.new_function()
        function(delivery(push()))
        (message,) = stack.messages()
        stack.aws.answers_left.clear()

        drained = stack.drain([message])
        assert drained == {"batchItemFailures": []}
        (execution,) = stack.executions()
        assert json.loads(execution["input"])["cause"]["deliveryId"] == "72d3162e-cc78-11e3-81ab-4c9367dc0958"
        again = content(function(delivery(push())))["requests"]
        assert [(one["requestId"], one["duplicate"]) for one in again] == [(execution["name"], True)]

    def test_when_the_second_start_fails_both_are_done_once(self, stack: Stack) -> None:
        stack.push_routes(ROUTES_AT_TWO)
        stack.aws.answers_left["states"] = 1
        answer = content(stack.new_function()(delivery(push())))
        assert [request["route"] for request in answer["requests"]] == ["web"]
        assert len(answer["deferred"]) == 1
        (message,) = stack.messages()
        stack.aws.answers_left.clear()

        stack.drain([message])
        assert sorted(execution["name"].rpartition("-")[0] for execution in stack.executions()) == ["docs", "web"]

    def test_without_routes_the_copy_of_the_source_lets_the_delivery_in(self, stack: Stack) -> None:
        stack.ssm.put_parameter(
            Name="/amplify-jobs/sources/github", Type="String", Value=json.dumps(ROUTES["sources"]["github"])
        )
        stack.aws.answers_left["s3"] = 0
        answer = stack.new_function()(delivery(push()))
        assert answer["statusCode"] == 202
        assert len(content(answer)["deferred"]) == 1
        assert len(stack.messages()) == 1
        assert stack.aws.calls.count("s3") == 2, "who waits for the routes waits once"

    def test_the_same_event_is_deferred_once(self, stack: Stack) -> None:
        stack.aws.answers_left["states"] = 0
        function = stack.new_function()
        for number in range(2):
            assert function(delivery(push(), headers={"x-github-delivery": f"d-{number}"}))["statusCode"] == 202
        assert len(stack.messages()) == 1

    def test_when_the_queue_fails_too_it_is_503_and_redelivery_works_afterwards(self, stack: Stack) -> None:
        stack.aws.answers_left.update({"states": 0, "sqs": 0})
        function = stack.new_function()
        answer = function(delivery(push()))
        assert answer["statusCode"] == 503
        assert int(answer["headers"]["Retry-After"]) > 0
        assert set(content(answer)) == {"message"}

        stack.aws.answers_left.clear()
        assert content(function(delivery(push())))["requests"][0]["duplicate"] is False
        assert stack.messages() == []


@pytest.mark.parametrize("secrets", [["new", "old"], ["old", "new"]])
def test_while_secrets_rotate_both_are_taken(stack: Stack, secrets: list[str]) -> None:
    names = ["/amplify-jobs/secrets/one", "/amplify-jobs/secrets/two", "/amplify-jobs/secrets/not-yet"]
    for name, value in zip(names, secrets, strict=False):
        stack.ssm.put_parameter(Name=name, Type="SecureString", Value=value)
    stack.push_routes({**ROUTES, "sources": {"github": {"provider": "github", "secrets": names}}})
    function = stack.new_function()
    for branch, secret in enumerate(secrets):
        assert function(delivery(push(f"release/{branch}"), secret=secret))["statusCode"] == 202


class TestLogs:
    def test_every_line_of_a_request_carries_what_it_is_found_by(self, stack: Stack, tmp_path: Path) -> None:
        answer, written = stack.in_a_process("receive_webhook", delivery(push()), tmp_path / "answer")
        lines = [line for line in map(json.loads, written.splitlines()) if line.get("message") == "Accepted"]
        (line,) = lines
        assert line["request_id"] == content(answer)["requests"][0]["requestId"]
        assert line["delivery_id"] == "72d3162e-cc78-11e3-81ab-4c9367dc0958"
        assert (line["source"], line["app_id"], line["branch_name"]) == ("github", "d1a2b3c4d5e6", "main")

    def test_metrics_count_what_was_accepted(self, stack: Stack, tmp_path: Path) -> None:
        _, written = stack.in_a_process("receive_webhook", delivery(push()), tmp_path / "answer")
        (metrics,) = [line for line in map(json.loads, written.splitlines()) if "_aws" in line]
        assert metrics["Deliveries"] == metrics["RequestsAccepted"] == [1.0]

    @pytest.mark.parametrize("secret", [SECRET, "a wrong one"])
    def test_no_secret_and_no_signature_is_written(self, stack: Stack, tmp_path: Path, secret: str) -> None:
        event = delivery(push(), secret=secret, headers={"authorization": "Bearer abcdef"})
        answer, written = stack.in_a_process("receive_webhook", event, tmp_path / "answer")
        assert written
        signature = event["headers"]["x-hub-signature-256"].removeprefix("sha256=")
        right = github.sign(SECRET, event["body"].encode()).removeprefix("sha256=")
        for unspoken in (SECRET, signature, right, "Bearer"):
            assert unspoken not in written
            assert unspoken not in answer["body"]


def test_the_example_event_is_accepted(stack: Stack) -> None:
    event = json.loads(EVENT_FILE.read_text())
    stack.ssm.put_parameter(Name=SECRET_NAME, Type="SecureString", Value="example-secret", Overwrite=True)
    assert stack.new_function()(event)["statusCode"] == 202
