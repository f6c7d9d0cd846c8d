"""The local cloud starts, says what it can't run, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
import yaml

from local.cloud import CloudSettings, LocalCloud
from local.server.http_server import PortOccupiedError
from local.template.loader import TemplateError

STACK = Path(__file__).parent / "stack" / "template.yaml"
NODE_FUNCTION = {"Runtime": "nodejs22.x", "Handler": "a.b", "CodeUri": "x"}
PROJECT = Path(__file__).parents[2]


def test_it_can_start_again_on_its_ports_with_nothing_left() -> None:
    ports = (0, 0)
    for _ in range(2):
        with LocalCloud(STACK, CloudSettings(aws_port=ports[0], http_port=ports[1])) as cloud:
            ports = tuple(int(url.rpartition(":")[2]) for url in (cloud.endpoint_url, cloud.api_url))  # type: ignore[assignment]
            sqs: Any = boto3.client(
                "sqs",
                endpoint_url=cloud.endpoint_url,
                region_name=cloud.region,
                aws_access_key_id="AKID",
                aws_secret_access_key="secret",
            )
            queue = cloud.physical_id("Inbox")
            assert "Messages" not in sqs.receive_message(QueueUrl=queue)
            sqs.send_message(QueueUrl=queue, MessageBody="left behind")
            cloud.functions.invoke("amplify-jobs-probe", b"{}")
            [pid] = cloud.functions.pids("amplify-jobs-probe")
            sqs.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not cloud.state_dir.exists()


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortOccupiedError, match=f"port {port} can't be used"):
            LocalCloud(STACK, CloudSettings(aws_port=port, http_port=0))


def test_parameters_go_over_the_template_s() -> None:
    with LocalCloud(
        STACK, CloudSettings(aws_port=0, http_port=0, parameters={"Greeting": "grr"}, stack_name="rude")
    ) as cloud:
        assert cloud.outputs["Rude"] == cloud.physical_id("RudeQueue")
        assert cloud.physical_id("RudeQueue").endswith("/rude-RudeQueue")


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ({"Type": "AWS::RDS::DBInstance"}, r"Thing \(AWS::RDS::DBInstance\): the local cloud can't run"),
        ({"Type": "AWS::SQS::Queue", "Properties": {"Colour": "red"}}, r"Thing .*does not know the property 'Colour'"),
        ({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Gone"}}}, "called 'Gone'"),
        ({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Thing"}}}, "circle: Thing -> Thing"),
        ({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "bad name"}}, "Thing .*alphanumeric"),
        (
            {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 day)"}},
            "Thing .*schedule, which the local cloud does not run",
        ),
        (
            {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"a": [{"soundex": "b"}]}}},
            "Thing .*'soundex' at a is not known",
        ),
        (
            {"Type": "AWS::S3::Bucket", "Properties": {"NotificationConfiguration": {"TopicConfigurations": []}}},
            "Thing .*EventBridge only, not by TopicConfigurations",
        ),
        (
            {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
                    "FunctionName": "f",
                },
            },
            "Thing .*maps queues to functions, not arn:aws:kinesis",
        ),
        (
            {"Type": "AWS::Serverless::Function", "Properties": NODE_FUNCTION},
            "Thing .*Python functions only",
        ),
    ],
)
def test_what_it_can_t_run_stops_it(tmp_path: Path, resource: dict[str, Any], message: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(yaml.safe_dump({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Thing": resource}}))
    cloud = LocalCloud(path, CloudSettings(aws_port=0, http_port=0))
    with pytest.raises(TemplateError, match=message):
        cloud.start()


@contextmanager
def running(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "local", *arguments]
    environment = {**os.environ, **variables}
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=PROJECT, env=environment, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.thorough)])
def test_the_command_says_when_it_is_ready_and_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    ports = {"LOCAL_AWS_PORT": "0", "LOCAL_HTTP_PORT": "0"}
    with running("--template", str(STACK), "--state-dir", str(tmp_path), **ports) as process:
        assert process.stdout is not None
        lines = []
        while (line := process.stdout.readline().rstrip()) != "ready":
            lines.append(line)
            assert process.poll() is None
        text = "\n".join(lines)
        assert "to list them: .venv/bin/python -m local --left-out" in text
        assert re.search(r"policies +of [1-9][0-9]* roles are enforced", text)
        url = re.search(r"HTTP API +(http://\S+)", text)
        assert url
        with urlopen(f"{url[1]}/health") as answer:
            assert answer.status == 200
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_the_command_says_in_one_line_why_it_can_t_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        with running("--state-dir", str(tmp_path), LOCAL_AWS_PORT=port) as process:
            out, error = process.communicate(timeout=30)
    assert process.returncode == 1
    assert out == ""
    assert error.count("\n") == 1
    assert f"port {port} can't be used" in error


def test_the_project_s_own_template_runs(tmp_path: Path) -> None:
    with LocalCloud(PROJECT / "template.yaml", CloudSettings(aws_port=0, http_port=0, state_dir=tmp_path)) as cloud:
        with urlopen(f"{cloud.api_url}/health") as answer:
            assert answer.status == 200
        assert sorted(cloud.http_api.route_keys) == [
            "GET /badges/{name}",
            "GET /branches",
            "GET /deliveries",
            "GET /deliveries/{deliveryId}",
            "GET /health",
            "GET /requests",
            "GET /requests/{requestId}",
            "GET /requests/{requestId}/log",
            "GET /routes",
            "GET /schedules",
            "POST /deliveries/{deliveryId}/replay",
            "POST /requests",
            "POST /requests/{requestId}/replay",
            "POST /requests/{requestId}/retry",
            "POST /requests/{requestId}/stop",
            "POST /rollbacks",
            "POST /webhooks/{source}",
        ]
        assert cloud.outputs["StateMachineArn"] == cloud.physical_id("JobStateMachine")


@pytest.mark.thorough
def test_reserved_concurrency_throttles_the_function_that_takes_deliveries(tmp_path: Path) -> None:
    settings = CloudSettings(
        aws_port=0, http_port=0, state_dir=tmp_path, parameters={"WebhookReservedConcurrency": "1"}
    )
    with LocalCloud(PROJECT / "template.yaml", settings) as cloud:
        # The function reads its routes first, and waits for them here.
        cloud.faults.inject({"service": "s3", "operation": "GetObject", "fault": "delay", "seconds": 5, "times": 2})
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: deliver(cloud.api_url), range(2)))
        throttled = (503, {"message": "Service Unavailable"})
        assert answers.count(throttled) == 1, "Lambda throttles the second one, and API Gateway says so"
        cloud.faults.clear()
        assert deliver(cloud.api_url) != throttled, "once the function is free again, it takes deliveries"
        client: Any = boto3.client(
            "lambda",
            endpoint_url=cloud.endpoint_url,
            region_name=cloud.region,
            aws_access_key_id="AKID",
            aws_secret_access_key="secret",
        )
        answer = client.get_function(FunctionName=cloud.physical_id("ReceiveWebhookFunction"))
        assert answer["Concurrency"] == {"ReservedConcurrentExecutions": 1}


def deliver(api_url: str) -> tuple[int, Any]:
    """The status and the body that a delivery is answered with."""
    request = urllib.request.Request(f"{api_url}/webhooks/nobody", b"{}", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
