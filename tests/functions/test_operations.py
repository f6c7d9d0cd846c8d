"""Deployments, codegen jobs and models: how each is started once, followed and collected, whatever goes wrong."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.aws.jobs_table.keys import lease_key
from amplify_jobs.errors import BranchBusy, RequestRejected, RetryableError, ServiceTrouble, StartUnresolved, Throttled
from amplify_jobs.following.collect import FILE_LIMIT
from amplify_jobs.model.job import BranchRef
from tests.support.stack import BUCKET, REGION, Function, Stack, any_request, execution_of, serving

SCHEMA = "type Post @model { id: ID! title: String! }"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


@pytest.fixture(autouse=True)
def _in_order(stack: Stack) -> Iterator[None]:
    yield
    stack.faults.clear()
    stack.ui_builder.jobs.clear()
    stack.ui_builder.tokens.clear()
    stack.ui_builder.files.clear()
    stack.ui_builder.calls.clear()
    stack.backend.jobs.clear()
    stack.backend.models.clear()
    stack.backend.calls.clear()


@pytest.fixture
def start_job(stack: Stack) -> Function:
    return stack.function("start_job")


@pytest.fixture
def get_job(stack: Stack) -> Function:
    return stack.function("get_job")


def payload(request: dict[str, Any]) -> dict[str, Any]:
    return {"request": request, "execution": execution_of(request)}


def poll(get_job: Function, request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Do what the state machine does with the answer of a start or a poll."""
    return get_job({**payload(request), "job": answer["job"], "key": answer["key"]})


def put(stack: Stack, key: str, content: bytes) -> str:
    stack.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    return f"s3://{BUCKET}/{key}"


def stored(stack: Stack, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    content: bytes = stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def age(stack: Stack, key: dict[str, str], path: str, names: dict[str, str]) -> None:
    """Let two minutes pass for a time in an item."""
    moment = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    stack.client("dynamodb").update_item(
        TableName="jobs",
        Key={name: {"S": value} for name, value in key.items()},
        UpdateExpression=f"SET {path} = :then",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={":then": {"S": moment}},
    )


# ---------------------------------------------------------------- deployments


def deployment(stack: Stack, **parameters: Any) -> Any:
    return any_request("start_deployment", {"appId": stack.amplify.new_app(), "branchName": "main", **parameters})


def sent_deployments(stack: Stack, request: dict[str, Any]) -> list[dict[str, Any]]:
    app_id = request["parameters"]["appId"]
    return [
        parameters
        for name, parameters in stack.amplify.calls
        if name == "StartDeployment" and parameters["appId"] == app_id
    ]


@pytest.mark.parametrize(
    "source",
    [
        {"sourceUrl": "https://releases.example/web.zip"},
        {"sourceUrl": "https://releases.example/web.zip?signature=abc"},
        {"sourceUrl": "s3://releases/web.zip", "sourceUrlType": "ZIP"},
        {"sourceUrl": "s3://releases/web/", "sourceUrlType": "BUCKET_PREFIX"},
    ],
    ids=str,
)
def test_a_deployment_of_an_address(stack: Stack, start_job: Function, source: dict[str, Any]) -> None:
    request = deployment(stack, **source)
    answer = start_job(payload(request))
    assert (answer["job"]["job"]["jobId"], answer["job"]["job"]["operation"]) == ("1", "start_deployment")
    assert sent_deployments(stack, request) == [request["parameters"]]
    assert answer["key"]["sk"] == "job#0000000001"
    assert "signature" not in json.dumps([answer, start_job.logs, lease(stack, request)], default=str)


def lease(stack: Stack, request: dict[str, Any]) -> dict[str, Any]:
    return stack.item(**lease_key(BranchRef(REGION, request["parameters"]["appId"], "main")))


def test_a_deployment_that_was_created_before(stack: Stack, start_job: Function) -> None:
    request = deployment(stack, jobId="1")
    jobs = stack.amplify.jobs[request["parameters"]["appId"], "main"]
    jobs.append({"summary": {"jobId": "1", "jobType": "MANUAL", "status": "CREATED"}, "steps": []})
    assert start_job(payload(request))["job"]["job"]["jobId"] == "1"
    assert sent_deployments(stack, request) == [request["parameters"]]


def test_an_artifact_is_handed_over_by_an_address_that_nobody_else_sees(stack: Stack, start_job: Function) -> None:
    uri = put(stack, "releases/web 1.zip", b"a zip")
    request = deployment(stack, artifact=uri)
    answer = start_job(payload(request))
    (sent,) = sent_deployments(stack, request)
    assert set(sent) == {"appId", "branchName", "sourceUrl"}
    with urllib.request.urlopen(sent["sourceUrl"]) as download:
        assert download.read() == b"a zip"
    signature = sent["sourceUrl"].partition("X-Amz-Signature=")[2]
    assert signature
    leftovers = [
        lease(stack, request),
        stack.item(**answer["key"]),
        stack.item(f"request#{request['requestId']}", "request"),
    ]
    assert signature not in json.dumps([answer, start_job.logs, leftovers], default=str)


def test_the_version_of_an_artifact_is_deployed_whatever_was_stored_after_it(stack: Stack, start_job: Function) -> None:
    s3 = stack.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=BUCKET, Key="site.zip", Body=b"first")["VersionId"]
    request = deployment(stack, artifact=put(stack, "site.zip", b"second"), artifactVersion=version)
    start_job(payload(request))
    (sent,) = sent_deployments(stack, request)
    assert set(sent) == {"appId", "branchName", "sourceUrl"}
    with urllib.request.urlopen(sent["sourceUrl"]) as download:
        assert download.read() == b"first"


def test_a_version_that_is_not_there_is_rejected(stack: Stack, start_job: Function) -> None:
    uri = put(stack, "one.zip", b"a zip")
    request = deployment(stack, artifact=uri, artifactVersion="none")
    with pytest.raises(RequestRejected, match=f"^version none of {uri} "):
        start_job(payload(request))


def test_an_artifacts_address_is_signed_anew_for_each_attempt(stack: Stack, start_job: Function) -> None:
    request = deployment(stack, artifact=put(stack, "again.zip", b"a zip"))
    stack.faults.inject({"service": "amplify", "operation": "StartDeployment", "fault": "throttle"})
    with pytest.raises(Throttled):
        start_job(payload(request))
    time.sleep(1.1)  # An address is signed for the second.
    start_job(payload(request))
    assert len(sent_deployments(stack, request)) == 1
    assert "Signature" not in json.dumps(start_job.logs)


def test_what_amplify_says_of_an_address_does_not_give_it_away(stack: Stack, start_job: Function) -> None:
    request = deployment(stack, sourceUrl="https://releases.example/web.zip?signature=abc")
    stack.faults.inject(
        {"service": "amplify", "operation": "StartDeployment", "fault": "refuse", "code": "BadRequestException",
         "message": "https://releases.example/web.zip?signature=abc is no zip"}
    )  # fmt: skip
    with pytest.raises(RequestRejected, match=r"https://releases.example/web.zip is no zip") as caught:
        start_job(payload(request))
    assert "signature" not in str(caught.value) + json.dumps(start_job.logs)


@pytest.mark.parametrize("uri", [f"s3://{BUCKET}/missing.zip", "s3://no-such-bucket/web.zip"])
def test_an_artifact_that_is_not_there_is_rejected(stack: Stack, start_job: Function, uri: str) -> None:
    request = deployment(stack, artifact=uri)
    with pytest.raises(RequestRejected, match=f"^{uri} does not exist$"):
        start_job(payload(request))
    assert sent_deployments(stack, request) == []
    assert "requestId" not in lease(stack, request)


def test_an_unfinished_deployment_is_waited_for(stack: Stack, start_job: Function) -> None:
    request = deployment(stack, sourceUrl="https://releases.example/web.zip")
    jobs = stack.amplify.jobs[request["parameters"]["appId"], "main"]
    jobs.append({"summary": {"jobId": "1", "jobType": "MANUAL", "status": "RUNNING"}, "steps": []})
    with pytest.raises(BranchBusy, match="was not finished"):
        start_job(payload(request))
    jobs[0]["summary"]["status"] = "SUCCEED"
    assert start_job(payload(request))["job"]["job"]["jobId"] == "2"


@pytest.mark.parametrize("source", ["sourceUrl", "artifact", "jobId"])
def test_a_deployment_whose_answer_was_lost_is_found(stack: Stack, start_job: Function, source: str) -> None:
    sources = {
        "sourceUrl": "https://releases.example/web.zip?x=1",
        "artifact": put(stack, "a/web.zip", b""),
        "jobId": "1",
    }
    request = deployment(stack, **{source: sources[source]})
    jobs = stack.amplify.jobs[request["parameters"]["appId"], "main"]
    jobs.append(
        {
            "summary": {"jobId": "1", "jobType": "MANUAL", "status": "CREATED" if source == "jobId" else "SUCCEED"},
            "steps": [],
        }
    )
    stack.faults.inject({"service": "amplify", "operation": "StartDeployment", "fault": "lose-answer"})
    with pytest.raises(StartUnresolved):
        start_job(payload(request))
    answer = start_job(payload(request))
    assert answer["job"]["job"]["jobId"] == ("1" if source == "jobId" else "2")
    assert len(sent_deployments(stack, request)) == 1


def test_another_deployment_is_not_taken_for_the_lost_one(stack: Stack, start_job: Function) -> None:
    request = deployment(stack, sourceUrl="https://releases.example/web.zip")
    stack.faults.inject({"service": "amplify", "operation": "StartDeployment", "fault": "lose-answer"})
    with pytest.raises(StartUnresolved):
        start_job(payload(request))
    jobs = stack.amplify.jobs[request["parameters"]["appId"], "main"]
    jobs[0]["summary"] |= {"sourceUrl": "https://releases.example/other.zip", "status": "SUCCEED"}
    with pytest.raises(StartUnresolved):
        start_job(payload(request))
    age(
        stack,
        lease_key(BranchRef(REGION, request["parameters"]["appId"], "main")),
        "#t",
        {"#t": "sentAt"},
    )
    assert start_job(payload(request))["job"]["job"]["jobId"] == "2"


# ---------------------------------------------------------------- codegen jobs


def codegen(**data: Any) -> Any:
    job = {"renderConfig": {"react": {"script": "jsx"}}, "autoGenerateForms": True, **data}
    return any_request(
        "start_codegen_job", {"appId": "d1a2b3c4d5e6", "environmentName": "dev", "codegenJobToCreate": job}
    )


def test_a_codegen_job_from_a_graphql_schema(stack: Stack, start_job: Function) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    assert answer["job"]["job"] == {
        "operation": "start_codegen_job",
        "appId": "d1a2b3c4d5e6",
        "branchName": None,
        "environmentName": "dev",
        "jobId": "job-1",
        "jobType": None,
        "warnings": [],
        "origin": None,
    }
    assert answer["waitSeconds"] <= 2
    ((_, sent),) = stack.ui_builder.calls
    assert sent["clientToken"] == request["requestId"]
    assert set(sent["codegenJobToCreate"]["genericDataSchema"]["models"]) == {"Post"}
    assert "graphqlSchema" not in sent["codegenJobToCreate"]


def test_a_codegen_job_from_a_schema_in_the_bucket(stack: Stack, start_job: Function) -> None:
    uri = put(stack, "schemas/blog.graphql", SCHEMA.encode())
    start_job(payload(codegen(graphqlSchemaUri=uri)))
    ((_, sent),) = stack.ui_builder.calls
    assert set(sent["codegenJobToCreate"]["genericDataSchema"]["models"]) == {"Post"}


def test_a_codegen_job_from_a_data_schema_and_a_token_of_its_own(stack: Stack, start_job: Function) -> None:
    schema = {"dataSourceType": "DataStore", "models": {}, "enums": {"E": {"values": ["A"]}}, "nonModels": {}}
    request = codegen(genericDataSchema=schema, tags={"team": "web"})
    request["parameters"]["clientToken"] = "mine"
    start_job(payload(request))
    ((_, sent),) = stack.ui_builder.calls
    assert sent == request["parameters"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"graphqlSchema": "type Post @model {\n  id: ID!\n  title String\n}"},
            r"codegenJobToCreate\.graphqlSchema: .*3.*9",
        ),
        ({"graphqlSchema": "type A { x: Missing }"}, r"codegenJobToCreate\.graphqlSchema: .*1.*Missing"),
        ({"graphqlSchema": SCHEMA, "graphqlSchemaUri": "s3://bucket/key"}, "use only one of these"),
        ({"graphqlSchemaUri": f"s3://{BUCKET}/none.graphql"}, "does not exist"),
        ({"renderConfig": {}}, "renderConfig"),
        ({"features": {"isRelationshipSupported": "yes"}}, r"features\.isRelationshipSupported"),
    ],
)
def test_a_codegen_job_that_cannot_be_started_is_rejected(
    stack: Stack, start_job: Function, data: dict[str, Any], text: str
) -> None:
    with pytest.raises(RequestRejected, match=text) as caught:
        start_job(payload(codegen(**data)))
    # The state machine goes by the name of the error's class.
    assert type(caught.value) is RequestRejected
    assert stack.ui_builder.calls == []


def test_a_schema_that_is_not_text_is_rejected(stack: Stack, start_job: Function) -> None:
    uri = put(stack, "schemas/broken.graphql", b"type Post \xff")
    with pytest.raises(RequestRejected, match="is not UTF-8: byte 10 is invalid"):
        start_job(payload(codegen(graphqlSchemaUri=uri)))


def test_an_unknown_directive_is_a_warning(stack: Stack, start_job: Function, get_job: Function) -> None:
    request = codegen(graphqlSchema=SCHEMA + "\ntype Comment @modle { id: ID! }")
    answer = start_job(payload(request))
    (warning,) = answer["job"]["job"]["warnings"]
    assert "@modle" in warning
    assert "2" in warning
    assert poll(get_job, request, answer)["job"]["job"]["warnings"] == [warning]


# botocore itself tries once more, but not after nonsense.
@pytest.mark.parametrize(("fault", "times"), [("throttle", 2), ("lose-answer", 2), ("nonsense", 1)])
def test_a_codegen_job_is_started_once(stack: Stack, start_job: Function, fault: str, times: int) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    stack.faults.inject({"service": "amplifyuibuilder", "operation": "StartCodegenJob", "fault": fault, "times": times})
    with pytest.raises(RetryableError):
        start_job(payload(request))
    assert start_job(payload(request))["job"]["job"]["jobId"] == "job-1"
    assert start_job(payload(request))["job"]["job"]["jobId"] == "job-1"
    assert len(stack.ui_builder.jobs) == 1


def test_a_codegen_job_is_followed_by_polls_that_come_ever_less_often(
    stack: Stack, start_job: Function, get_job: Function
) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    waits = []
    for seconds in (1, 3, 10, 40, 100):
        stack.ui_builder.jobs["job-1"]["createdAt"] = datetime.now(UTC) - timedelta(seconds=seconds)
        age_record(stack, answer["key"], seconds)
        answer = poll(get_job, request, answer)
        assert (answer["job"]["state"], answer["finished"]) == ("RUNNING", False)
        waits.append(answer["waitSeconds"])
    assert waits == sorted(waits)
    assert waits[0] <= 2
    assert 10 <= waits[-1] <= 30


def age_record(stack: Stack, key: dict[str, str], seconds: float) -> None:
    stack.client("dynamodb").update_item(
        TableName="jobs",
        Key={name: {"S": value} for name, value in key.items()},
        UpdateExpression="SET leftQueueAt = :then",
        ExpressionAttributeValues={":then": {"S": (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()}},
    )


def test_earlier_codegen_jobs_say_when_to_look(stack: Stack, start_job: Function, get_job: Function) -> None:
    for number in range(3):
        request = codegen(graphqlSchema=SCHEMA, tags={"n": str(number)})
        answer = start_job(payload(request))
        job = stack.ui_builder.jobs[answer["job"]["job"]["jobId"]]
        job |= {"status": "failed", "createdAt": datetime.now(UTC) - timedelta(seconds=30)}
        stack.ui_builder.succeed(job["id"], stack.url, {})
        assert poll(get_job, request, answer)["finished"] is True
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    assert answer["waitSeconds"] <= 2
    assert 25 < poll(get_job, request, answer)["waitSeconds"] < 35
    # Records of jobs whose ids do not count up are found in the order in which they were asked for.
    assert answer["key"]["sk"].startswith(f"start_codegen_job#{datetime.now(UTC):%Y-}")


def test_what_a_codegen_job_made_is_in_the_bucket(stack: Stack, start_job: Function, get_job: Function) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    files = {"PostCreateForm.jsx": b"create", "PostCreateForm.d.ts": b"types", "index.js": "ü".encode()}
    entries = [{"fileName": "Tag.jsx", "schemaName": "Tag", "error": "Values could not be found for enum X"}]
    message = json.dumps({"codegenErrors": [{"schemaName": "Tag", "error": "Values could not be found for enum X"}]})
    stack.ui_builder.succeed("job-1", stack.url, files, entries=entries, statusMessage=message)
    answer = poll(get_job, request, answer)
    assert (answer["job"]["state"], answer["finished"]) == ("SUCCEEDED", True)
    folder = f"s3://{BUCKET}/results/{request['requestId']}/"
    assert answer["job"]["results"] == {
        "folder": folder,
        "files": sorted(folder + name for name in [*files, "manifest.json"]),
        "moreFiles": 0,
        "partialErrors": [{"schemaName": "Tag", "error": "Values could not be found for enum X"}],
        "missing": [],
    }
    for name, content in files.items():
        assert stored(stack, folder + name) == content
    manifest = json.loads(stored(stack, folder + "manifest.json"))
    assert manifest["Output"][0] == {
        "fileName": "PostCreateForm.jsx",
        "schemaName": "PostCreateForm",
        "location": folder + "PostCreateForm.jsx",
    }
    assert "downloadUrl" not in json.dumps([manifest, answer, get_job.logs])
    assert "?s=x" not in json.dumps([manifest, answer, get_job.logs])


@pytest.mark.parametrize(("number", "length"), [(500, 600), (2_000, 200), (100, 4_000)])
def test_results_of_any_size_pass_through_the_machine_and_are_all_in_the_bucket(
    stack: Stack, start_job: Function, get_job: Function, number: int, length: int
) -> None:
    """Step Functions takes 262,144 bytes of a task; more would end the execution, and a success be told as UNKNOWN."""
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    entries = [{"fileName": f"{n}.jsx", "schemaName": f"S{n}", "error": "é" * length} for n in range(number)]
    codegen_errors = [{"schemaName": f"T{n}", "error": "no"} for n in range(number)]
    stack.ui_builder.succeed(
        "job-1",
        stack.url,
        {"a.jsx": b"a"},
        entries=entries,
        statusMessage=json.dumps({"codegenErrors": codegen_errors}),
    )
    answer = poll(get_job, request, answer)
    assert len(json.dumps({"request": request, "job": answer["job"]})) < 262_144
    results = answer["job"]["results"]
    errors = results["partialErrors"]
    assert re.fullmatch(r"and \d+ more", errors[-1]["error"])
    assert len(errors) - 1 + int(errors[-1]["error"].split()[1]) == 2 * number
    manifest = json.loads(stored(stack, results["folder"] + "manifest.json"))
    assert [entry["error"] for entry in manifest["Output"] if "error" in entry] == ["é" * length] * number
    assert manifest["codegenErrors"] == codegen_errors


def test_a_file_that_cannot_be_had_is_said(stack: Stack, start_job: Function, get_job: Function) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    entries = [
        {"fileName": "../../routes.json", "schemaName": "a", "downloadUrl": "https://files.example/a"},
        {"fileName": "b.jsx", "schemaName": "b", "downloadUrl": "http://169.254.169.254/latest/meta-data"},
        {"fileName": "c.jsx", "schemaName": "c", "downloadUrl": "https://127.0.0.1/c"},
        {"fileName": "d.jsx", "schemaName": "d"},
    ]
    files = {"x.jsx": b"x", "gone.jsx": b"", "huge.jsx": bytes(FILE_LIMIT + 1), "large.jsx": bytes(FILE_LIMIT)}
    stack.ui_builder.succeed("job-1", stack.url, files, entries=entries)
    stack.ui_builder.files["job-1/gone.jsx"] = 404
    results = poll(get_job, request, answer)["job"]["results"]
    assert [file.rpartition("/")[2] for file in results["files"]] == ["large.jsx", "manifest.json", "x.jsx"]
    assert {file["name"]: file["reason"] for file in results["missing"]} == {
        "gone.jsx": "the answer was HTTP 404",
        "huge.jsx": f"it is larger than the limit of {FILE_LIMIT} bytes",
        "../../routes.json": "its name can't be that of a file in the bucket",
        "b.jsx": "its address is not https",
        "c.jsx": "127.0.0.1 is not a public address",
        "d.jsx": "the manifest has no address for it",
    }
    assert [line["file"] for line in get_job.logs if line["level"] == "WARNING"] == [
        file["name"] for file in results["missing"]
    ]


def test_results_that_cannot_be_had_now_are_tried_for_a_while(
    stack: Stack, start_job: Function, get_job: Function
) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    stack.ui_builder.succeed("job-1", stack.url, {"x.jsx": b"x"})
    stack.ui_builder.files["job-1/x.jsx"] = 503
    with pytest.raises(ServiceTrouble, match="results"):
        poll(get_job, request, answer)
    assert "JobsSucceeded" not in get_job.metrics
    stack.ui_builder.jobs["job-1"]["modifiedAt"] = datetime.now(UTC) - timedelta(minutes=6)
    last = poll(get_job, request, answer)
    assert (last["job"]["state"], last["finished"]) == ("SUCCEEDED", True)
    (missing,) = last["job"]["results"]["missing"]
    assert missing == {"name": "x.jsx", "reason": "the answer was HTTP 503"}
    stack.ui_builder.files["job-1/x.jsx"] = b"x"
    assert poll(get_job, request, answer)["job"]["results"]["missing"] == []


@pytest.mark.parametrize("manifest", [b"no json", b"[]", b'{"Output": 5}', b"[" * 100_000])
def test_a_manifest_that_is_none_is_said(stack: Stack, start_job: Function, get_job: Function, manifest: bytes) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    stack.ui_builder.succeed("job-1", stack.url, {})
    stack.ui_builder.files["job-1/manifest"] = manifest
    stack.ui_builder.jobs["job-1"]["modifiedAt"] = datetime.now(UTC) - timedelta(minutes=6)
    (missing,) = poll(get_job, request, answer)["job"]["results"]["missing"]
    assert "manifest is invalid" in missing["reason"]


def test_a_codegen_job_that_failed(stack: Stack, start_job: Function, get_job: Function) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    stack.ui_builder.jobs["job-1"] |= {"status": "failed", "statusMessage": "The generator broke"}
    answer = poll(get_job, request, answer)
    assert (answer["job"]["state"], answer["job"]["reason"]) == ("FAILED", "The generator broke")
    assert answer["job"]["results"] is None
    assert get_job.metrics["JobsFailed"] == 1


def test_a_codegen_job_that_is_stuck(stack: Stack, start_job: Function, get_job: Function) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    answer = start_job(payload(request))
    stack.ui_builder.jobs["job-1"]["createdAt"] = datetime.now(UTC) - timedelta(minutes=46)
    answer = poll(get_job, request, answer)
    assert (answer["job"]["state"], answer["finished"]) == ("TIMED_OUT", True)


# ---------------------------------------------------------------- models


def models() -> Any:
    parameters = {"AppId": "d1a2b3c4d5e6", "BackendEnvironmentName": "dev", "ResourceName": "blog"}
    return any_request("generate_backend_api_models", parameters)


def test_models_are_generated_and_in_the_bucket(stack: Stack, start_job: Function, get_job: Function) -> None:
    request = models()
    answer = start_job(payload(request))
    job = answer["job"]["job"]
    assert (job["appId"], job["environmentName"], job["jobId"]) == ("d1a2b3c4d5e6", "dev", "models-1")
    assert answer["waitSeconds"] <= 2
    assert poll(get_job, request, answer)["job"]["state"] == "RUNNING"
    stack.backend.jobs["models-1"] |= {"Status": "COMPLETED", "UpdateTime": datetime.now(UTC).isoformat()}
    stack.backend.models |= {
        "Models": "export const schema = {};",
        "ModelIntrospectionSchema": "{}",
        "Status": "LATEST",
    }
    answer = poll(get_job, request, answer)
    assert (answer["job"]["state"], answer["finished"]) == ("SUCCEEDED", True)
    folder = f"s3://{BUCKET}/results/{request['requestId']}/"
    assert answer["job"]["results"]["files"] == [folder + "model-introspection.json", folder + "schema.js"]
    assert stored(stack, folder + "schema.js") == b"export const schema = {};"
    assert stack.backend.calls[-1] == ("GetBackendAPIModels", request["parameters"])


def test_models_that_are_stale_are_said_to_be(stack: Stack, start_job: Function, get_job: Function) -> None:
    request = models()
    answer = start_job(payload(request))
    stack.backend.jobs["models-1"]["Status"] = "COMPLETED"
    stack.backend.models |= {"Models": "export const schema = {};", "Status": "STALE"}
    results = poll(get_job, request, answer)["job"]["results"]
    assert [file.rpartition("/")[2] for file in results["files"]] == ["schema.js"]
    assert "STALE" in results["partialErrors"][0]["error"]


def test_a_pending_models_job_is_waited_for(stack: Stack, start_job: Function) -> None:
    first, second = models(), models()
    start_job(payload(first))
    with pytest.raises(BranchBusy, match="already a pending job"):
        start_job(payload(second))
    stack.backend.jobs["models-1"]["Status"] = "COMPLETED"
    assert start_job(payload(second))["job"]["job"]["jobId"] == "models-2"


def test_a_models_job_whose_answer_was_lost_is_found(stack: Stack, start_job: Function) -> None:
    stack.backend.jobs["old"] = {"JobId": "old", "Operation": "GenerateBackendAPIModels", "Status": "COMPLETED"}
    request = models()
    stack.faults.inject({"service": "amplifybackend", "operation": "GenerateBackendAPIModels", "fault": "lose-answer"})
    with pytest.raises(StartUnresolved):
        start_job(payload(request))
    assert start_job(payload(request))["job"]["job"]["jobId"] == "models-2"
    assert len(stack.backend.jobs) == 2


def test_a_models_job_that_never_arrived_is_sent_again_later(stack: Stack, start_job: Function) -> None:
    request = models()
    order = {"service": "amplifybackend", "operation": "GenerateBackendAPIModels", "fault": "refuse"}
    stack.faults.inject({**order, "code": "GatewayTimeoutException", "message": "no answer", "status": 504})
    for _ in range(2):
        with pytest.raises(StartUnresolved):
            start_job(payload(request))
    key = {"pk": f"request#{request['requestId']}", "sk": "request"}
    age(stack, key, "#a.#t", {"#a": "attempt", "#t": "sentAt"})
    assert start_job(payload(request))["job"]["job"]["jobId"] == "models-1"


def test_models_of_an_environment_that_is_not_there_are_rejected(stack: Stack, start_job: Function) -> None:
    request = models()
    request["parameters"]["BackendEnvironmentName"] = "prod"
    with pytest.raises(
        RequestRejected, match=r"not found\. \(check BackendEnvironmentName in route web of routes.yaml\)"
    ):
        start_job(payload(request))


def test_a_models_job_that_failed(stack: Stack, start_job: Function, get_job: Function) -> None:
    request = models()
    answer = start_job(payload(request))
    stack.backend.jobs["models-1"] |= {"Status": "FAILED", "Error": "The schema has no models"}
    answer = poll(get_job, request, answer)
    assert (answer["job"]["state"], answer["job"]["reason"]) == ("FAILED", "The schema has no models")


def test_every_log_line_names_the_environment(stack: Stack, start_job: Function) -> None:
    start_job(payload(models()))
    for line in start_job.logs:
        assert (line["app_id"], line["environment_name"]) == ("d1a2b3c4d5e6", "dev")


# ---------------------------------------------------------------- requests that are too large


def test_parameters_that_lie_in_the_bucket_are_fetched(stack: Stack, start_job: Function) -> None:
    request = codegen(graphqlSchema=SCHEMA)
    job = request["parameters"].pop("codegenJobToCreate")
    request["parametersUri"] = put(stack, "requests/one.json", json.dumps({"codegenJobToCreate": job}).encode())
    assert start_job(payload(request))["job"]["job"]["jobId"] == "job-1"


@pytest.mark.parametrize(("content", "text"), [(b"no json", "is not JSON"), (b"[]", "is JSON, but not an object")])
def test_parameters_that_are_none_are_rejected(stack: Stack, start_job: Function, content: bytes, text: str) -> None:
    request = codegen()
    request["parametersUri"] = put(stack, "requests/none.json", content)
    with pytest.raises(RequestRejected, match=text):
        start_job(payload(request))
