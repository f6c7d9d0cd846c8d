"""Calls of AWS by the command line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from amplify_jobs.aws.errors import ErrorResponse, aws_errors, no_special_meaning


def aws_call(
    failure: str, meaning: Callable[[ErrorResponse], Exception | None] = no_special_meaning
) -> AbstractContextManager[None]:
    """Translate what goes wrong inside, as amplify_jobs.aws.errors does; `failure` opens the message.

    botocore's own text says what to mend on a user's machine: no credentials, no Region, nobody at the endpoint.
    """
    return aws_errors(failure, meaning, cause=str)
