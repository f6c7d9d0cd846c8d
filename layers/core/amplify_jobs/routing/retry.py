"""`retry` of a route: a number, or an object that also says after which failures."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from amplify_jobs.model.base import Model
from amplify_jobs.model.request import MOST_RETRIES, RetryWhen


class Retry(Model):
    """How often a job that failed is started again, and after which failures."""

    times: Annotated[int, Field(ge=1, le=MOST_RETRIES)] = Field(
        description="How often a job that failed is started again."
    )
    when: RetryWhen = Field(
        default=RetryWhen.FAILED,
        description="After which failures. transient is those for which a second try may help. Default: failed.",
    )


def _form(value: Any) -> str:
    return "object" if isinstance(value, dict | Retry) else "number"


def _shortest(value: int | Retry) -> int | Retry:
    """The number alone where it says the same: every version of a stack reads it."""
    return value.times if isinstance(value, Retry) and value.when is RetryWhen.FAILED else value


NumberOrRetry = Annotated[
    Annotated[int, Field(ge=0, le=MOST_RETRIES), Tag("number")] | Annotated[Retry, Tag("object")],
    Field(discriminator=Discriminator(_form)),
    AfterValidator(_shortest),
]
