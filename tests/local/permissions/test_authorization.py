"""Who acts in a role of the template may do what its policies allow; services refuse the rest in their own way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.cloud import LocalCloud
from local.permissions.policies import Policy
from local.permissions.roles import Credentials
from tests.support.waiting import eventually, messages

Clients = Callable[..., Any]
ROLE = "arn:aws:iam::123456789012:role/limited"


@pytest.fixture(scope="module")
def limited(cloud: LocalCloud) -> Iterator[Callable[..., Any]]:
    """Makes clients with credentials of a role that may do what the statements say, and nothing else."""
    items: list[Any] = []

    def make(service: str, *statements: dict[str, Any], **config: Any) -> Any:
        arn = f"{ROLE}-{len(items)}"
        cloud.authorization.roles.add(arn, [Policy({"Statement": list(statements)}, {"events:source"})])
        credentials = cloud.authorization.roles.assume(arn, "tests")
        assert credentials is not None
        items.append(client_of(cloud, credentials, service, **config))
        return items[-1]

    yield make
    for client in items:
        client.close()


def client_of(cloud: LocalCloud, credentials: Credentials, service: str, **config: Any) -> Any:
    session = boto3.Session(
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        region_name=cloud.region,
    )
    make: Any = session.client
    return make(service, endpoint_url=cloud.endpoint_url, config=Config(retries={"total_max_attempts": 1}, **config))


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


REFUSED: list[tuple[str, str, dict[str, Any], str, int, str, str]] = [
    (
        "amplify",
        "start_job",
        {"appId": "d1", "branchName": "b", "jobType": "RELEASE"},
        "AccessDeniedException",
        403,
        "amplify:StartJob",
        "arn:aws:amplify:eu-west-1:123456789012:apps/d1/branches/b/jobs/*",
    ),
    (
        "amplifyuibuilder",
        "get_codegen_job",
        {"appId": "d1", "environmentName": "e", "id": "7"},
        "AccessDeniedException",
        403,
        "amplifyuibuilder:GetCodegenJob",
        "arn:aws:amplifyuibuilder:eu-west-1:123456789012:app/d1/environment/e/codegen-jobs/7",
    ),
    (
        "dynamodb",
        "get_item",
        {"TableName": "t", "Key": {"pk": {"S": "x"}}},
        "AccessDeniedException",
        400,
        "dynamodb:GetItem",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/t",
    ),
    ("s3", "get_object", {"Bucket": "b", "Key": "k"}, "AccessDenied", 403, "s3:GetObject", "arn:aws:s3:::b/k"),
    (
        "ssm",
        "get_parameter",
        {"Name": "/a"},
        "AccessDeniedException",
        400,
        "ssm:GetParameter",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/a",
    ),
    (
        "sns",
        "publish",
        {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:t", "Message": "x"},
        "AuthorizationError",
        403,
        "sns:Publish",
        "arn:aws:sns:eu-west-1:123456789012:t",
    ),
    (
        "sqs",
        "send_message",
        {"QueueUrl": "http://127.0.0.1/123456789012/q", "MessageBody": "x"},
        "AccessDenied",
        400,
        "sqs:SendMessage",
        "arn:aws:sqs:eu-west-1:123456789012:q",
    ),
    (
        "stepfunctions",
        "start_execution",
        {"stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:m"},
        "AccessDeniedException",
        400,
        "states:StartExecution",
        "arn:aws:states:eu-west-1:123456789012:stateMachine:m",
    ),
    (
        "lambda",
        "invoke",
        {"FunctionName": "f"},
        "AccessDeniedException",
        403,
        "lambda:InvokeFunction",
        "arn:aws:lambda:eu-west-1:123456789012:function:f",
    ),
    (
        "events",
        "put_events",
        {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]},
        "AccessDeniedException",
        400,
        "events:PutEvents",
        "arn:aws:events:eu-west-1:123456789012:event-bus/default",
    ),
    ("scheduler", "list_schedules", {}, "AccessDeniedException", 403, "scheduler:ListSchedules", "*"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[0]}-{case[1]}")
def test_every_service_refuses_in_its_own_way(
    limited: Clients, case: tuple[str, str, dict[str, Any], str, int, str, str]
) -> None:
    service, method, arguments, code, status, action, resource = case
    client = limited(service, allow("logs:PutLogEvents"))
    with pytest.raises(ClientError) as refused:
        getattr(client, method)(**arguments)
    error, metadata = refused.value.response["Error"], refused.value.response["ResponseMetadata"]
    assert (error["Code"], metadata["HTTPStatusCode"]) == (code, status)
    assert metadata["RequestId"]
    assert re.fullmatch(
        rf"User: arn:aws:sts::123456789012:assumed-role/limited-\d+/tests is not authorized to perform: {action} "
        rf"on resource: {re.escape(resource)} because no identity-based policy allows the {action} action",
        error["Message"],
    )


def test_a_deny_is_named(cloud: LocalCloud, limited: Clients) -> None:
    deny = {"Effect": "Deny", "Action": "ssm:*", "Resource": "*"}
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        limited("ssm", allow("*"), deny).get_parameter(Name="/small/outputs")
    assert limited("dynamodb", allow("*"), deny).list_tables()["TableNames"]


def test_what_is_allowed_is_done_on_these_resources_alone(cloud: LocalCloud, limited: Clients) -> None:
    bucket = cloud.physical_id("Bucket")
    s3 = limited(
        "s3", allow("s3:PutObject", f"arn:aws:s3:::{bucket}/in/*"), allow("s3:GetObject"), signature_version="s3v4"
    )
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="in/a")["Body"].read() == b"x"
    with pytest.raises(ClientError, match=rf"s3:PutObject on resource: arn:aws:s3:::{bucket}/out/a"):
        s3.put_object(Bucket=bucket, Key="out/a", Body=b"x")
    # Whoever opens an address that was signed by the role may do what the role may.
    assert opened(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "in/a"})) == 200
    assert opened(s3.generate_presigned_url("get_object", Params={"Bucket": "other", "Key": "in/a"})) == 403
    legacy = limited("s3", allow("s3:PutObject"), signature_version="s3")
    assert opened(legacy.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "in/a"})) == 403


def opened(url: str) -> int:
    try:
        with urlopen(url) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_a_missing_object_is_told_to_who_may_list_the_bucket(cloud: LocalCloud, limited: Clients) -> None:
    bucket = cloud.physical_id("Bucket")
    reading = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    with pytest.raises(ClientError, match=f"s3:ListBucket on resource: arn:aws:s3:::{bucket} because"):
        limited("s3", reading).get_object(Bucket=bucket, Key="missing")
    with pytest.raises(ClientError, match="NoSuchKey"):
        limited("s3", reading, allow("s3:ListBucket", f"arn:aws:s3:::{bucket}")).get_object(
            Bucket=bucket, Key="missing"
        )


def test_conditions_are_evaluated(cloud: LocalCloud, limited: Clients) -> None:
    events = limited("events", allow("events:PutEvents", Condition={"StringEquals": {"events:source": "mine"}}))
    entry = {"DetailType": "d", "Detail": "{}"}
    assert events.put_events(Entries=[{"Source": "mine", **entry}])["FailedEntryCount"] == 0
    with pytest.raises(ClientError, match="events:PutEvents on resource"):
        events.put_events(Entries=[{"Source": "mine", **entry}, {"Source": "other", **entry}])


def test_a_dependent_action_is_asked_for(limited: Clients) -> None:
    start = {"appId": "dnone", "environmentName": "e", "codegenJobToCreate": {}}
    ui_builder = limited("amplifyuibuilder", allow("amplifyuibuilder:*"), parameter_validation=False)
    with pytest.raises(
        ClientError, match=r"amplify:GetApp on resource: arn:aws:amplify:eu-west-1:123456789012:apps/dnone"
    ):
        ui_builder.start_codegen_job(**start)
    both = limited("amplifyuibuilder", allow("amplifyuibuilder:*"), allow("amplify:GetApp"), parameter_validation=False)
    with pytest.raises(ClientError) as other:
        both.start_codegen_job(**start)
    assert "not authorized" not in str(other.value)


def test_anybody_else_s_credentials_may_do_everything(cloud: LocalCloud, client: Clients) -> None:
    assert client("ssm").get_parameter(Name="/small/outputs")["Parameter"]
    assert client("sts").get_caller_identity()["Account"] == cloud.account


# --- Who acts in a role ----------------------------------------------------------------------------------------------


def test_a_function_acts_in_its_own_role(cloud: LocalCloud, client: Clients) -> None:
    """The probe writes to the table, which its policy allows; Patient runs the same code without that policy."""
    invoke = {"Payload": json.dumps({"do": "table", "key": "by role"}), "InvocationType": "RequestResponse"}
    allowed = client("lambda").invoke(FunctionName=cloud.physical_id("Probe"), **invoke)
    assert "FunctionError" not in allowed, allowed["Payload"].read()
    refused = client("lambda").invoke(FunctionName=cloud.physical_id("Patient"), **invoke)
    error = json.loads(refused["Payload"].read())
    assert "assumed-role/small-PatientRole/small-patient is not authorized to perform: dynamodb:PutItem" in str(error)


def test_the_tasks_of_a_state_machine_act_in_its_role(cloud: LocalCloud, client: Clients) -> None:
    role = "arn:aws:iam::123456789012:role/machine"
    probe = cloud.functions.function(cloud.physical_id("Probe")).arn
    cloud.authorization.roles.add(role, [Policy({"Statement": allow("lambda:InvokeFunction", f"{probe}-not")}, ())])
    states = client("stepfunctions")
    parameters = {"FunctionName": probe, "Payload": {}}
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters, "End": True}
    machine = states.create_state_machine(
        name="limited", definition=json.dumps({"StartAt": "Call", "States": {"Call": task}}), roleArn=role
    )["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    ended = eventually(
        lambda: (result := states.describe_execution(executionArn=arn))["status"] != "RUNNING" and result
    )
    assert ended["status"] == "FAILED"
    assert (
        f"assumed-role/machine/execution is not authorized to perform: lambda:InvokeFunction on resource: {probe}"
        in ended["cause"]
    )


@pytest.mark.parametrize("kind", ["rule", "schedule"])
@pytest.mark.parametrize("target", ["queue", "function"])
def test_what_services_send_they_send_in_the_role_that_was_given(
    cloud: LocalCloud, client: Clients, kind: str, target: str
) -> None:
    sqs, name = client("sqs"), f"{kind}-{target}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    queue, letters = (f"arn:aws:sqs:{cloud.region}:{cloud.account}:{part}" for part in (name, f"{name}-dead"))
    arn = queue if target == "queue" else cloud.functions.function(cloud.physical_id("Probe")).arn
    role = f"arn:aws:iam::123456789012:role/{name}"
    cloud.authorization.roles.add(role, [Policy({"Statement": allow("sqs:SendMessage", letters)}, ())])
    sent = {"Arn": arn, "RoleArn": role, "DeadLetterConfig": {"Arn": letters}, "Input": '{"do":"pass"}'}
    if kind == "rule":
        events = client("events")
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        events.put_targets(Rule=name, Targets=[{"Id": "1", **sent}])
        events.put_events(Entries=[{"Source": name, "DetailType": "d", "Detail": "{}"}])
    else:
        client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=sent,
        )
    assert messages(sqs, dead)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    accesses = cloud.authorization.report()["roles"][name]["accesses"]
    decisions = {(one["action"], one["resource"]): one["decision"] for one in accesses}
    action = "sqs:SendMessage" if target == "queue" else "lambda:InvokeFunction"
    assert decisions[action, arn] == "not allowed"
    if kind == "schedule":
        assert decisions["sqs:SendMessage", letters] == "allowed"


def test_the_credentials_of_a_role_can_be_had(cloud: LocalCloud) -> None:
    dynamodb = client_of(cloud, cloud.credentials("ProbeRole"), "dynamodb")
    dynamodb.put_item(TableName=cloud.physical_id("Table"), Item={"pk": {"S": "as the probe"}})
    with pytest.raises(ClientError, match="dynamodb:Scan"):
        dynamodb.scan(TableName=cloud.physical_id("Table"))
    for other in ("Table", "Nothing"):
        with pytest.raises(KeyError):
            cloud.credentials(other)


def test_what_was_asked_is_shown(cloud: LocalCloud, limited: Clients) -> None:
    ssm = limited("ssm", allow("ssm:GetParameter", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    for _ in range(2):
        ssm.get_parameter(Name="/small/outputs")
    with urlopen(f"{cloud.endpoint_url}/_local/permissions") as answer:
        shown = json.load(answer)
    (role,) = [
        role for role in shown["roles"].values() if role["notEvaluated"] == ["condition IpAddress on aws:SourceIp"]
    ]
    assert role["accesses"] == [
        {
            "action": "ssm:GetParameter",
            "resource": "arn:aws:ssm:eu-west-1:123456789012:parameter/small/outputs",
            "count": 2,
            "decision": "allowed",
        }
    ]
    assert any("policies of resources" in text for text in shown["notEvaluated"])
    assert not any(word in json.dumps(shown) for word in ("ASIA", "SecretAccessKey"))
