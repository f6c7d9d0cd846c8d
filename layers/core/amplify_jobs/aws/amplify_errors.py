"""What the errors of Amplify's three services mean, whichever of them was called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from amplify_jobs.aws.throttling import is_throttling
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
from amplify_jobs.text import without_queries

# One attempt and no more: a hidden retry of a call without a token would start a second job. The answer is waited for
# well below the function's own time-out, so that a lost one is noticed while there is time to say so.
NO_RETRY_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=15)
READ_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=5)

_NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "UnauthorizedException"}
_NOT_FOUND = {"NotFoundException", "ResourceNotFoundException"}
_REFUSED = {"BadRequestException", "InvalidParameterException", "ValidationException"}
# The services give these nothing but a BadRequestException and a text: aws-amplify/amplify-hosting issue 3748,
# aws-amplify/amplify-backend issue 2137, and what GenerateBackendAPIModels says while a job of its environment runs.
_THROTTLED_TEXT = "rate exceeded"
_BUSY_TEXTS = ("was not finished", "already a pending job")

MALFORMED_RESPONSE_ERRORS = (ResponseParserError, ValueError, TypeError, AttributeError)
"""What botocore raises for bodies that are no JSON and members of another shape than the service model's."""


Answered = TypeVar("Answered")


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
    if is_throttling(code, status) or _THROTTLED_TEXT in message.lower():
        return Throttled(said)
    if code == "BadRequestException" and any(text in message for text in _BUSY_TEXTS):
        return BranchBusy(said)
    if code in _NOT_FOUND:
        return NotFoundError(said)
    if code in _NOT_ALLOWED:
        return RequestRejected(f"{said} (is the app in this account and Region, and the function's policy right?)")
    if code in _REFUSED:
        return RequestRejected(said)
    return ServiceTrouble(said)


def error_of_start(error: ClientError, operation: str) -> AmplifyJobsError:
    """Translate an error of a call that starts something and has no token.

    Like error_of, but StartUnresolved where it is not known whether something was started: after any answer but one
    that says the call itself is at fault (HTTP 4xx; 408 only says that the answer took too long).
    """
    translated = error_of(error, operation)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if isinstance(translated, ServiceTrouble) and (not 400 <= status < 500 or status == 408):
        return StartUnresolved(str(translated))
    return translated


def part(answer: Mapping[str, Any], name: str, kind: type[Answered]) -> Answered:
    """Take a member of an answer without which it is none. Raises TypeError, which `asked` translates."""
    value = answer.get(name)
    if not isinstance(value, kind):
        raise TypeError(f"the answer has no {name}")
    return value


@contextmanager
def asked(operation: str) -> Iterator[None]:
    """Translate what goes wrong inside, by error_of; an answer that can't be understood is ServiceTrouble."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise error_of(error, operation) from error
    except MALFORMED_RESPONSE_ERRORS as error:
        raise ServiceTrouble(f"{operation}: answered nonsense ({type(error).__name__})") from error


HOSTING_RESOURCES = {"app": "appId", "branch": "branchName", "job": "jobId"}
"""What Amplify Hosting says is not found, and the parameter that names it."""


def rejected_if_unknown(
    error: AmplifyJobsError, resources: Mapping[str, str] = MappingProxyType(HOSTING_RESOURCES)
) -> AmplifyJobsError:
    """Of a start, say which parameters name what is not there; `resources` has a parameter for each kind of it.

    The error has a text only, as "Job 99 not found.": the kind that it names first counts, else any may be meant.
    """
    if not isinstance(error, NotFoundError):
        return error
    said = str(error).lower()
    places = {kind: found.start() for kind in resources if (found := re.search(rf"\b{kind}\b", said))}
    kinds = [min(places, key=places.__getitem__)] if places else list(resources)
    return UnknownResourceError(str(error), [resources[kind] for kind in kinds])
