"""Fields that several models of routes.yaml share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from amplify_jobs.model.request import ROUTE_NAME_PATTERN
from amplify_jobs.routing.github_patterns import validate_name_pattern, validate_pattern, validate_patterns
from amplify_jobs.routing.text_patterns import validate_text_pattern

# The part of a request id that names the route.
LONGEST_NAME = 40


def as_list(value: Any) -> Any:
    """Take one text for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


OneOrMore = BeforeValidator(as_list, json_schema_input_type=str | tuple[str, ...])
Name = Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=ROUTE_NAME_PATTERN)]
SecretName = Annotated[str, StringConstraints(max_length=1011, pattern=r"^(/[A-Za-z0-9_.-]+)+$")]
RepositoryPattern = Annotated[
    str, StringConstraints(max_length=1024, pattern=r"^[^/\s!][^/\n]*(/[^/\n]+)*$"), AfterValidator(validate_pattern)
]
NamePatterns = Annotated[
    tuple[Annotated[str, AfterValidator(validate_name_pattern)], ...],
    Field(min_length=1),
    AfterValidator(validate_patterns),
    OneOrMore,
]
PathPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(validate_pattern)], ...],
    Field(min_length=1),
    AfterValidator(validate_patterns),
    OneOrMore,
]
TextPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(validate_text_pattern)], ...],
    Field(min_length=1),
    AfterValidator(validate_patterns),
    OneOrMore,
]
