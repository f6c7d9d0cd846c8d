"""Executions against moto: a request too large for an input is started all the same, by what lies in the bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from amplify_jobs.aws.executions import Executions
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.errors import RequestRejected, ServiceTrouble
from amplify_jobs.model.request import JobRequest
from tests.support.stack import BUCKET, REGION, Stack, any_request, execution_of, payload_of, serving

DEFINITION = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


@pytest.fixture(scope="module")
def machine(stack: Stack) -> str:
    result = stack.client("stepfunctions").create_state_machine(
        name="amplify-jobs", definition=json.dumps(DEFINITION), roleArn="arn:aws:iam::123456789012:role/jobs"
    )
    return str(result["stateMachineArn"])


@pytest.fixture
def executions(stack: Stack, machine: str) -> Iterator[Executions]:
    yield Executions(AwsHttp(REGION, stack.url), machine, BUCKET)
    stack.faults.clear()


def codegen(schema: str) -> Any:
    job = {"renderConfig": {"react": {}}, "graphqlSchema": schema}
    return any_request(
        "start_codegen_job", {"appId": "d1a2b3c4d5e6", "environmentName": "dev", "codegenJobToCreate": job}
    )


def given_to(stack: Stack, request: dict[str, Any]) -> Any:
    described = stack.client("stepfunctions").describe_execution(executionArn=execution_of(request))
    return json.loads(described["input"])


def test_a_large_request_is_started_by_what_lies_in_the_bucket(stack: Stack, executions: Executions) -> None:
    request = codegen("type Post @model { id: ID! } #" + "x" * 300_000)
    assert executions.start(JobRequest.model_validate(request))
    parameters = given_to(stack, request)
    assert parameters["parameters"] == {"appId": "d1a2b3c4d5e6", "environmentName": "dev"}
    assert parameters["parametersUri"] == f"s3://{BUCKET}/requests/{request['requestId']}.json"
    answer = stack.function("start_job")(payload_of(parameters))
    assert answer["job"]["job"]["environmentName"] == "dev"
    assert set(stack.ui_builder.calls[-1][1]["codegenJobToCreate"]["genericDataSchema"]["models"]) == {"Post"}


def test_a_small_request_travels_whole(stack: Stack, executions: Executions) -> None:
    request = codegen("type Post @model { id: ID! }")
    assert executions.start(JobRequest.model_validate(request))
    assert given_to(stack, request)["parameters"] == request["parameters"]


def test_a_large_request_that_references_parameters_already_is_rejected(stack: Stack, executions: Executions) -> None:
    """An input has one reference: whatever it named, the other parameters would be lost."""
    request = codegen("x" * 150_000) | {"parametersUri": f"s3://{BUCKET}/requests/forms.json"}
    assert executions.start(JobRequest.model_validate(request))
    with pytest.raises(RequestRejected, match="put large parameters into the object that parametersUri names"):
        stack.function("start_job")(payload_of(given_to(stack, request)))


def test_a_small_request_may_reference_parameters(stack: Stack, executions: Executions) -> None:
    request = codegen("type Post @model { id: ID! }") | {"parametersUri": f"s3://{BUCKET}/requests/forms.json"}
    assert executions.start(JobRequest.model_validate(request))
    assert given_to(stack, request)["parametersUri"] == request["parametersUri"]


@pytest.mark.parametrize("status", [403, 503])
def test_a_large_request_that_cannot_be_kept_is_not_started(stack: Stack, executions: Executions, status: int) -> None:
    stack.faults.inject(
        {"service": "s3", "operation": "PutObject", "fault": "refuse", "times": 2, "code": "Refused", "message": "no",
         "status": status}
    )  # fmt: skip
    request = codegen("x" * 300_000)
    with pytest.raises(ServiceTrouble):
        executions.start(JobRequest.model_validate(request))
    with pytest.raises(stack.client("stepfunctions").exceptions.ExecutionDoesNotExist):
        given_to(stack, request)
