"""Calls of AWS by the command line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from botocore.exceptions import BotoCoreError, NoCredentialsError, NoRegionError

from amplify_jobs.aws.errors import ErrorResponse, aws_errors, no_special_meaning


def aws_call(
    failure: str, meaning: Callable[[ErrorResponse], Exception | None] = no_special_meaning
) -> AbstractContextManager[None]:
    """Translate what goes wrong inside, as amplify_jobs.aws.errors does; `failure` opens the message.

    botocore's own text says what is wrong on a user's machine, such as nobody at the endpoint.
    """
    return aws_errors(failure, meaning, cause=_cause)


def _cause(error: BotoCoreError) -> str:
    match error:
        case NoRegionError():
            return "no Region is set; use --region, or set AWS_REGION"
        case NoCredentialsError():
            return "there are no credentials; use --profile, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
    return str(error)
