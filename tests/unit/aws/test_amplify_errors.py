"""What each of Amplify's errors means for a request, by its code and, where it has nothing better, its text."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.loaders import Loader
from botocore.model import ServiceModel

from amplify_jobs.aws.amplify_errors import HOSTING_RESOURCES, amplify_call, amplify_start
from amplify_jobs.errors import (
    AmplifyJobsError,
    BranchBusy,
    NotFoundError,
    RequestRejected,
    ServiceTrouble,
    StartUnresolved,
    Throttled,
    UnknownResourceError,
)

AMPLIFY = ServiceModel(Loader(include_default_search_paths=True).load_service_model("amplify", "service-2"), "amplify")
SLOW_DOWN = "Rate exceeded while calling StartJob, please slow down or try again later."
NOT_FINISHED = (
    "The last job(deployment) 64 was not finished, please wait until it finish or use StopJob operation to cancel it "
    "before creating a new deployment."
)


def translated(error: Exception, operation: str, resources: Mapping[str, str] | None = None) -> Exception:
    """What a call that changes nothing raises for an error."""
    with pytest.raises(AmplifyJobsError) as caught, amplify_call(operation, resources):
        raise error
    return caught.value


def translated_of_start(error: Exception) -> Exception:
    """What a start raises for an error."""
    with pytest.raises(AmplifyJobsError) as caught, amplify_start("StartJob", HOSTING_RESOURCES):
        raise error
    return caught.value


def answered(code: str, message: str = "no", status: int = 400) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "StartJob")  # type: ignore[arg-type]  # real answers leave members out


CASES: list[tuple[ClientError, type[AmplifyJobsError]]] = [
    (answered("BadRequestException"), RequestRejected),
    (answered("BadRequestException", "The requested jobType MANUAL does not support."), RequestRejected),
    (answered("BadRequestException", SLOW_DOWN), Throttled),
    (answered("BadRequestException", NOT_FINISHED), BranchBusy),
    (answered("ValidationException"), RequestRejected),
    (answered("UnauthorizedException", status=401), RequestRejected),
    (answered("AccessDeniedException", status=403), RequestRejected),
    (answered("NotFoundException", status=404), NotFoundError),
    (answered("LimitExceededException", status=429), Throttled),
    (answered("ThrottlingException", status=400), Throttled),
    (answered("TooManyRequestsException", status=429), Throttled),
    (answered("SomethingNew", status=429), Throttled),
    (answered("InternalFailureException", status=500), ServiceTrouble),
    (answered("DependentServiceFailureException", status=503), ServiceTrouble),
    (answered("ExpiredTokenException", status=403), ServiceTrouble),
    (answered("SomethingNew", status=400), ServiceTrouble),
]


@pytest.mark.parametrize(("error", "meaning"), CASES, ids=lambda value: str(getattr(value, "response", "")))
def test_what_an_error_means(error: ClientError, meaning: type[AmplifyJobsError]) -> None:
    raised = translated(error, "StartJob")
    assert type(raised) is meaning
    assert str(raised).startswith(f"StartJob: {error.response['Error']['Code']}: ")


@pytest.mark.parametrize("status", [0, 200, 301, 400, 401, 403, 404, 408, 409, 415, 429, 499, 500, 502, 503, 504])
def test_of_a_start_only_what_may_have_been_done_is_unresolved(status: int) -> None:
    raised = translated_of_start(answered("SomethingNew", status=status))
    nothing_started = 400 <= status < 500 and status != 408
    assert isinstance(raised, StartUnresolved) is not nothing_started
    assert isinstance(raised, ServiceTrouble | Throttled) is nothing_started


@pytest.mark.parametrize(("error", "meaning"), CASES, ids=lambda value: str(getattr(value, "response", "")))
def test_what_an_error_of_a_start_means(error: ClientError, meaning: type[AmplifyJobsError]) -> None:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if meaning is NotFoundError:
        meaning = UnknownResourceError
    assert type(translated_of_start(error)) is (StartUnresolved if status >= 500 else meaning)


@pytest.mark.parametrize("operation", ["StartJob", "ListJobs", "GetJob", "GetApp", "GetBranch"])
def test_every_error_that_the_api_declares_is_in_the_table(operation: str) -> None:
    declared = {shape.name for shape in AMPLIFY.operation_model(operation).error_shapes}
    assert declared <= {error.response["Error"]["Code"] for error, _ in CASES}


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="https://amplify"),
        ReadTimeoutError(endpoint_url="https://amplify"),
        EndpointConnectionError(endpoint_url="https://amplify"),
        NoCredentialsError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer_is_trouble(error: Exception) -> None:
    raised = translated(error, "GetJob")
    assert type(raised) is ServiceTrouble
    assert str(raised) == f"GetJob: no answer ({type(error).__name__})"
    assert type(translated_of_start(error)) is StartUnresolved


def test_parameters_that_botocore_does_not_send_are_rejected() -> None:
    error = ParamValidationError(report="Invalid length for parameter appId")
    for raised in (translated(error, "StartJob"), translated_of_start(error)):
        assert type(raised) is RequestRejected
        assert "Invalid length for parameter appId" in str(raised)


BACKEND = {"app": "AppId", "environment": "BackendEnvironmentName", "api": "ResourceName"}


@pytest.mark.parametrize(
    ("text", "resources", "route", "hint"),
    [
        ("App d1 not found.", HOSTING_RESOURCES, "web", "(check appId in route web of routes.yaml)"),
        ("Branch app not found.", HOSTING_RESOURCES, None, "(check branchName in the request)"),
        ("Job 99 not found.", HOSTING_RESOURCES, None, "(check jobId in the request)"),
        ("Unable to find branch x of app d1", HOSTING_RESOURCES, None, "(check branchName in the request)"),
        (
            "Apparently gone",
            HOSTING_RESOURCES,
            "web",
            "(check appId, branchName and jobId in route web of routes.yaml)",
        ),
        ("Backend environment dev not found.", BACKEND, None, "(check BackendEnvironmentName in the request)"),
        ("API x not found.", BACKEND, None, "(check ResourceName in the request)"),
    ],
)
def test_what_is_not_found_names_its_parameter(
    text: str, resources: dict[str, str], route: str | None, hint: str
) -> None:
    unknown = translated(answered("NotFoundException", text, 404), "StartJob", resources)
    assert isinstance(unknown, UnknownResourceError)
    rejection = unknown.rejection(route)
    assert type(rejection) is RequestRejected
    assert str(rejection) == f"StartJob: NotFoundException: {text} {hint}"


def test_other_errors_name_no_parameter() -> None:
    for error, meaning in CASES:
        if meaning is not NotFoundError:
            assert type(translated(error, "StartJob", HOSTING_RESOURCES)) is meaning
