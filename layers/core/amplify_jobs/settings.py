"""Settings of functions: their environment variables, and the models that several functions share."""

from __future__ import annotations

import os
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError


def names_in(text: str) -> tuple[str, ...]:
    """The names of a text that has commas between them."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _names(value: Any) -> Any:
    return names_in(value) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""The value of a variable that holds names with commas between them, or nothing."""


class Settings(BaseModel):
    """The environment variables of a function: each field is the variable of its name in capital letters."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper)

    @classmethod
    def from_environment(cls) -> Self:
        """Read the variables. Raises RuntimeError, which names those that are missing or wrong."""
        try:
            return cls.model_validate(dict(os.environ))
        except ValidationError as error:
            names = ", ".join(sorted({str(fault["loc"][0]) for fault in error.errors()}))
            raise RuntimeError(f"the environment variables of the function are missing or wrong: {names}") from None


class IntakeSettings(Settings):
    """The environment variables of functions that take events in.

    `jobs_table` is empty where nothing is reconciled: nothing reads the claims of events there.
    """

    bucket_name: str
    routes_key: str
    state_machine_arn: str
    intake_queue_url: str
    index_queue_url: str
    jobs_table: str


class WebhookSettings(IntakeSettings):
    """The environment variables of functions that take deliveries of git hosts in."""

    sources_path: str
