"""Holds parameters and answers against a service's model: required, type, length, range, pattern and enum."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from local.server.protocol.errors import ServiceError

# How services name a parameter that fails its constraints; the first that the operation declares is used.
VALIDATION_ERRORS = ("BadRequestException", "InvalidParameterException", "ValidationException")


class MalformedAnswerError(Exception):
    """Our own answer does not fit the operation's output shape: a fault of the local cloud, not of the client."""


def validate(operation: OperationModel, params: Mapping[str, Any]) -> None:
    """Hold parameters against the model's constraints: required, type, length, range, pattern and enum.

    Raises one ServiceError that names every fault in AWS's wording; values of sensitive members are not repeated.
    """
    if operation.input_shape is None:
        return
    faults = list(_faults(operation.input_shape, params, "", strict=False))
    if not faults:
        return
    declared = {shape.name for shape in operation.error_shapes}
    # The query protocol's common errors have a name of their own for it.
    common = "ValidationError" if operation.service_model.resolved_protocol == "query" else "ValidationException"
    code = next((name for name in VALIDATION_ERRORS if name in declared), common)
    noun = "error" if len(faults) == 1 else "errors"
    raise ServiceError(code, f"{len(faults)} validation {noun} detected: {'; '.join(faults)}", 400)


TYPES: dict[str, tuple[type, ...]] = {
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list, tuple),
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes, bytearray),
}


def _faults(shape: Shape, value: Any, path: str, *, strict: bool) -> Iterator[str]:
    """Every way in which a value breaks its shape. `strict` is for our answers: no unknown members, nothing required.

    Real answers leave out members that the model calls required, so ours may too.
    """
    if value is None:
        yield f"Value null at '{path}' failed to satisfy constraint: Member must not be null"
        return
    subject = "Value" if shape.metadata.get("sensitive") else f"Value '{value}'"
    broken = f"{subject} at '{path}' failed to satisfy constraint: Member must"
    if getattr(shape, "is_document_type", False):
        return
    if not _is_of_type(value, shape.type_name):
        yield f"{broken} be of type {shape.type_name}"
        return
    if isinstance(shape, StructureShape):
        yield from _structure_faults(shape, value, path, strict=strict)
    elif isinstance(shape, MapShape):
        yield from _length_faults(shape, len(value), broken)
        for key, item in value.items():
            yield from _faults(shape.key, key, f"{path}.key", strict=strict)
            yield from _faults(shape.value, item, f"{path}.{key}.member", strict=strict)
    elif isinstance(shape, ListShape):
        yield from _length_faults(shape, len(value), broken)
        for number, item in enumerate(value, start=1):
            yield from _faults(shape.member, item, f"{path}.{number}.member", strict=strict)
    else:
        yield from _scalar_faults(shape, value, broken)


def _is_of_type(value: Any, type_name: str) -> bool:
    return isinstance(value, TYPES[type_name]) and (type_name == "boolean" or not isinstance(value, bool))


def _structure_faults(shape: StructureShape, value: Mapping[str, Any], path: str, *, strict: bool) -> Iterator[str]:
    dot = f"{path}." if path else ""
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _faults(member, value[name], dot + name, strict=strict)
        elif name in shape.required_members and not strict:
            yield f"Value null at '{dot}{name}' failed to satisfy constraint: Member must not be null"
    if strict:
        yield from (f"'{dot}{name}' is no member of {shape.name}" for name in value if name not in shape.members)


def _scalar_faults(shape: Shape, value: Any, broken: str) -> Iterator[str]:
    if shape.type_name in {"string", "blob"}:
        yield from _length_faults(shape, len(value), broken)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        if "max" in shape.metadata and value > shape.metadata["max"]:
            yield f"{broken} have value less than or equal to {shape.metadata['max']}"
        if "min" in shape.metadata and value < shape.metadata["min"]:
            yield f"{broken} have value greater than or equal to {shape.metadata['min']}"
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield f"{broken} satisfy enum value set: [{', '.join(enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not compiled_pattern(pattern).fullmatch(value):
        yield f"{broken} satisfy regular expression pattern: {pattern}"


def _length_faults(shape: Shape, length: int, broken: str) -> Iterator[str]:
    if "max" in shape.metadata and length > shape.metadata["max"]:
        yield f"{broken} have length less than or equal to {shape.metadata['max']}"
    if "min" in shape.metadata and length < shape.metadata["min"]:
        yield f"{broken} have length greater than or equal to {shape.metadata['min']}"


@cache
def compiled_pattern(pattern: str) -> re.Pattern[str]:
    r"""A model's pattern, which is Java's, for Python's re: \p{L} becomes the characters of that category."""
    return re.compile(re.sub(r"\\p\{(\w)\}", lambda match: _categories()[match[1]], pattern))


@cache
def _categories() -> dict[str, str]:
    """The characters of each Unicode major category, as ranges for the inside of a character class."""
    categories: dict[str, list[str]] = {}
    for letter, points in groupby(range(sys.maxunicode + 1), key=lambda point: unicodedata.category(chr(point))[0]):
        first, *rest = points
        categories.setdefault(letter, []).append(f"\\U{first:08x}-\\U{(rest or [first])[-1]:08x}")
    return {letter: "".join(ranges) for letter, ranges in categories.items()}


def check_answer(operation: OperationModel, result: Mapping[str, Any]) -> None:
    """Raise MalformedAnswerError for an answer that does not fit the operation's output shape."""
    shape = operation.output_shape
    result = {name: value for name, value in result.items() if value is not None}
    if shape is None and result:
        raise MalformedAnswerError(f"{operation.name} answers nothing, not {sorted(result)}")
    if shape is not None and (faults := list(_faults(shape, result, "", strict=True))):
        raise MalformedAnswerError(f"{operation.name}: {'; '.join(faults)}")
