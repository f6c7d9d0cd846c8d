"""What the errors of Amplify's three services mean, whichever of them was called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import ParamValidationError

from amplify_jobs.aws.errors import ErrorResponse, aws_errors
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

_NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "UnauthorizedException"}
_LIMIT = "LimitExceededException"
_NOT_FOUND = {"NotFoundException", "ResourceNotFoundException"}
_REFUSED = {"BadRequestException", "InvalidParameterException", "ValidationException"}
# The services give these nothing but a BadRequestException and a text: aws-amplify/amplify-hosting issue 3748,
# aws-amplify/amplify-backend issue 2137, and what GenerateBackendAPIModels says while a job of its environment runs.
_THROTTLED_TEXT = "rate exceeded"
_BUSY_TEXTS = ("was not finished", "already a pending job")

Resources = Mapping[str, str]
"""What a service may say is not found, and the parameter that names it."""
HOSTING_RESOURCES: Resources = {"app": "appId", "branch": "branchName", "job": "jobId"}


@contextmanager
def amplify_call(operation: str, resources: Resources | None = None) -> Iterator[None]:
    """Translate what goes wrong in a call that changes nothing, or that has a token.

    Raises RequestRejected, Throttled, BranchBusy or ServiceTrouble, and for what is not there NotFoundError, or
    UnknownResourceError if the call says by which parameters it names `resources`.
    """
    with aws_errors(operation, lambda error: error_of(error, operation, resources)), _parameters(operation):
        yield


@contextmanager
def amplify_start(operation: str, resources: Resources) -> Iterator[None]:
    """Translate what goes wrong in a call that starts something and has no token.

    Like amplify_call, but StartUnresolved where it is not known whether something was started.
    """

    def meaning(error: ErrorResponse) -> AmplifyJobsError:
        return error_of_start(error, operation, resources)

    with aws_errors(operation, meaning, lost=StartUnresolved), _parameters(operation):
        yield


@contextmanager
def amplify_creation(operation: str, resources: Resources, full: str) -> Iterator[None]:
    """Translate what goes wrong in a call that creates something; `full` says what to do where there is no more room.

    Raises as amplify_call. Amplify answers the same code and status for a quota and for too many calls.
    """

    def meaning(error: ErrorResponse) -> AmplifyJobsError:
        if error.code == _LIMIT and _THROTTLED_TEXT not in error.message.lower():
            return RequestRejected(without_queries(f"{full} ({operation}: {error.code}: {error.message})"))
        return error_of(error, operation, resources)

    with aws_errors(operation, meaning), _parameters(operation):
        yield


@contextmanager
def _parameters(operation: str) -> Iterator[None]:
    try:
        yield
    except ParamValidationError as error:
        raise RequestRejected(without_queries(f"{operation}: {error}")) from error


def error_of(error: ErrorResponse, operation: str, resources: Resources | None = None) -> AmplifyJobsError:
    """Give the meaning of an error by its code and, where the service has nothing better, its text."""
    message = without_queries(f"{operation}: {error.code}: {error.message}")
    if is_throttling(error.code, error.status) or _THROTTLED_TEXT in error.message.lower():
        return Throttled(message)
    if error.code == "BadRequestException" and any(text in error.message for text in _BUSY_TEXTS):
        return BranchBusy(message)
    if error.code in _NOT_FOUND:
        return UnknownResourceError(message, _missing(message, resources)) if resources else NotFoundError(message)
    if error.code in _NOT_ALLOWED:
        return RequestRejected(f"{message} (is the app in this account and Region, and the function's policy right?)")
    if error.code in _REFUSED:
        return RequestRejected(message)
    return ServiceTrouble(message)


def error_of_start(error: ErrorResponse, operation: str, resources: Resources) -> AmplifyJobsError:
    """Give the meaning of an error of a start without a token.

    Nothing was started only if the answer says that the call itself is at fault: HTTP 4xx, but for 408, which only says
    that the answer took too long.
    """
    meaning = error_of(error, operation, resources)
    if isinstance(meaning, ServiceTrouble) and (not 400 <= error.status < 500 or error.status == 408):
        return StartUnresolved(str(meaning))
    return meaning


def _missing(message: str, resources: Resources) -> list[str]:
    """Which parameters name what is not there.

    The error has a text only, as "Job 99 not found.": the kind of resource that it names first counts, else any may be
    meant.
    """
    text = message.lower()
    positions = {kind: match.start() for kind in resources if (match := re.search(rf"\b{kind}\b", text))}
    return [resources[min(positions, key=positions.__getitem__)]] if positions else list(resources.values())
