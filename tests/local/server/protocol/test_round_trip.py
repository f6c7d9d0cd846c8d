"""What botocore's clients send is what we read, and what we answer is what they read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.model import OperationModel, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.wrappers import Request, Response

from local.server.protocol.match import read_request
from local.server.protocol.models import service_model
from local.server.protocol.respond import respond
from local.server.protocol.validate import validate
from tests.support.protocol import call, client, values

OPERATIONS = [service_model("amplify").operation_model(n) for n in service_model("amplify").operation_names]


slow = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@slow
@given(data=st.data())
def test_what_a_client_sends_is_what_is_read(operation: OperationModel, data: st.DataObject) -> None:
    params = data.draw(values(input_shape(operation)))
    read = []

    def server(request: Request) -> Response:
        value, seen = read_request("amplify", request)
        validate(value, seen)
        read.append((value.name, seen))
        return Response("{}", 200)

    call(client("amplify", server), operation.name, params)
    # A query string and a URI have no way to say an empty list or map; the strategies make none there.
    assert read == [(operation.name, params)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@slow
@given(data=st.data())
def test_what_is_answered_is_what_a_client_reads(operation: OperationModel, data: st.DataObject) -> None:
    result = data.draw(values(operation.output_shape)) if operation.output_shape else {}
    assert (
        call(client("amplify", lambda _: respond(operation, result)), operation.name, INPUT[operation.name]) == result
    )


def input_shape(operation: OperationModel) -> StructureShape:
    assert operation.input_shape is not None
    return operation.input_shape


# The least that lets the client build its URI.
INPUT = {
    operation.name: {
        name: "d1"
        for name, member in input_shape(operation).members.items()
        if member.serialization.get("location") == "uri"
    }
    for operation in OPERATIONS
}


@pytest.mark.parametrize(
    ("service", "operation", "params", "result"),
    [
        (
            "lambda",
            "Invoke",
            {"FunctionName": "start", "InvocationType": "Event", "Payload": b'{"a": 1}'},
            {"StatusCode": 202, "FunctionError": "Unhandled", "Payload": b"x\xff"},
        ),
        (
            "lambda",
            "GetFunction",
            {"FunctionName": "arn:aws:lambda:eu-central-1:111122223333:function:f"},
            {"Tags": {"a": "b"}},
        ),
        ("lambda", "ListFunctions", {"MaxItems": 5}, {"Functions": [{"FunctionName": "f", "Timeout": 3}]}),
        (
            "scheduler",
            "CreateSchedule",
            {
                "Name": "nightly",
                "ScheduleExpression": "rate(1 day)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": "arn:aws:lambda:eu-central-1:111122223333:function:f",
                    "RoleArn": "arn:aws:iam::111122223333:role/r",
                },
                "StartDate": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
                "ClientToken": "token",
            },
            {"ScheduleArn": "arn:aws:scheduler:eu-central-1:111122223333:schedule/default/nightly"},
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}", "Time": datetime(2026, 1, 2, tzinfo=UTC)}]},
            {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]},
        ),
        (
            "amplifyuibuilder",
            "GetCodegenJob",
            {"appId": "d1", "environmentName": "dev", "id": "j"},
            {"job": {"id": "j", "createdAt": datetime(2026, 1, 2, tzinfo=UTC), "status": "succeeded"}},
        ),
        (
            "amplifybackend",
            "GetBackendJob",
            {"AppId": "d1", "BackendEnvironmentName": "dev", "JobId": "j"},
            {"JobId": "j", "Status": "COMPLETED"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_other_services_round_trip(service: str, operation: str, params: Any, result: Any) -> None:
    read = []

    def server(request: Request) -> Response:
        finding, seen = read_request(service, request)
        validate(finding, seen)
        read.append((finding.name, seen))
        return respond(finding, result)

    answer = call(client(service, server), operation, params)
    if "Payload" in answer:
        answer["Payload"] = answer["Payload"].read()
    assert read == [(operation, params)]
    assert answer == result
