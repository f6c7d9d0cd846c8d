"""What a call of AWS raises, whatever botocore raised."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ParamValidationError
from botocore.parsers import ResponseParserError

from amplify_jobs.aws.errors import ErrorResponse, aws_errors
from amplify_jobs.errors import AmplifyJobsError, RequestRejected, ServiceTrouble, StartUnresolved

REFUSED = ClientError(
    {"Error": {"Code": "Refused", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}},  # type: ignore[typeddict-item]
    "Publish",
)
UNREACHABLE = EndpointConnectionError(endpoint_url="https://sns.example")
MALFORMED: list[Exception] = [
    ResponseParserError("not well-formed"),
    KeyError("PublishResult"),
    IndexError("0"),
    ValueError("not JSON"),
    TypeError("a list"),
    AttributeError("get"),
]


def raised(error: Exception, **options: object) -> AmplifyJobsError:
    with pytest.raises(AmplifyJobsError) as caught, aws_errors("SNS Publish", **options):  # type: ignore[arg-type]
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def test_an_error_of_the_service_is_trouble_with_its_code_and_text() -> None:
    error = raised(REFUSED)
    assert (type(error), str(error)) == (ServiceTrouble, "SNS Publish: Refused: no")


@pytest.mark.parametrize("response", [{}, {"Error": {}}, {"Error": {"Code": "Refused"}}])
def test_an_error_that_leaves_members_out_is_trouble(response: dict[str, dict[str, str]]) -> None:
    assert type(raised(ClientError(response, "Publish"))) is ServiceTrouble  # type: ignore[arg-type]


def test_a_call_may_know_what_an_error_means() -> None:
    def meaning(error: ErrorResponse) -> RequestRejected | None:
        return RequestRejected(error.message) if (error.code, error.status) == ("Refused", 403) else None

    assert type(raised(REFUSED, meaning=meaning)) is RequestRejected
    assert type(raised(ClientError({}, "Publish"), meaning=meaning)) is ServiceTrouble


@pytest.mark.parametrize(
    "error", [UNREACHABLE, ParamValidationError(report="x")], ids=lambda error: type(error).__name__
)
def test_no_answer_tells_the_kind_of_its_cause_alone(error: BotoCoreError) -> None:
    assert str(raised(error)) == f"SNS Publish: no answer ({type(error).__name__})"
    assert str(raised(error, cause=str)) == f"SNS Publish: {error}"


@pytest.mark.parametrize("error", [UNREACHABLE, *MALFORMED], ids=lambda error: type(error).__name__)
def test_a_lost_answer_is_what_the_call_says(error: Exception) -> None:
    assert type(raised(error)) is ServiceTrouble
    assert type(raised(error, lost=StartUnresolved)) is StartUnresolved


def test_our_own_errors_pass() -> None:
    with pytest.raises(RequestRejected, match="ours"), aws_errors("SNS Publish"):
        raise RequestRejected("ours")
