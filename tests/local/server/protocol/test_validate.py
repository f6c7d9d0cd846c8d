"""Parameters are held against the model's constraints, in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest

from local.server.protocol.errors import ServiceError
from local.server.protocol.models import service_model
from local.server.protocol.validate import validate


def start_job(**changes: Any) -> dict[str, Any]:
    return {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"} | changes


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            start_job(appId="a1"),
            "1 validation error detected: Value 'a1' at 'appId' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: d[a-z0-9]+",
        ),
        (
            start_job(appId="d1\n"),
            "1 validation error detected: Value 'd1\n' at 'appId' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: d[a-z0-9]+",
        ),
        (
            start_job(branchName=""),
            "2 validation errors detected: Value '' at 'branchName' failed to satisfy constraint: Member must have "
            "length greater than or equal to 1; Value '' at 'branchName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: (?s).+",
        ),
        (
            start_job(jobType="BUILD"),
            "1 validation error detected: Value 'BUILD' at 'jobType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [RELEASE, RETRY, MANUAL, WEB_HOOK]",
        ),
        (
            {"appId": "d1", "branchName": "main"},
            "1 validation error detected: Value null at 'jobType' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            start_job(jobReason="r" * 256),
            f"1 validation error detected: Value '{'r' * 256}' at 'jobReason' failed to satisfy constraint: "
            "Member must have length less than or equal to 255",
        ),
        (
            start_job(commitTime="yesterday"),
            "1 validation error detected: Value 'yesterday' at 'commitTime' failed to satisfy constraint: "
            "Member must be of type timestamp",
        ),
    ],
)
def test_every_constraint_is_checked_and_named(params: dict[str, Any], message: str) -> None:
    operation = service_model("amplify").operation_model("StartJob")
    with pytest.raises(ServiceError) as caught:
        validate(operation, params)
    assert (caught.value.code, caught.value.status, caught.value.message) == ("BadRequestException", 400, message)


@pytest.mark.parametrize(
    ("operation", "params", "part"),
    [
        ("ListJobs", {"appId": "d1", "branchName": "b", "maxResults": 51}, "value less than or equal to 50"),
        ("ListJobs", {"appId": "d1", "branchName": "b", "maxResults": -1}, "value greater than or equal to 0"),
        ("ListJobs", {"appId": "d1", "branchName": "b", "maxResults": "ten"}, "be of type integer"),
        ("CreateApp", {"name": "web", "environmentVariables": {"A": 1}}, "'environmentVariables.A.member'"),
        ("CreateApp", {"name": "web", "customRules": [{"source": "/"}]}, "null at 'customRules.1.member.target'"),
        ("CreateApp", {"name": "web", "tags": {"aws:x": "y"}}, "'tags.key'"),
        ("CreateApp", {"name": "web", "tags": {"x": "a!"}}, "'tags.x.member'"),
        ("CreateApp", {"name": "web", "enableBasicAuth": 1}, "be of type boolean"),
    ],
)
def test_faults_name_their_place(operation: str, params: dict[str, Any], part: str) -> None:
    with pytest.raises(ServiceError) as caught:
        validate(service_model("amplify").operation_model(operation), params)
    assert part in caught.value.message


def test_letters_of_every_script_satisfy_a_unicode_category() -> None:
    validate(service_model("amplify").operation_model("CreateApp"), {"name": "w", "tags": {"x": "Größe 10 中文"}})


def test_a_secret_is_not_repeated() -> None:
    with pytest.raises(ServiceError) as caught:
        validate(service_model("amplify").operation_model("CreateApp"), {"name": "w", "accessToken": "hush" * 2000})
    assert "hush" not in caught.value.message
    assert "'accessToken'" in caught.value.message
