"""What goes wrong in a call of AWS, translated once: botocore's errors in, our errors out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from amplify_jobs.errors import RetryableError, ServiceTrouble

MALFORMED_RESPONSE_ERRORS = (ResponseParserError, LookupError, ValueError, TypeError, AttributeError)
"""What botocore, or whoever reads its answer, raises for a body that is none of the operation's.

botocore reads any JSON and any XML, and does not hold its members against the service's model.
"""

Member = TypeVar("Member")


@dataclass(frozen=True)
class ErrorResponse:
    """An error that a service answered: its code, its text and the HTTP status."""

    code: str
    message: str
    status: int

    @classmethod
    def of(cls, error: ClientError) -> ErrorResponse:
        """Read botocore's error. Real answers leave out what botocore's types call required."""
        described = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return cls(str(described.get("Code", "")), str(described.get("Message", "")), status)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


def no_special_meaning(error: ErrorResponse) -> Exception | None:  # noqa: ARG001 -- what others judge by
    """The meaning of every error of a call that knows no better."""
    return None


def name_of_cause(error: BotoCoreError) -> str:
    """Say that a call got no answer, and why, by the kind of the error only: its text may repeat what was sent."""
    return f"no answer ({type(error).__name__})"


@contextmanager
def aws_errors(
    call: str,
    meaning: Callable[[ErrorResponse], Exception | None] = no_special_meaning,
    *,
    lost: type[RetryableError] = ServiceTrouble,
    cause: Callable[[BotoCoreError], str] = name_of_cause,
) -> Iterator[None]:
    """Translate what goes wrong inside; `call`, as "SNS Publish", opens every message.

    `meaning` gives the exception that an error of the service means, or None where it means no more than
    ServiceTrouble. Where no answer came, or one that is none, `lost` is raised, and `cause` says why none came.
    """
    try:
        yield
    except ClientError as error:
        response = ErrorResponse.of(error)
        raise meaning(response) or ServiceTrouble(f"{call}: {response}") from error
    except BotoCoreError as error:
        raise lost(f"{call}: {cause(error)}") from error
    except MALFORMED_RESPONSE_ERRORS as error:
        raise lost(f"{call}: an invalid answer ({type(error).__name__})") from error


def required_member(answer: Mapping[str, Any], name: str, kind: type[Member]) -> Member:
    """Take a member of an answer without which the call was not done, whatever the status says.

    Raises TypeError if the answer has none of this kind, or an empty text; aws_errors translates it.
    """
    value = answer.get(name)
    if not isinstance(value, kind) or value == "":
        raise TypeError(f"the answer has no {name}")
    return value
