"""The endpoint as boto3 and the AWS CLI see it: services behind it, faults, many calls at once."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from local.cloud import LocalCloud
from tests.support.waiting import eventually, messages

Clients = Callable[..., Any]
AWS_CLI = Path(__file__).parents[2] / ".venv-tools" / "bin" / "aws"


def call(url: str, method: str, document: Any = None) -> tuple[int, Any]:
    body = None if document is None else json.dumps(document).encode()
    try:
        with urlopen(Request(url, data=body, method=method)) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def inject(cloud: LocalCloud) -> Any:
    """Orders a fault over the documented address; those that are left open are taken back."""

    def place(**document: Any) -> None:
        status, answer = call(f"{cloud.endpoint_url}/_local/faults", "POST", document)
        assert status == 201, answer

    yield place
    call(f"{cloud.endpoint_url}/_local/faults", "DELETE")


# --- The template's resources are there ------------------------------------------------------------------------------


def test_the_stack_is_there(cloud: LocalCloud, client: Clients) -> None:
    table = cloud.physical_id("Table")
    dynamodb = client("dynamodb")
    ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expiresAt")
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    bucket = cloud.physical_id("Bucket")
    assert client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    value = client("ssm").get_parameter(Name="/small/outputs")["Parameter"]["Value"]
    assert value == f"{bucket},arn:aws:dynamodb:{cloud.region}:{cloud.account}:table/{table}"
    assert cloud.outputs == {"ApiUrl": f"{cloud.api_url}/named/{{name}}"}
    assert [(left.logical_id, left.type) for left in cloud.left_out if "Alarm" in left.type] == [
        ("Alarm", "AWS::CloudWatch::Alarm")
    ]


def test_a_topic_reaches_its_queue(cloud: LocalCloud, client: Clients) -> None:
    client("sns").publish(TopicArn=cloud.physical_id("Topic"), Message='{"said":"hello"}')
    assert messages(client("sqs"), cloud.physical_id("Inbox")) == [{"said": "hello"}]


def test_a_presigned_address_works_without_a_signature_header(cloud: LocalCloud, client: Clients) -> None:
    s3 = client("s3")
    key = {"Bucket": cloud.physical_id("Bucket"), "Key": "a b/ü+.txt"}
    put = s3.generate_presigned_url("put_object", Params=key)
    with urlopen(Request(put, data=b"content", method="PUT")):
        pass
    assert s3.get_object(**key)["Body"].read() == b"content"
    with urlopen(s3.generate_presigned_url("get_object", Params=key)) as answer:
        assert answer.read() == b"content"
    assert s3.head_object(**key)["ContentLength"] == 7


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("scheduler", "list_tags_for_resource", {"ResourceArn": "arn:aws:scheduler:eu-west-1:123456789012:x"}),
        ("events", "list_connections", {}),
        ("lambda", "get_account_settings", {}),
        ("amplify", "list_webhooks", {"appId": "d1"}),
        # Not in moto.
        ("braket", "search_jobs", {"filters": []}),
        # In moto, and moto needs packages for them that are not here.
        ("apigatewayv2", "get_apis", {}),
        ("apigateway", "get_rest_apis", {}),
        ("glue", "get_databases", {}),
        ("cognito-idp", "list_user_pools", {"MaxResults": 1}),
        # Operations that moto does not have, in each protocol.
        ("dynamodb", "list_contributor_insights", {}),
        ("athena", "list_application_dpu_sizes", {}),
        ("batch", "list_service_jobs", {}),
        ("sns", "list_origination_numbers", {}),
        # Services that are signed under a name that is not their model's.
        ("elb", "describe_load_balancers", {}),
        ("pricing", "describe_services", {}),
    ],
)
def test_what_is_not_there_is_refused_by_name_and_not_tried_again(
    client: Clients, caplog: pytest.LogCaptureFixture, service: str, method: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="is not implemented by the local cloud") as refused:
        getattr(client(service, attempts=3), method)(**arguments)
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    metadata = refused.value.response["ResponseMetadata"]
    assert (metadata["HTTPStatusCode"], metadata["RetryAttempts"]) == (501, 0)
    assert not [record for record in caplog.records if record.exc_info]


def test_errors_carry_a_request_id(client: Clients) -> None:
    failing: list[tuple[str, str, dict[str, Any]]] = [
        ("dynamodb", "get_item", {"TableName": "missing", "Key": {"pk": {"S": "x"}}}),
        ("s3", "get_object", {"Bucket": "missing", "Key": "x"}),
        ("sns", "publish", {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:missing", "Message": "x"}),
        ("lambda", "invoke", {"FunctionName": "missing"}),
        ("events", "describe_rule", {"Name": "missing"}),
    ]
    for service, method, arguments in failing:
        with pytest.raises(ClientError) as refused:
            getattr(client(service), method)(**arguments)
        assert refused.value.response["ResponseMetadata"]["RequestId"]


@pytest.mark.thorough
@pytest.mark.skipif(not AWS_CLI.exists(), reason="the AWS CLI is not set up; make test does it")
def test_the_aws_cli_is_served(cloud: LocalCloud) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def aws(*arguments: str) -> str:
        command = [str(AWS_CLI), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    assert "small-probe" in aws("lambda", "list-functions", "--query", "Functions[].FunctionName")
    bucket = cloud.physical_id("Bucket")
    aws("s3", "cp", __file__, f"s3://{bucket}/by/cli.py")
    assert "by/cli.py" in aws("s3", "ls", "--recursive", f"s3://{bucket}/")
    assert "small-bus" in aws("events", "list-event-buses")


# --- Many calls at once ----------------------------------------------------------------------------------------------


def test_conditional_writes_let_one_of_many_through(cloud: LocalCloud, client: Clients) -> None:
    dynamodb = client("dynamodb")
    table = cloud.physical_id("Table")

    def claim(number: int) -> bool:
        try:
            dynamodb.put_item(
                TableName=table,
                Item={"pk": {"S": f"lease {number // 20}"}, "owner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(max_workers=20) as pool:
        won = list(pool.map(claim, range(200)))
    assert [sum(won[start : start + 20]) for start in range(0, 200, 20)] == [1] * 10


def test_counters_lose_no_increment(cloud: LocalCloud, client: Clients) -> None:
    dynamodb = client("dynamodb")
    key = {"TableName": cloud.physical_id("Table"), "Key": {"pk": {"S": "counter"}}}

    def increment(_: int) -> None:
        dynamodb.update_item(**key, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}})

    with ThreadPoolExecutor(max_workers=20) as pool:
        list(pool.map(increment, range(200)))
    assert dynamodb.get_item(**key)["Item"]["n"] == {"N": "200"}


def test_two_hundred_executions_start_at_once(cloud: LocalCloud, client: Clients) -> None:
    states = client("stepfunctions")
    machine = cloud.physical_id("Machine")

    def start(number: int) -> str:
        arn: str = states.start_execution(stateMachineArn=machine, name=f"many-{number}", input='{"do":"pass"}')[
            "executionArn"
        ]
        return arn

    with ThreadPoolExecutor(max_workers=200) as pool:
        arns = list(pool.map(start, range(200)))
    assert len(set(arns)) == 200
    expected = {arn: ["RUNNING", "SUCCEEDED"] for arn in arns}
    eventually(lambda: changes_of(cloud, arns) == expected, seconds=120)


def changes_of(cloud: LocalCloud, arns: list[str]) -> dict[str, list[str]]:
    """The status changes of executions, as the archive of the default bus has them."""
    changes: dict[str, list[str]] = {arn: [] for arn in arns}
    for event in cloud.events.archived("small-KeptChanges"):
        if event["detail"]["executionArn"] in changes:
            changes[event["detail"]["executionArn"]].append(event["detail"]["status"])
    return changes


def test_one_of_many_starts_of_a_name_is_the_execution(cloud: LocalCloud, client: Clients) -> None:
    states = client("stepfunctions")
    machine = cloud.physical_id("Machine")

    def start(number: int) -> str | None:
        event = json.dumps({"do": "await", "key": "same name", "attempt": number})
        try:
            arn: str = states.start_execution(stateMachineArn=machine, name="same-name", input=event)["executionArn"]
        except states.exceptions.ExecutionAlreadyExists:
            return None
        return arn

    with ThreadPoolExecutor(max_workers=20) as pool:
        arns = [arn for arn in pool.map(start, range(20)) if arn]
    assert len(arns) == 1
    states.stop_execution(executionArn=arns[0])


# --- Faults ----------------------------------------------------------------------------------------------------------

THROTTLED = [
    ("dynamodb", "DescribeTable", "describe_table", {"TableName": "x"}, "ThrottlingException"),
    ("s3", "GetObject", "get_object", {"Bucket": "b", "Key": "k"}, "SlowDown"),
    ("ssm", "GetParameter", "get_parameter", {"Name": "/x"}, "ThrottlingException"),
    ("stepfunctions", "StartExecution", "start_execution", {"stateMachineArn": "arn"}, "ThrottlingException"),
    ("sns", "Publish", "publish", {"TopicArn": "arn", "Message": "x"}, "Throttled"),
    ("sqs", "SendMessage", "send_message", {"QueueUrl": "http://x/1/q", "MessageBody": "x"}, "RequestThrottled"),
    ("events", "PutEvents", "put_events", {"Entries": [{"Source": "x"}]}, "ThrottlingException"),
    ("lambda", "Invoke", "invoke", {"FunctionName": "x"}, "TooManyRequestsException"),
    (
        "amplify",
        "StartJob",
        "start_job",
        {"appId": "d1", "branchName": "b", "jobType": "RELEASE"},
        "ThrottlingException",
    ),
]


@pytest.mark.parametrize("case", THROTTLED, ids=lambda case: str(case[0]))
def test_every_service_can_be_made_to_throttle(client: Clients, inject: Any, case: tuple[Any, ...]) -> None:
    service, operation, method, arguments, code = case
    inject(service=service, operation=operation, fault="throttle")
    with pytest.raises(ClientError) as throttled:
        getattr(client(service), method)(**arguments)
    assert throttled.value.response["Error"]["Code"] == code


def test_botocore_retries_what_it_is_told_is_throttling(cloud: LocalCloud, client: Clients, inject: Any) -> None:
    inject(service="dynamodb", operation="DescribeTable", fault="throttle", times=2)
    assert client("dynamodb", attempts=3).describe_table(TableName=cloud.physical_id("Table"))["Table"]


def test_a_refusal_is_the_error_that_was_injected(client: Clients, inject: Any) -> None:
    inject(service="ssm", operation="GetParameter", fault="refuse", code="ParameterNotFound", message="It is gone.")
    ssm = client("ssm")
    with pytest.raises(ssm.exceptions.ParameterNotFound, match="It is gone"):
        ssm.get_parameter(Name="/small/outputs")
    assert ssm.get_parameter(Name="/small/outputs")["Parameter"]


def test_a_lost_answer_is_of_a_call_that_was_done(cloud: LocalCloud, client: Clients, inject: Any) -> None:
    inject(service="dynamodb", operation="PutItem", fault="lose-answer")
    dynamodb = client("dynamodb")
    table = cloud.physical_id("Table")
    with pytest.raises(ConnectionClosedError):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": "lost"}})
    assert dynamodb.get_item(TableName=table, Key={"pk": {"S": "lost"}})["Item"]


def test_a_call_that_hangs_is_not_done(cloud: LocalCloud, client: Clients, inject: Any) -> None:
    inject(service="dynamodb", operation="PutItem", fault="hang")
    table = cloud.physical_id("Table")
    with pytest.raises(ReadTimeoutError):
        client("dynamodb", read_timeout=0.3).put_item(TableName=table, Item={"pk": {"S": "hung"}})
    assert "Item" not in client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "hung"}})


def test_a_delayed_call_is_done_all_the_same(cloud: LocalCloud, client: Clients, inject: Any) -> None:
    inject(service="dynamodb", operation="PutItem", fault="delay", seconds=2)
    table = cloud.physical_id("Table")
    with pytest.raises(ReadTimeoutError):
        client("dynamodb", read_timeout=0.3).put_item(TableName=table, Item={"pk": {"S": "late"}})
    assert client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "late"}})["Item"]


def test_nonsense_is_no_answer_of_the_operation(client: Clients, inject: Any) -> None:
    inject(service="ssm", operation="GetParameter", fault="nonsense")
    assert "Parameter" not in client("ssm").get_parameter(Name="/small/outputs")


def test_a_fault_hits_the_calls_that_match_as_often_as_injected(
    cloud: LocalCloud, client: Clients, inject: Any
) -> None:
    inject(
        service="s3",
        operation="PutObject",
        fault="refuse",
        code="AccessDenied",
        message="no",
        times=2,
        match={"Key": "a"},
    )
    s3 = client("s3")
    outcomes = []
    for key in ("b", "a", "b", "a", "a"):
        try:
            s3.put_object(Bucket=cloud.physical_id("Bucket"), Key=key, Body=b"")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
        else:
            outcomes.append("done")
    assert outcomes == ["done", "AccessDenied", "done", "AccessDenied", "done"]


def test_open_faults_are_shown_and_taken_back(cloud: LocalCloud, inject: Any) -> None:
    url = f"{cloud.endpoint_url}/_local/faults"
    inject(service="amplify", operation="StartJob", fault="hang")
    status, shown = call(url, "GET")
    assert (status, [fault["operation"] for fault in shown["faults"]]) == (200, ["StartJob"])
    assert call(url, "DELETE") == (200, {"faults": []})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "a fault is a JSON object"),
        ({"service": "s3", "operation": "PutObject"}, "'fault' is missing"),
        ({"service": "s3", "operation": "PutObject", "fault": "melt"}, "no fault 'melt'"),
        ({"service": "s3", "operation": "StartJob", "fault": "hang"}, "s3 has no operation 'StartJob'"),
        ({"service": "s4", "operation": "PutObject", "fault": "hang"}, "no AWS service is called 's4'"),
        ({"service": "s3", "operation": "PutObject", "fault": "refuse"}, "needs 'code' and 'message'"),
        ({"service": "s3", "operation": "PutObject", "fault": "hang", "times": 0}, "'times' must be at least 1"),
        ({"service": "s3", "operation": "PutObject", "fault": "hang", "times": "2"}, "'times' has the wrong type"),
        ({"service": "ssm", "operation": "GetParameter", "fault": "quota"}, "a quota needs 'rate'"),
        ({"service": "ssm", "operation": "GetParameter", "fault": "hang", "rate": 1}, "a quota needs 'rate'"),
        ({"service": "ssm", "operation": "GetParameter", "fault": "quota", "rate": 0}, "'rate' must be greater than 0"),
        (
            {"service": "ssm", "operation": "GetParameter", "fault": "quota", "rate": 1, "also": ["Get"]},
            "ssm has no operation 'Get'",
        ),
        ({"service": "s3", "operation": "PutObject", "fault": "hang", "often": 2}, "unknown member 'often'"),
        ({"service": "amplify", "operation": "StatusEvent", "fault": "hang"}, "no fault 'hang' for StatusEvent"),
    ],
)
def test_a_fault_that_can_t_be_injected_is_refused(cloud: LocalCloud, document: Any, message: str) -> None:
    status, answer = call(f"{cloud.endpoint_url}/_local/faults", "POST", document)
    assert status == 400
    assert message in answer["message"]


def test_operations_share_a_quota_until_it_is_taken_back(cloud: LocalCloud, client: Clients, inject: Any) -> None:
    inject(service="ssm", operation="GetParameter", also=["GetParameters"], fault="quota", rate=0.001)
    ssm = client("ssm")
    ssm.get_parameters(Names=["/none"])
    refused: list[tuple[Any, dict[str, Any]]] = [
        (ssm.get_parameter, {"Name": "/none"}),
        (ssm.get_parameters, {"Names": ["/none"]}),
    ]
    for call_of, parameters in refused:
        with pytest.raises(ClientError) as error:
            call_of(**parameters)
        assert error.value.response["Error"]["Code"] == "ThrottlingException"
    # What does not share it goes on.
    ssm.get_parameters_by_path(Path="/none")
    call(f"{cloud.endpoint_url}/_local/faults", "DELETE")
    ssm.get_parameters(Names=["/none"])


# --- Executions ------------------------------------------------------------------------------------------------------


def run(cloud: LocalCloud, states: Any, event: dict[str, Any]) -> Any:
    arn = states.start_execution(
        stateMachineArn=cloud.physical_id("Machine"), name=os.urandom(8).hex(), input=json.dumps(event)
    )["executionArn"]

    def ended() -> Any:
        described = states.describe_execution(executionArn=arn)
        return None if described["status"] == "RUNNING" else described

    return eventually(ended)


def test_a_machine_invokes_functions_and_catches_their_errors_by_name(cloud: LocalCloud, client: Clients) -> None:
    states = client("stepfunctions")
    assert json.loads(run(cloud, states, {"a": 1})["output"]) == {"a": 1}
    caught = json.loads(run(cloud, states, {"do": "raise"})["output"])
    assert (caught["by"], caught["error"]["Error"]) == ("caught", "WrongError")
    late = json.loads(run(cloud, states, {"do": "sleep", "seconds": 60})["output"])
    assert (late["by"], late["error"]["Error"]) == ("timed out", "Sandbox.Timedout")


def test_a_machine_retries_a_throttled_function_error_only_as_it_says(
    cloud: LocalCloud, client: Clients, inject: Any
) -> None:
    inject(service="lambda", operation="Invoke", fault="throttle")
    failed = run(cloud, client("stepfunctions"), {"a": 1})
    assert (failed["status"], failed["error"]) == ("FAILED", "Lambda.TooManyRequestsException")


def change(cloud: LocalCloud, sqs: Any, arn: str, status: str) -> Any:
    """The status change of an execution; those of other executions are dropped."""

    def find() -> Any:
        for message in messages(sqs, cloud.physical_id("Changes")):
            if message["detail"]["executionArn"] == arn and message["detail"]["status"] == status:
                return message
        return None

    return eventually(find)


def test_status_changes_have_the_shape_of_aws(cloud: LocalCloud, client: Clients) -> None:
    event = {"do": "exit", "code": 3}
    failed = run(cloud, client("stepfunctions"), event)
    changed = change(cloud, client("sqs"), failed["executionArn"], "FAILED")
    assert (changed["source"], changed["detail-type"]) == ("aws.states", "Step Functions Execution Status Change")
    assert (changed["account"], changed["region"]) == (cloud.account, cloud.region)
    assert changed["resources"] == [failed["executionArn"]]
    detail = changed["detail"]
    assert detail["startDate"] == int(failed["startDate"].timestamp() * 1000)
    assert detail["stopDate"] >= detail["startDate"]
    assert {name: detail[name] for name in ("stateMachineArn", "name", "status", "error", "output")} == {
        "stateMachineArn": cloud.physical_id("Machine"),
        "name": failed["name"],
        "status": "FAILED",
        "error": "Runtime.ExitError",
        "output": None,
    }
    assert json.loads(detail["input"]) == event
    assert "exit status 3" in detail["cause"]


def test_a_waiting_execution_can_be_stopped(cloud: LocalCloud, client: Clients) -> None:
    states, sqs = client("stepfunctions"), client("sqs")
    machine = cloud.physical_id("Machine")
    event = '{"do":"await","key":"stopped"}'
    arn = states.start_execution(stateMachineArn=machine, name="to-be-stopped", input=event)["executionArn"]
    table = {"TableName": cloud.physical_id("Table"), "Key": {"pk": {"S": "stopped"}}}
    eventually(lambda: client("dynamodb").get_item(**table).get("Item"))
    states.stop_execution(executionArn=arn, error="Unwanted", cause="Somebody said so.")
    eventually(lambda: states.describe_execution(executionArn=arn)["status"] == "ABORTED")
    detail = change(cloud, sqs, arn, "ABORTED")["detail"]
    assert (detail["error"], detail["cause"]) == ("Unwanted", "Somebody said so.")


def test_a_waiting_execution_is_woken(cloud: LocalCloud, client: Clients) -> None:
    states = client("stepfunctions")
    event = '{"do":"await","key":"woken"}'
    arn = states.start_execution(stateMachineArn=cloud.physical_id("Machine"), name="woken", input=event)[
        "executionArn"
    ]
    table = {"TableName": cloud.physical_id("Table"), "Key": {"pk": {"S": "woken"}}}
    item = eventually(lambda: client("dynamodb").get_item(**table).get("Item"))
    states.send_task_success(taskToken=item["taskToken"]["S"], output='{"woken":true}')
    eventually(lambda: states.describe_execution(executionArn=arn)["status"] == "SUCCEEDED")


def test_wake_ups_and_starts_don_t_get_in_each_other_s_way(cloud: LocalCloud, client: Clients) -> None:
    states, dynamodb = client("stepfunctions"), client("dynamodb")
    machine, table = cloud.physical_id("Machine"), cloud.physical_id("Table")

    def start(event: dict[str, str]) -> str:
        # Without a name: AWS gives one.
        arn: str = states.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]
        return arn

    def token(key: str) -> str:
        item = eventually(lambda: dynamodb.get_item(TableName=table, Key={"pk": {"S": key}}).get("Item"))
        return str(item["taskToken"]["S"])

    keys = [f"woken {number}" for number in range(20)]
    waiting = [start({"do": "await", "key": key}) for key in keys]
    tokens = [token(key) for key in keys]
    with ThreadPoolExecutor(max_workers=40) as pool:
        starts = [pool.submit(start, {"do": "pass"}) for _ in range(20)]
        wakes = [pool.submit(states.send_task_success, taskToken=one, output="{}") for one in tokens]
        arns = [start.result() for start in starts] + waiting
        for wake in wakes:
            wake.result()
    assert len(set(arns)) == 40
    eventually(lambda: {states.describe_execution(executionArn=arn)["status"] for arn in arns} == {"SUCCEEDED"})


@pytest.mark.parametrize(
    ("name", "code"), [("a b", "InvalidName"), ("a/b", "InvalidName"), ("x" * 81, "ValidationException")]
)
def test_names_that_aws_refuses_are_refused(cloud: LocalCloud, client: Clients, name: str, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        client("stepfunctions").start_execution(stateMachineArn=cloud.physical_id("Machine"), name=name)
    assert refused.value.response["Error"]["Code"] == code
