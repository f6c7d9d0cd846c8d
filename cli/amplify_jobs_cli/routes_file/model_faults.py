"""Faults that the models find, in messages of what to write instead: pydantic's own text names no remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from amplify_jobs.model.operations import Operation
from amplify_jobs.routing.placeholders import placeholders_in
from amplify_jobs.routing.routes import Route, Routes
from amplify_jobs_cli.routes_file.defaults import DEFAULTS
from amplify_jobs_cli.routes_file.matrix import MATRIX
from amplify_jobs_cli.routes_file.model_fields import (
    choices,
    field_at,
    member_names,
    model_at,
    models_below,
    tag_at,
    without_tags,
)
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.remedies import remedy
from amplify_jobs_cli.routes_file.values import at, member, members
from amplify_jobs_cli.routes_file.wording import kind_of, shown
from amplify_jobs_cli.suggestions import nearest, one_of

# A scalar as the file writes it, by its path; None for anything else.
Scalar = Callable[[Path], str | None]

# The members of the file that are none of the models'.
_FILE_MEMBERS: dict[type[BaseModel], tuple[str, ...]] = {Routes: (DEFAULTS,), Route: (MATRIX,)}
_TARGET = ("reports", "*")
# What a text with values of an event can become, as far as its form goes.
_SAMPLES = ("d1", "1", "main", "2026-01-31T12:00:00Z")
# pydantic's types of errors about the member that tells the models of a union apart -> the same about any member.
_TAG_ERRORS = {"union_tag_not_found": "missing", "union_tag_invalid": "literal_error"}
# pydantic's types of errors about numbers and lengths -> what is wrong.
_LIMITS = {
    "greater_than": "is too low",
    "greater_than_equal": "is too low",
    "less_than": "is too high",
    "less_than_equal": "is too high",
    "too_long": "has too many items",
    "string_too_short": "is empty",
}
# pydantic's types of errors about types -> the right type.
_TYPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


@dataclass(frozen=True)
class _Error:
    """An error of pydantic's, its place in the file, the field there, and the model that has the field."""

    kind: str
    path: Path
    field: FieldInfo
    model: type[BaseModel] | None
    details: ErrorDetails

    @classmethod
    def make(cls, details: ErrorDetails, root: type[BaseModel], around: Path) -> _Error:
        """Find the place of an error below a model, which lies at the path `around`."""
        place = tuple(part for part in details["loc"] if part != "[key]")
        path = (*around, *without_tags(root, place))
        kind, field = details["type"], field_at(root, place)
        if kind in _TAG_ERRORS:
            kind, (name, field) = _TAG_ERRORS[kind], tag_at(root, place)
            path = (*path, name)
        return cls(kind, path, field, model_at(root, place[:-1]), details)

    @property
    def is_of_a_key(self) -> bool:
        """Whether a name is wrong, and not the value that it has."""
        return "[key]" in self.details["loc"]


def routes_faults(value: Any, scalar: Scalar) -> Iterator[Problem]:
    """Find what the model of the whole file refuses."""
    yield from _problems([_Error.make(details, Routes, ()) for details in _validate(Routes, value)], value, scalar)


def parameter_faults(value: Any, scalar: Scalar) -> Iterator[Problem]:
    """Find what the operation's API would refuse, unless a value of the event decides only later."""
    for name, route in members(value, "routes"):
        request = member(route, "request")
        parameters, operation = member(request, "parameters"), member(request, "operation")
        if not isinstance(parameters, dict) or operation not in list(Operation):
            continue
        model = Operation(operation).parameters_model()
        around = ("routes", name, "request", "parameters")
        errors = [_Error.make(details, model, around) for details in _parameter_errors(model, parameters)]
        yield from _problems(errors, value, scalar)


def _parameter_errors(model: type[BaseModel], parameters: dict[str, Any]) -> list[ErrorDetails]:
    """The errors in parameters; a text with values of an event errs where none of the samples fits in its place."""
    errors = _validate(model, parameters)
    open_texts = [
        details["loc"]
        for details in errors
        if details["type"] != "extra_forbidden" and placeholders_in(_text_at(parameters, details["loc"]))
    ]
    for place in open_texts:
        text = _text_at(parameters, place)
        here = [details for details in errors if details["loc"] == place]
        fits = here[0]["type"] != "string_pattern_mismatch" or any(
            not any(details["loc"] == place for details in _validate(model, _replace(parameters, place, sample)))
            for sample in {re.sub(r"\{[^{}]*\}", sample, text) for sample in _SAMPLES}
        )
        if fits:
            errors = [details for details in errors if details["loc"] != place]
    return errors


def _validate(model: type[BaseModel], value: Any) -> list[ErrorDetails]:
    """The errors of a value, without those that only follow from others in pydantic's way of validating."""
    try:
        model.model_validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        return [
            details
            for details in error.errors(include_url=False)
            if details["type"] != "default_factory_not_called"
            # Of a list with broken items pydantic says that it is too short as well.
            and (details["type"] != "too_short" or not details["input"])
        ]
    return []


def _replace(value: Any, path: tuple[int | str, ...], text: str) -> Any:
    """The value with another text at a path."""
    if not path:
        return text
    copy: Any = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = _replace(copy[path[0]], path[1:], text)
    return copy


def _text_at(value: Any, path: tuple[int | str, ...]) -> str:
    text = at(value, path)
    return text if isinstance(text, str) else ""


def _problems(errors: list[_Error], value: Any, scalar: Scalar) -> Iterator[Problem]:
    """Say what is wrong. A member that is missing because its name is misspelled is one problem, not two."""
    missing = {error.path for error in errors if error.kind == "missing"}
    misspelled: set[Path] = set()
    for error in errors:
        if error.kind == "extra_forbidden":
            message, right = _unknown_member(error, missing, value)
            misspelled |= {(*error.path[:-1], right)} if right else set()
            yield Problem(error.path, message, "key")
    for error in errors:
        if error.kind == "extra_forbidden" or error.path in misspelled:
            continue
        if error.is_of_a_key:
            right = re.sub(r"[^a-z0-9]+", "-", str(error.path[-1]).lower()).strip("-")[:40].strip("-") or "web"
            rule = "small letters, digits and single hyphens, at most 40 characters"
            yield Problem(error.path, f"is not a usable name; use {rule}, like {right}", "key")
        else:
            yield Problem(error.path, _message(error, at(value, error.path), scalar))


def _unknown_member(error: _Error, missing: set[Path], value: Any) -> tuple[str, str | None]:
    """What to say of an unknown member, and the missing member that it stands for."""
    name, model = str(error.path[-1]), error.model
    names = _member_names(model) if model else []
    owner = at(value, error.path[:-1])
    absent = [candidate for candidate in names if not isinstance(owner, dict) or candidate not in owner]
    required = [candidate for candidate in absent if (*error.path[:-1], candidate) in missing]
    right = nearest(name, required) or nearest(name, absent) or nearest(name, names)
    if right:
        return f"unknown member {name}; use {right}", right if right in required else None
    having = [(place, other) for place, other in models_below(Routes) if place and name in _member_names(other)]
    if having and model is not None:
        # A target may lack what a route has, and the other way round.
        place = next((place for place, _ in having if place[:1] == error.path[:1]), having[0][0])
        if place == _TARGET and error.path[:1] == _TARGET[:1]:
            kinds = [kind for at, other in having if at == _TARGET for kind in choices(other.model_fields["kind"])]
            use = f"leave it out, or use kind {' or '.join(kinds)}"
            return f"unknown member {name} of kind {member(owner, 'kind')}; {use}", None
        home = next(part for part in reversed(place) if part != "*")
        home = "the route itself" if place == ("routes", "*") else home
        return f"unknown member {name}; it is a member of {home}, write it there", None
    if not names:
        return f"unknown member {name}; leave it out", None
    return f"unknown member {name}; use one of {', '.join(names)}", None


def _member_names(model: type[BaseModel]) -> list[str]:
    # Everybody leaves the version out.
    names = [name for name in member_names(model) if name != "version"]
    return [*names, *_FILE_MEMBERS.get(model, ())]


def _message(error: _Error, value: Any, scalar: Scalar) -> str:
    kind, context = error.kind, error.details.get("ctx", {})
    right = remedy(error.field)
    if kind == "value_error":
        return error.details["msg"].removeprefix("Value error, ")
    if kind == "missing":
        return f"is missing; use {right}"
    if kind in ("literal_error", "enum") and isinstance(value, str) and value:
        return f"unknown value {shown(value)}; {one_of(str(value), choices(error.field))}"
    if value is None or value in ("", [], {}):
        return f"is empty; use {right}"
    if kind in _TYPES:
        return _wrong_type(kind, value, scalar(error.path), right)
    if kind in _LIMITS:
        return f"{shown(value)} {_LIMITS[kind]}; use {right}"
    if kind == "string_too_long":
        return f"has more than {context.get('max_length')} characters; use {right}"
    return f"{shown(value)} has the wrong form; use {right}"


def _wrong_type(kind: str, value: Any, scalar: str | None, right: str) -> str:
    """What to say of a value of another type: often only its quotes are wrong."""
    expected = _TYPES[kind]
    if kind == "string_type" and scalar is not None:
        return f'YAML reads {scalar} as {kind_of(value)}; put it in quotes, "{scalar}"'
    if isinstance(value, bool | int | float):
        return f"{shown(value)} is not {expected}; use {right}"
    if kind.startswith("int_") and isinstance(value, str) and value.isdecimal():
        return f"{shown(value)} is a text, not {expected}; remove the quotes, and use {right}"
    if kind.startswith("bool_") and isinstance(value, str) and value.lower() in ("true", "false"):
        return f"{shown(value)} is a text, not {expected}; remove the quotes, and use {value.lower()}"
    return f"{shown(value)} is {kind_of(value)}, not {expected}; use {right}"
