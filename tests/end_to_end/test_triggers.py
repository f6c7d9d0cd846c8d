"""Each operation from each way in: webhook, schedule, object, bus and direct call end in the same result."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from demo.examples import zipped_site
from tests.support.node import NEEDS_NODE, needs_node
from tests.support.team import Team

pytestmark = pytest.mark.thorough

SCHEMA = "type Post @model { id: ID! title: String! kind: Kind } enum Kind {A B}"
BUCKET = "e2e-triggers"


@pytest.fixture(scope="module")
def requests(team: Team) -> dict[str, dict[str, Any]]:
    """What is asked for, by operation."""
    s3, backend = team.session.client("s3"), team.session.client("amplifybackend")
    where: Any = {"LocationConstraint": team.cloud.region}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket=BUCKET, Key="artifacts/site.zip", Body=zipped_site("deployed"))
    place = team.manual_app("triggers")
    app_id = place["appId"]
    backend.create_backend(AppId=app_id, AppName="triggers", BackendEnvironmentName="dev")
    config: Any = {"TransformSchema": SCHEMA}
    backend.create_backend_api(AppId=app_id, BackendEnvironmentName="dev", ResourceName="blog", ResourceConfig=config)
    job = {"renderConfig": {"react": {"script": "jsx"}}, "autoGenerateForms": True, "graphqlSchema": SCHEMA}
    members: dict[str, dict[str, Any]] = {
        "start_deployment": place | {"artifact": f"s3://{BUCKET}/artifacts/site.zip"},
        "start_codegen_job": {"appId": app_id, "environmentName": "dev", "codegenJobToCreate": job},
        "generate_backend_api_models": {"AppId": app_id, "BackendEnvironmentName": "dev", "ResourceName": "blog"},
    }
    return {operation: {"operation": operation, "parameters": parameters} for operation, parameters in members.items()}


def by_webhook(team: Team, name: str, request: dict[str, Any]) -> str:
    team.route(name, "", request=request)
    return team.accepted(team.push(name))


def by_schedule(team: Team, name: str, request: dict[str, Any]) -> str:
    # A rate fires as soon as it is made.
    team.route(name, "", when={"schedule": {"expression": "rate(1 hour)"}}, request=request)
    return request_of(team, name)


def by_object(team: Team, name: str, request: dict[str, Any]) -> str:
    parameters = {**request["parameters"]}
    if "artifact" in parameters:
        parameters["artifact"] = "s3://{bucket}/{key}"
    when = {"object": {"bucket": BUCKET, "prefix": f"{name}/"}}
    team.route(name, "", when=when, request={**request, "parameters": parameters})
    team.session.client("s3").copy_object(
        Bucket=BUCKET, Key=f"{name}/site.zip", CopySource={"Bucket": BUCKET, "Key": "artifacts/site.zip"}
    )
    return request_of(team, name)


def by_bus(team: Team, name: str, request: dict[str, Any]) -> str:
    entry: Any = {
        "EventBusName": team.outputs["busName"],
        "Source": name,
        "DetailType": "Job Requested",
        "Detail": json.dumps(request),
    }
    team.session.client("events").put_events(Entries=[entry])
    return request_of(team, name)


def by_call(team: Team, name: str, request: dict[str, Any]) -> str:
    answer = team.session.client("lambda").invoke(
        FunctionName=team.outputs["receiveEventFunctionArn"], Payload=json.dumps(request).encode()
    )
    result = json.load(answer["Payload"])
    assert "FunctionError" not in answer, result
    return str(result["requests"][0]["requestId"])


def request_of(team: Team, name: str) -> str:
    return team.until(lambda: next(iter(team.requests_of(name)), None), f"nothing asked for {name}")


WAYS: list[Callable[[Team, str, dict[str, Any]], str]] = [by_webhook, by_schedule, by_object, by_bus, by_call]


@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize(
    "operation",
    [
        "start_deployment",
        pytest.param("start_codegen_job", marks=NEEDS_NODE),
        pytest.param("generate_backend_api_models", marks=NEEDS_NODE),
    ],
)
def test_every_operation_from_every_way_in(
    team: Team,
    requests: dict[str, dict[str, Any]],
    operation: str,
    ask: Callable[[Team, str, dict[str, Any]], str],
) -> None:
    name = f"{operation.split('_')[1]}-{ask.__name__.replace('_', '-')}"

    request_id = ask(team, name, requests[operation])

    finished = team.told(request_id)
    assert finished["outcome"] == "SUCCEEDED", finished["reason"]
    assert finished["job"]["operation"] == operation
    if operation == "start_deployment":
        assert finished["links"]["site"]
    else:
        file = {"start_codegen_job": "PostCreateForm.jsx", "generate_backend_api_models": "schema.js"}[operation]
        assert f"s3://{team.outputs['bucketName']}/results/{request_id}/{file}" in finished["results"]["files"]


@needs_node
def test_a_request_too_large_for_an_execution_is_started_all_the_same(
    team: Team, requests: dict[str, dict[str, Any]]
) -> None:
    document = json.loads(json.dumps(requests["start_codegen_job"]))
    document["parameters"]["codegenJobToCreate"]["graphqlSchema"] += " # " + "x" * 400_000

    request_id = by_call(team, "large", document)

    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    execution_input = json.loads(team.execution(request_id)["input"])
    assert execution_input["parametersUri"].endswith(f"/requests/{request_id}.json")
    assert "codegenJobToCreate" not in execution_input["parameters"]


def test_a_deployment_that_fails_is_started_again(team: Team, requests: dict[str, dict[str, Any]]) -> None:
    broken = team.store("releases/retried.zip", b"no zip")
    document = json.loads(json.dumps(requests["start_deployment"]))
    document["parameters"]["artifact"] = broken

    request_id = by_call(team, "retried", {**document, "retry": 1})

    finished = team.told(request_id)
    assert (finished["outcome"], finished["attempts"]) == ("FAILED", 2)


def test_what_cannot_be_stopped_is_not_asked_to_be(team: Team, requests: dict[str, dict[str, Any]]) -> None:
    request_id = by_call(team, "stop", {**requests["start_codegen_job"], "supersede": True, "onTimeout": "stop"})

    reason = team.told(request_id, "Job Rejected")["reason"]
    assert "supersede: no API stops a job of start_codegen_job; leave it out" in reason
    assert "onTimeout: no API stops a job of start_codegen_job; use leave" in reason
