"""A call is the actions and resources that AWS's service authorization reference says."""

from __future__ import annotations

from typing import Any

import pytest

from local.permissions import service_reference
from local.permissions.accesses import ACTIONS, Place, accesses
from local.server.protocol.models import service_model

ACCOUNT = "123456789012"
PLACE = Place(ACCOUNT, "eu-west-1", f"arn:aws:iam::{ACCOUNT}:role/r")
MACHINE = f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:m"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"


def regional(service: str, rest: str) -> str:
    return f"arn:aws:{service}:eu-west-1:{ACCOUNT}:{rest}"


def access_pairs(service: str, operation: str, parameters: dict[str, Any]) -> list[tuple[str, str]]:
    result = accesses(service, operation, parameters, PLACE, machine_of={"token": MACHINE}.get)
    return [(access.action, access.resource) for access in result]


CALLS: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    (
        "amplify",
        "StartJob",
        {"appId": "d1", "branchName": "feature/x", "jobType": "RELEASE"},
        [("amplify:StartJob", regional("amplify", "apps/d1/branches/feature/x/jobs/*"))],
    ),
    (
        "amplify",
        "CreateBranch",
        {"appId": "d1", "branchName": "pr-7", "tags": {"a": "b"}},
        [
            ("amplify:CreateBranch", regional("amplify", "apps/d1/branches/pr-7")),
            ("amplify:TagResource", regional("amplify", "apps/d1/branches/pr-7")),
        ],
    ),
    (
        "amplify",
        "CreateBranch",
        {"appId": "d1", "branchName": "main"},
        [("amplify:CreateBranch", regional("amplify", "apps/d1/branches/main"))],
    ),
    (
        "amplify",
        "StopJob",
        {"appId": "d1", "branchName": "b", "jobId": "7"},
        [("amplify:StopJob", regional("amplify", "apps/d1/branches/b/jobs/7"))],
    ),
    # Finding 4: no resource type, and a dependent action.
    (
        "amplifyuibuilder",
        "StartCodegenJob",
        {"appId": "d1", "environmentName": "dev"},
        [("amplifyuibuilder:StartCodegenJob", "*"), ("amplify:GetApp", regional("amplify", "apps/d1"))],
    ),
    (
        "amplifyuibuilder",
        "GetCodegenJob",
        {"appId": "d1", "environmentName": "dev", "id": "7"},
        [
            ("amplifyuibuilder:GetCodegenJob", regional("amplifyuibuilder", "app/d1/environment/dev/codegen-jobs/7")),
            ("amplify:GetApp", regional("amplify", "apps/d1")),
        ],
    ),
    (
        "amplifybackend",
        "GetBackendJob",
        {"AppId": "d1", "BackendEnvironmentName": "dev", "JobId": "7"},
        [
            ("amplifybackend:GetBackendJob", regional("amplifybackend", "/backend/d1/*")),
            ("amplifybackend:GetBackendJob", regional("amplifybackend", "/backend/d1/job/*")),
        ],
    ),
    (
        "sqs",
        "SendMessageBatch",
        {"QueueUrl": f"http://127.0.0.1:4566/{ACCOUNT}/q.fifo"},
        [("sqs:SendMessage", regional("sqs", "q.fifo"))],
    ),
    ("sns", "Publish", {"TopicArn": regional("sns", "t")}, [("sns:Publish", regional("sns", "t"))]),
    ("ssm", "GetParameter", {"Name": "/a/b"}, [("ssm:GetParameter", regional("ssm", "parameter/a/b"))]),
    (
        "ssm",
        "GetParameters",
        {"Names": ["/a/b", "c"]},
        [("ssm:GetParameters", regional("ssm", f"parameter/{name}")) for name in ("a/b", "c")],
    ),
    (
        "ssm",
        "GetParametersByPath",
        {"Path": "/a/"},
        [("ssm:GetParametersByPath", regional("ssm", "parameter/a"))],
    ),
    ("s3", "HeadObject", {"Bucket": "b", "Key": "k/l"}, [("s3:GetObject", "arn:aws:s3:::b/k/l")]),
    (
        "s3",
        "GetObject",
        {"Bucket": "b", "Key": "k", "versionId": "3"},
        [("s3:GetObjectVersion", "arn:aws:s3:::b/k")],
    ),
    ("s3", "ListObjectsV2", {"Bucket": "b", "Key": "", "prefix": "x"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
    (
        "s3",
        "CopyObject",
        {"Bucket": "b", "Key": "k", "CopySource": "/from/a%20b"},
        [("s3:GetObject", "arn:aws:s3:::from/a b"), ("s3:PutObject", "arn:aws:s3:::b/k")],
    ),
    ("s3", "ListBuckets", {"Bucket": "", "Key": ""}, [("s3:ListAllMyBuckets", "*")]),
    (
        "lambda",
        "Invoke",
        {"FunctionName": "f"},
        [("lambda:InvokeFunction", regional("lambda", "function:f"))],
    ),
    (
        "lambda",
        "Invoke",
        {"FunctionName": regional("lambda", "function:f")},
        [("lambda:InvokeFunction", regional("lambda", "function:f"))],
    ),
    ("states", "StartExecution", {"stateMachineArn": MACHINE, "name": "n"}, [("states:StartExecution", MACHINE)]),
    ("states", "SendTaskSuccess", {"taskToken": "token"}, [("states:SendTaskSuccess", MACHINE)]),
    ("states", "SendTaskFailure", {"taskToken": "stale"}, []),
    (
        "states",
        "DescribeExecution",
        {"executionArn": regional("states", "execution:m:e")},
        [("states:DescribeExecution", regional("states", "execution:m:e"))],
    ),
    ("dynamodb", "Query", {"TableName": "t"}, [("dynamodb:Query", regional("dynamodb", "table/t"))]),
    *(
        (
            "dynamodb",
            "Query",
            {"TableName": table, "IndexName": "i"},
            [("dynamodb:Query", regional("dynamodb", "table/t/index/i"))],
        )
        for table in ("t", regional("dynamodb", "table/t"))
    ),
    (
        "dynamodb",
        "Query",
        {"TableName": "t", "IndexName": "i"},
        [("dynamodb:Query", regional("dynamodb", "table/t/index/i"))],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "t"}}, {"ConditionCheck": {"TableName": "u"}}]},
        [
            ("dynamodb:PutItem", regional("dynamodb", "table/t")),
            ("dynamodb:ConditionCheckItem", regional("dynamodb", "table/u")),
        ],
    ),
    (
        "dynamodb",
        "BatchGetItem",
        {"RequestItems": {"t": {}, "u": {}}},
        [("dynamodb:BatchGetItem", regional("dynamodb", f"table/{name}")) for name in "tu"],
    ),
    (
        "events",
        "PutEvents",
        {"Entries": [{"EventBusName": "bus"}, {"EventBusName": regional("events", "event-bus/other")}, {}]},
        [("events:PutEvents", regional("events", f"event-bus/{name}")) for name in ("bus", "other", "default")],
    ),
    (
        "scheduler",
        "UpdateSchedule",
        {"Name": "n", "GroupName": "g", "Target": {"Arn": regional("lambda", "function:f"), "RoleArn": ROLE}},
        [("scheduler:UpdateSchedule", regional("scheduler", "schedule/g/n")), ("iam:PassRole", ROLE)],
    ),
    ("scheduler", "ListSchedules", {"GroupName": "g"}, [("scheduler:ListSchedules", "*")]),
    ("sts", "GetCallerIdentity", {}, [("sts:GetCallerIdentity", "*")]),
    # These sign by a name that no policy knows.
    ("monitoring", "DescribeAlarms", {}, [("cloudwatch:DescribeAlarms", "*")]),
    ("email", "GetSendQuota", {}, [("ses:GetSendQuota", "*")]),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), CALLS, ids=lambda value: str(value)[:30])
def test_a_call_is_these_accesses(
    service: str, operation: str, parameters: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert access_pairs(service, operation, parameters) == expected


def test_conditions_find_what_they_are_about() -> None:
    entry = {"Source": "amplify-jobs", "DetailType": "Job Finished", "EventBusName": "bus"}
    (put,) = accesses("events", "PutEvents", {"Entries": [entry]}, PLACE, machine_of=lambda _: None)
    assert put.context["events:source"] == ["amplify-jobs"]
    assert put.context["events:detail-type"] == ["Job Finished"]
    assert put.context["aws:resourceaccount"] == [ACCOUNT]
    passed = accesses(
        "scheduler", "CreateSchedule", {"Name": "n", "Target": {"RoleArn": ROLE}}, PLACE, machine_of=lambda _: None
    )
    assert passed[1].context["iam:passedtoservice"] == ["scheduler.amazonaws.com"]


@pytest.mark.parametrize("operation", [*ACTIONS, *ACTIONS.values()])
def test_every_name_of_the_table_exists(operation: str) -> None:
    service, _, name = operation.partition(":")
    is_action = name in service_reference.actions(service)
    assert is_action or name in service_model(service).operation_names


@pytest.mark.parametrize("service", sorted(service_reference.SERVICES - {"iam"}))
def test_every_operation_that_is_an_action_has_resources_in_the_reference_s_form(service: str) -> None:
    """Whatever the parameters are, a call asks for something, and for ARNs that the reference knows."""
    operations = service_model(service).operation_names
    actions = service_reference.actions(service)
    assert actions
    missing = [
        operation
        for operation in operations
        if operation not in actions and f"{service}:{operation}" not in ACTIONS and operation in USED.get(service, ())
    ]
    assert missing == []
    for operation in operations:
        for action, resource in access_pairs(service, operation, {}):
            assert ":" in action
            assert resource == "*" or resource.startswith("arn:aws:")


# What functions, tasks, the poller and the command line call.
USED = {
    "amplify": ("StartJob", "StartDeployment", "ListJobs", "GetJob", "StopJob", "GetApp", "GetBranch"),
    "amplifybackend": ("GenerateBackendAPIModels", "ListBackendJobs", "GetBackendJob", "GetBackendAPIModels"),
    "amplifyuibuilder": ("StartCodegenJob", "GetCodegenJob"),
    "dynamodb": ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"),
    "events": ("PutEvents",),
    "lambda": ("Invoke",),
    "s3": ("GetObject", "PutObject", "HeadObject", "ListObjectsV2"),
    "scheduler": ("ListSchedules", "GetSchedule", "CreateSchedule", "UpdateSchedule", "DeleteSchedule"),
    "sns": ("Publish",),
    "sqs": ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"),
    "ssm": ("GetParameter", "GetParameters", "GetParametersByPath", "PutParameter", "DeleteParameter"),
    "states": ("StartExecution", "SendTaskSuccess", "DescribeExecution", "RedriveExecution"),
}
