"""Which operation a request calls, and with which parameters."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.server.protocol.errors import ServiceError
from local.server.protocol.match import operation_name, read_request
from local.server.protocol.validate import validate
from tests.support.protocol import received


@pytest.mark.parametrize(
    ("service", "request_line", "headers", "body", "expected"),
    [
        ("amplify", "GET /apps", {}, "", "ListApps"),
        ("amplify", "GET /apps/", {}, "", "ListApps"),
        ("amplify", "POST /apps/d1/branches/feature%2Fx/jobs", {}, "", "StartJob"),
        ("amplify", "POST /apps/d1/branches/feature/x/jobs", {}, "", None),
        ("amplify", "POST /apps/d1/branches/b/deployments/start", {}, "", "StartDeployment"),
        ("amplify", "DELETE /apps/d1/branches/b/jobs/4/stop", {}, "", "StopJob"),
        ("amplify", "PATCH /apps/d1", {}, "", None),
        ("lambda", "GET /2015-03-31/functions/", {}, "", "ListFunctions"),
        ("lambda", "GET /2015-03-31/functions/f", {}, "", "GetFunction"),
        ("states", "POST /", {"X-Amz-Target": "AWSStepFunctions.StartExecution"}, "{}", "StartExecution"),
        ("dynamodb", "POST /", {"X-Amz-Target": "DynamoDB_20120810.PutItem"}, "{}", "PutItem"),
        ("events", "POST /", {"X-Amz-Target": "AWSEvents.NoSuch"}, "{}", None),
        ("events", "POST /", {}, "{}", None),
        (
            "sns",
            "POST /",
            {"Content-Type": "application/x-www-form-urlencoded"},
            "Action=Publish&Message=hello",
            "Publish",
        ),
        ("s3", "GET /", {}, "", "ListBuckets"),
        ("s3", "PUT /bucket/a/key", {}, "x", "PutObject"),
        ("s3", "PUT /bucket/a/key", {"x-amz-copy-source": "b/k"}, "", "CopyObject"),
        ("s3", "PUT /bucket/a/key?partNumber=1&uploadId=u", {}, "x", "UploadPart"),
        ("s3", "GET /bucket?list-type=2", {}, "", "ListObjectsV2"),
        ("s3", "GET /bucket/", {}, "", "ListObjects"),
        ("s3", "GET /bucket/folder/", {}, "", "GetObject"),
    ],
)
def test_the_operation_is_told_in_any_protocol(
    service: str, request_line: str, headers: dict[str, str], body: str, expected: str | None
) -> None:
    method, _, path = request_line.partition(" ")
    result = received(method, path, body, headers)
    assert operation_name(service, result) == expected
    assert result.get_data() == body.encode(), "whoever answers the request still finds its body"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (1600000000, datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)),
        (1600000000.25, datetime(2020, 9, 13, 12, 26, 40, 250000, tzinfo=UTC)),
        ("2020-09-13T12:26:40Z", datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)),
        ("2020-09-13T14:26:40+02:00", datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)),
        ("yesterday", "yesterday"),
        (True, True),
        (1e300, 1e300),
    ],
)
def test_times_are_read_as_numbers_and_as_text(sent: Any, read: Any) -> None:
    body = json.dumps({"jobType": "RELEASE", "commitTime": sent})
    _, params = read_request("amplify", received("POST", "/apps/d1/branches/main/jobs", body))
    assert params["commitTime"] == read
    assert type(params["commitTime"]) is type(read)


@pytest.mark.parametrize("body", ["{", "[1]", '"text"', "NaN", '{"a": NaN}', "\xff", "[" * 100_000, b"\xff\xfe\x00"])
def test_a_body_that_is_no_json_object_is_refused(body: str | bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        read_request("amplify", received("POST", "/apps/d1/branches/b/jobs", body))
    assert caught.value.status == 400


@settings(deadline=None)
@given(
    path=st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=60).map(lambda text: f"/apps/{text}"),
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    body=st.binary(max_size=40)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps),
)
def test_whatever_arrives_only_a_service_error_leaves(path: str, method: str, body: bytes | str) -> None:
    with suppress(ServiceError):
        operation, params = read_request("amplify", received(method, path, body))
        validate(operation, params)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(document=st.dictionaries(st.sampled_from(["jobType", "jobId", "commitId", "commitTime", "jobReason"]), JSON))
def test_a_member_of_any_type_is_named_not_stumbled_over(document: dict[str, Any]) -> None:
    operation, params = read_request("amplify", received("POST", "/apps/d1/branches/b/jobs", json.dumps(document)))
    with suppress(ServiceError):
        validate(operation, params)
