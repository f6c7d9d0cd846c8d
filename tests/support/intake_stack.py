"""What the template makes of a stack, as far as receive_webhook, receive_event and drain_intake need it, in moto."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import boto3
import pytest

from tests.support.aws_stand_in import AwsStandIn

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CreateBucketConfigurationTypeDef
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_ssm.client import SSMClient
    from mypy_boto3_stepfunctions.client import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

REPOSITORY = Path(__file__).parents[2]
_IN_A_PROCESS = """
import importlib.util, json, sys
from types import SimpleNamespace
spec = importlib.util.spec_from_file_location("handler", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
context = SimpleNamespace(function_name="f", memory_limit_in_mb=1, aws_request_id="r", invoked_function_arn="a")
with open(sys.argv[2], "w") as answer:
    json.dump(module.handler(json.load(sys.stdin), context), answer)
"""


@dataclass(frozen=True)
class Clients:
    """The test's own way to AWS."""

    s3: S3Client
    sqs: SQSClient
    ssm: SSMClient
    states: SFNClient

    @classmethod
    def of(cls, aws: AwsStandIn) -> Self:
        session = boto3.Session("AKIATEST", "test", region_name="eu-west-1")
        return cls(
            s3=session.client("s3", endpoint_url=aws.url),
            sqs=session.client("sqs", endpoint_url=aws.url),
            ssm=session.client("ssm", endpoint_url=aws.url),
            states=session.client("stepfunctions", endpoint_url=aws.url),
        )


@dataclass(frozen=True)
class IntakeStack(Clients):
    """A new stack whose functions find it by their environment."""

    aws: AwsStandIn
    environment: dict[str, str]

    @classmethod
    def create(cls, aws: AwsStandIn, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Self:
        aws.reset()
        location: CreateBucketConfigurationTypeDef = {"LocationConstraint": "eu-west-1"}
        clients.s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=location)
        machine = clients.states.create_state_machine(
            name="job",
            definition=json.dumps({"StartAt": "Job", "States": {"Job": {"Type": "Pass", "End": True}}}),
            roleArn="arn:aws:iam::123456789012:role/machine",
        )
        queue = clients.sqs.create_queue(
            QueueName="intake.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "1000"}
        )
        environment = {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": "test",
            "BUCKET_NAME": "bucket",
            "ROUTES_KEY": "routes.json",
            "SOURCES_PATH": "/amplify-jobs/sources",
            "STATE_MACHINE_ARN": machine["stateMachineArn"],
            "INTAKE_QUEUE_URL": queue["QueueUrl"],
            "JOBS_TABLE": "jobs",
            "INDEX_QUEUE_URL": clients.sqs.create_queue(QueueName="index")["QueueUrl"],
            "POWERTOOLS_SERVICE_NAME": "amplify-jobs",
            "POWERTOOLS_METRICS_NAMESPACE": "amplify-jobs",
            "LOG_LEVEL": "INFO",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return cls(clients.s3, clients.sqs, clients.ssm, clients.states, aws, environment)

    def push_routes(self, routes: Any) -> None:
        self.s3.put_object(Bucket="bucket", Key="routes.json", Body=json.dumps(routes).encode())

    def new_function(self, name: str) -> Callable[..., Any]:
        """A function that just started: the module is loaded anew, with nothing cached."""
        path = REPOSITORY / "functions" / name / "handler.py"
        spec = importlib.util.spec_from_file_location(f"{name}_handler", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)

        def invoke(event: Any, invocation_id: str = "i-1") -> Any:
            context = SimpleNamespace(
                function_name=name,
                memory_limit_in_mb=512,
                aws_request_id=invocation_id,
                invoked_function_arn="arn:aws:lambda",
            )
            return module.handler(event, context)

        return invoke

    def in_a_process(self, name: str, event: Any, answer: Path) -> tuple[dict[str, Any], str]:
        """Run a function as Lambda does, in a process of its own: its answer, by that file, and all that it wrote."""
        run = subprocess.run(
            [sys.executable, "-c", _IN_A_PROCESS, str(REPOSITORY / "functions" / name / "handler.py"), str(answer)],
            input=json.dumps(event),
            env={**os.environ, **self.environment, "PYTHONPATH": str(REPOSITORY / "layers" / "core")},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return json.loads(answer.read_text()), run.stdout + run.stderr

    def executions(self) -> list[DescribeExecutionOutputTypeDef]:
        """All executions, oldest first."""
        listed = self.states.list_executions(stateMachineArn=self.environment["STATE_MACHINE_ARN"])["executions"]
        listed.sort(key=lambda execution: execution["startDate"])
        return [self.states.describe_execution(executionArn=listing["executionArn"]) for listing in listed]

    def inputs(self) -> list[dict[str, Any]]:
        """The inputs of all executions, oldest first."""
        return [json.loads(execution["input"]) for execution in self.executions()]

    def messages(self) -> list[Any]:
        """Receive what waits in the intake queue."""
        answer = self.sqs.receive_message(
            QueueUrl=self.environment["INTAKE_QUEUE_URL"],
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def message_count(self) -> int:
        """How many messages are in the intake queue, those that were received among them."""
        counts = self.sqs.get_queue_attributes(
            QueueUrl=self.environment["INTAKE_QUEUE_URL"],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(map(int, counts.values()))

    def drain(self, messages: list[Any] | None = None) -> Any:
        """Hand messages, or all that wait, to drain_intake in a process that has read nothing yet."""
        records = [record(message) for message in (self.messages() if messages is None else messages)]
        return self.new_function("drain_intake")({"Records": records})


def record(message: Any) -> dict[str, Any]:
    """A message as an event source mapping hands it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "eventSource": "aws:sqs",
    }
