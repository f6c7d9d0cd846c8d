"""What the errors of Amplify's three services mean, whichever of them was called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from amplify_jobs.errors import AmplifyJobsError, BranchBusy, RequestRejected, ServiceTrouble, Throttled
from amplify_jobs.texts import without_queries

# One attempt and no more: a hidden retry of a call without a token would start a second job. The answer is waited for
# well below the function's own time-out, so that a lost one is noticed while there is time to say so.
SENDING = Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=15)
ASKING = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=5)

_THROTTLED = {
    "LimitExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "UnauthorizedException"}
_NOT_FOUND = {"NotFoundException", "ResourceNotFoundException"}
_REFUSED = {"BadRequestException", "InvalidParameterException", "ValidationException"}
# The services give these nothing but a BadRequestException and a text: aws-amplify/amplify-hosting issue 3748,
# aws-amplify/amplify-backend issue 2137, and what GenerateBackendAPIModels says while a job of its environment runs.
_THROTTLED_TEXT = "rate exceeded"
_BUSY_TEXTS = ("was not finished", "already a pending job")

NONSENSE = (ResponseParserError, ValueError, TypeError, AttributeError)
"""What botocore raises for bodies that are no JSON and members of another shape than the service model's."""


class NotFound(AmplifyJobsError):
    """Amplify knows no such app, branch, environment or job."""


def error_of(error: ClientError | BotoCoreError, doing: str) -> AmplifyJobsError:
    """Translate an error of a call that changes nothing, by its code; `doing` opens the message."""
    if isinstance(error, ParamValidationError):
        return RequestRejected(without_queries(f"{doing}: {error}"))
    if not isinstance(error, ClientError):
        return ServiceTrouble(f"{doing}: no answer ({type(error).__name__})")
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = without_queries(f"{doing}: {code}: {message}")
    if code in _THROTTLED or status == 429 or _THROTTLED_TEXT in message.lower():
        return Throttled(said)
    if code == "BadRequestException" and any(text in message for text in _BUSY_TEXTS):
        return BranchBusy(said)
    if code in _NOT_FOUND:
        return NotFound(said)
    if code in _NOT_ALLOWED:
        return RequestRejected(f"{said} (is the app in this account and Region, and the function's policy right?)")
    if code in _REFUSED:
        return RequestRejected(said)
    return ServiceTrouble(said)


@contextmanager
def asked(operation: str) -> Iterator[None]:
    """Translate what goes wrong inside, by error_of; an answer that can't be understood is ServiceTrouble."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise error_of(error, operation) from error
    except NONSENSE as error:
        raise ServiceTrouble(f"{operation}: answered nonsense ({type(error).__name__})") from error


def rejected_if_unknown(
    error: AmplifyJobsError, look_at: str = "appId and branchName in routes.yaml"
) -> AmplifyJobsError:
    """Of a start, say that what it is for is not there, and which parameters name it."""
    return RequestRejected(f"{error} (check {look_at})") if isinstance(error, NotFound) else error
