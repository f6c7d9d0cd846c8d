"""Job requests: our parameters against botocore's model of the API, and what is said of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.parameters import StartJobParameters, validated_parameters
from amplify_jobs.model.request import REQUEST_ID_PATTERN, Cause, JobRequest, parse_job_request
from amplify_jobs.model.validation import faults

AMPLIFY = ServiceModel(Loader(include_default_search_paths=True).load_service_model("amplify", "service-2"), "amplify")
START_JOB = AMPLIFY.shape_for("StartJobRequest")
assert isinstance(START_JOB, StructureShape)
MEMBERS: dict[str, Shape] = dict(START_JOB.members)
REQUIRED = set(START_JOB.required_members)
FIELDS = {str(field.alias): field for field in StartJobParameters.model_fields.values()}
VALID: dict[str, Any] = {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

every_member = pytest.mark.parametrize("name", MEMBERS)


# ---------------------------------------------------------------- against botocore's model


def test_we_have_the_members_of_the_api_and_no_others() -> None:
    assert set(FIELDS) == set(MEMBERS)
    assert {name for name, field in FIELDS.items() if field.is_required()} == REQUIRED


def accepts(name: str, value: object) -> bool:
    """Whether our model takes a value for a member, everything else being right."""
    members: dict[str, Any] = {**VALID, name: value}
    if members["jobType"] == "RETRY":
        members.setdefault("jobId", "1")
    try:
        StartJobParameters.model_validate(members)
    except ValidationError:
        return False
    return True


@every_member
def test_lengths_end_where_the_apis_do(name: str) -> None:
    shape = MEMBERS[name]
    if shape.type_name != "string" or getattr(shape, "enum", None):
        return
    letter, head = {"jobId": ("1", ""), "appId": ("a", "d")}.get(name, ("x", ""))
    longest, shortest = shape.metadata["max"], shape.metadata.get("min", 0)
    # A pattern may ask for more characters than the shortest length.
    least = next(size for size in range(3) if size >= shortest and follows(shape, (head + letter * 9)[:size]))
    assert accepts(name, head + letter * (longest - len(head)))
    assert not accepts(name, head + letter * (longest - len(head) + 1))
    assert accepts(name, (head + letter * 9)[:least])
    if least:
        assert not accepts(name, (head + letter * 9)[: least - 1])


@every_member
def test_enums_are_the_apis(name: str) -> None:
    for value in getattr(MEMBERS[name], "enum", None) or []:
        assert accepts(name, value)
        assert not accepts(name, value.lower())


def follows(shape: Shape, value: str) -> bool:
    """Whether a text is what botocore's model of a string allows."""
    allowed, limits = getattr(shape, "enum", None), shape.metadata
    if allowed and value not in allowed:
        return False
    if not limits.get("min", 0) <= len(value) <= limits.get("max", len(value)):
        return False
    return re.fullmatch(limits.get("pattern", "(?s).*"), value) is not None


STRINGS = sorted(name for name, shape in MEMBERS.items() if shape.type_name == "string")
# Lone surrogates can't be sent: UTF-8 has no bytes for them.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
near_misses = st.from_regex(r"\A(d[a-z0-9]{0,22}|[0-9]{0,12}|RELEASE|RETRY|MANUAL|WEB_HOOK)\n?\Z") | st.sampled_from(
    ["", "d", "D1", "d1_", "\u0661", "1 ", "release", "x" * 255, "x" * 256, "é" * 255, "x\ny"]
)


@given(st.sampled_from(STRINGS), texts | near_misses)
def test_we_accept_what_the_api_accepts_and_nothing_else(name: str, value: str) -> None:
    assert accepts(name, value) == follows(MEMBERS[name], value)


@pytest.mark.parametrize("value", [5, True, None, ["main"], {}])
@pytest.mark.parametrize("name", ["appId", "branchName", "jobType"])
def test_a_required_member_of_another_type_is_refused(name: str, value: object) -> None:
    assert not accepts(name, value)


@pytest.mark.parametrize("value", ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00+01:00", 1772366400, NOW])
def test_the_time_of_a_commit_is_taken_in_the_apis_forms(value: object) -> None:
    assert accepts("commitTime", value)


def test_what_we_accept_botocore_sends() -> None:
    parameters = StartJobParameters.model_validate({**VALID, "jobId": "7", "commitTime": "2026-03-01T12:00:00Z"})
    sent = parameters.model_dump(by_alias=True, exclude_none=True)
    assert not ParamValidator().validate(sent, START_JOB).has_errors()


def test_every_operation_has_parameters_of_its_own() -> None:
    assert len({operation.parameters_model() for operation in Operation}) == len(Operation)


@pytest.mark.parametrize("job_type", ["RELEASE", "MANUAL", "WEB_HOOK"])
def test_only_a_retry_needs_the_id_of_a_job(job_type: str) -> None:
    StartJobParameters.model_validate({**VALID, "jobType": job_type})
    with pytest.raises(ValidationError, match="jobId is required when jobType is RETRY"):
        StartJobParameters.model_validate({**VALID, "jobType": "RETRY"})
    assert StartJobParameters.model_validate({**VALID, "jobType": "RETRY", "jobId": "7"}).job_id == "7"


# ---------------------------------------------------------------- what is said of what is wrong


REQUEST: dict[str, Any] = {
    "version": "1",
    "requestId": "web-0123456789abcdef0123456789abcdef",
    "route": "web",
    "operation": "start_job",
    "parameters": VALID,
    "cause": {"source": "github", "kind": "push"},
    "receivedAt": "2026-03-01T12:00:00Z",
}


def test_a_request_with_its_defaults() -> None:
    request = parse_job_request(REQUEST)
    assert (request.timeout_minutes, request.start_within_minutes) == (60, 360)
    assert parse_job_request(request.model_dump(mode="json", by_alias=True)) == request


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"requestId": "Web-1"}, "requestId"),
        ({"requestId": "a" * 81}, "requestId"),
        ({"requestId": "web-1\n"}, "requestId"),
        ({"version": "2"}, "version"),
        ({"route": 1}, "route"),
        ({"parameters": []}, "parameters"),
        ({"timeoutMinutes": 0}, "timeoutMinutes"),
        ({"timeoutMinutes": 1441}, "timeoutMinutes"),
        ({"startWithinMinutes": 1.5}, "startWithinMinutes"),
        ({"cause": {}}, "cause.source"),
        ({"receivedAt": "2026-03-01T12:00:00"}, "receivedAt"),
    ],
)
def test_a_fault_of_a_request_is_named_with_its_path(change: dict[str, Any], path: str) -> None:
    with pytest.raises(RequestRejected) as caught:
        parse_job_request({**REQUEST, **change})
    assert any(line.startswith(f"{path}: ") for line in str(caught.value).split("; "))


@pytest.mark.parametrize("raw", [None, [], "x", 5])
def test_what_is_no_request_at_all_is_rejected(raw: object) -> None:
    with pytest.raises(RequestRejected):
        parse_job_request(raw)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({**VALID, "appId": "x"}, "parameters.appId: String should match pattern '^d[a-z0-9]+$'"),
        (
            {**VALID, "jobType": "BUILD"},
            "parameters.jobType: Input should be 'RELEASE', 'RETRY', 'MANUAL' or 'WEB_HOOK'",
        ),
        (
            {**VALID, "jobType": "RETRY"},
            "parameters: jobId is required when jobType is RETRY: name the job to run again",
        ),
        ({**VALID, "branch": "main"}, "parameters.branch: Extra inputs are not permitted"),
        ({"branchName": "main", "jobType": "RELEASE"}, "parameters.appId: Field required"),
    ],
)
def test_a_fault_of_the_parameters_is_named_with_its_path(parameters: dict[str, Any], text: str) -> None:
    with pytest.raises(RequestRejected) as caught:
        validated_parameters(parse_job_request({**REQUEST, "parameters": parameters}))
    assert str(caught.value) == text


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(RequestRejected) as caught:
        validated_parameters(parse_job_request({**REQUEST, "parameters": {"jobType": "BUILD"}}))
    assert [line.split(":")[0] for line in str(caught.value).split("; ")] == [
        "parameters.appId",
        "parameters.branchName",
        "parameters.jobType",
    ]


def test_an_unknown_operation_is_named_with_those_that_are_known() -> None:
    names = ", ".join(Operation)
    with pytest.raises(RequestRejected, match=rf"^operation: 'deploy' is not known; use one of {names}$"):
        validated_parameters(parse_job_request({**REQUEST, "operation": "deploy"}))


SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def places(value: Any, model: type[BaseModel]) -> Iterator[dict[str, Any]]:
    """The document with the secret in place of each of its members' values."""
    for field in model.model_fields.values():
        for wrong in (SECRET * 300, [SECRET], {"token": SECRET}, f"https://x.example/?t={SECRET}"):
            yield {**value, str(field.alias): wrong}


def said_of(value: Any, model: type[BaseModel]) -> list[str]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        return faults(error)
    return []


@pytest.mark.parametrize("change", [*places(REQUEST, JobRequest)])
def test_no_fault_of_a_request_repeats_a_value(change: dict[str, Any]) -> None:
    assert SECRET not in " ".join(said_of(change, JobRequest))


@pytest.mark.parametrize("change", [*places(VALID, StartJobParameters)])
def test_no_fault_of_the_parameters_repeats_a_value(change: dict[str, Any]) -> None:
    assert SECRET not in " ".join(said_of(change, StartJobParameters))


def test_what_is_logged_of_a_request_is_its_names_and_nothing_else() -> None:
    request = parse_job_request({**REQUEST, "cause": {**REQUEST["cause"], "deliveryId": "d-1", "message": SECRET}})
    assert request.log_keys() == {
        "request_id": REQUEST["requestId"],
        "delivery_id": "d-1",
        "app_id": "d1a2b3c4d5e6",
        "branch_name": "main",
    }


@given(st.from_regex(REQUEST_ID_PATTERN, fullmatch=True).filter(lambda text: not text.endswith("\n")))
def test_a_request_id_can_name_an_execution(request_id: str) -> None:
    """API: StartExecution, name: at most 80 characters, of these."""
    assert re.fullmatch(r"[A-Za-z0-9-]{1,80}", request_id)
    assert parse_job_request({**REQUEST, "requestId": request_id}).request_id == request_id


def test_a_cause_of_a_later_version_is_read() -> None:
    assert Cause.model_validate({"source": "github", "kind": "push", "new": 1}).kind == "push"


def test_models_are_frozen() -> None:
    with pytest.raises(ValidationError):
        parse_job_request(REQUEST).received_at = NOW + timedelta(days=1)


@pytest.mark.parametrize("operation", Operation)
def test_the_operation_is_one_of_the_apis(operation: Operation) -> None:
    services = (
        ServiceModel(Loader(include_default_search_paths=True).load_service_model(name, "service-2"), name)
        for name in ("amplify", "amplifyuibuilder", "amplifybackend")
    )
    assert operation in {xform_name(name) for service in services for name in service.operation_names}


@pytest.mark.parametrize(
    ("operation", "minutes"),
    [
        ("start_job", 60),
        ("start_deployment", 60),
        ("start_codegen_job", 10),
        ("generate_backend_api_models", 10),
        ("another", 60),
    ],
)
def test_a_job_may_run_as_long_as_its_operation_usually_needs(operation: str, minutes: int) -> None:
    assert parse_job_request({**REQUEST, "operation": operation}).timeout_minutes == minutes
    assert parse_job_request({**REQUEST, "operation": operation, "timeoutMinutes": 7}).timeout_minutes == 7


@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ({"appId": "d1", "branchName": "main"}, ("d1", "main", None)),
        ({"appId": "d1", "environmentName": "dev"}, ("d1", None, "dev")),
        ({"AppId": "d1", "BackendEnvironmentName": "dev"}, ("d1", None, "dev")),
        ({"appId": 5, "branchName": ["main"]}, (None, None, None)),
    ],
)
def test_what_a_request_is_for(parameters: dict[str, Any], place: tuple[str | None, ...]) -> None:
    request = parse_job_request({**REQUEST, "parameters": parameters})
    assert (request.app_id, request.branch_name, request.environment_name) == place
