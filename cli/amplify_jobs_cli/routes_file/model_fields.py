"""The fields of the models of routes and parameters, found by a path in a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from inspect import isclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def field_at(root: type[BaseModel], path: tuple[int | str, ...]) -> FieldInfo:
    """The field at a path below a model; for an item without a description, that of the list or map around it."""
    field = result = FieldInfo.from_annotation(root)
    for part in path:
        inner = _inner(field, part)
        if inner is None:
            break
        is_member = any(is_model(outer.annotation) for outer in alternatives(field))
        if is_member or choices(inner) or description(inner):
            result = inner
        field = inner
    return result


def model_at(root: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model of the object at a path below a model; None where the path ends at no model."""
    field: FieldInfo | None = FieldInfo.from_annotation(root)
    for part in path:
        field = _inner(field, part) if field else None
    annotations: list[Any] = [inner.annotation for inner in alternatives(field)] if field else []
    return next(filter(is_model, annotations), None)


def member_names(model: type[BaseModel]) -> list[str]:
    """The names of a model's members, as a file writes them."""
    return [field.alias or name for name, field in model.model_fields.items()]


@lru_cache(maxsize=4)
def models_by_place(root: type[BaseModel]) -> Mapping[tuple[str, ...], type[BaseModel]]:
    """A model and all below it, by their places there; "*" stands for any name."""
    return dict(_models(FieldInfo.from_annotation(root), ()))


def alternatives(field: FieldInfo) -> list[FieldInfo]:
    """A field for each type that the value may have, but None."""
    if get_origin(field.annotation) not in (Union, UnionType):
        return [field]
    arguments = [argument for argument in get_args(field.annotation) if argument is not NoneType]
    return [inner for argument in arguments for inner in alternatives(FieldInfo.from_annotation(argument))]


def item_of(field: FieldInfo) -> FieldInfo | None:
    """The field of a list's items; None for anything else."""
    lists = (inner.annotation for inner in alternatives(field) if get_origin(inner.annotation) in (tuple, list))
    annotation = next(lists, None)
    return FieldInfo.from_annotation(get_args(annotation)[0]) if annotation else None


def description(field: FieldInfo) -> str | None:
    """The description of a field, or of its type."""
    return next((about.description for about in (field, *alternatives(field)) if about.description), None)


def examples(field: FieldInfo) -> list[Any]:
    """The examples of a field, or of its type."""
    return next((about.examples for about in (field, *alternatives(field)) if about.examples), [])


def choices(field: FieldInfo) -> list[str]:
    """The values that a field may have, where they can be counted."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "enum" in extra:
        return cast("list[str]", extra["enum"])
    for inner in alternatives(field):
        kind = inner.annotation
        if get_origin(kind) is Literal:
            return [str(value) for value in get_args(kind)]
        if isclass(kind) and issubclass(kind, StrEnum):
            return list(kind)
    return []


def is_model(annotation: Any) -> bool:
    """Whether a type is a model."""
    return isclass(annotation) and issubclass(annotation, BaseModel)


def _inner(field: FieldInfo, part: int | str) -> FieldInfo | None:
    """The field of a member or an item."""
    if isinstance(part, int):
        return item_of(field)
    for outer in alternatives(field):
        annotation: Any = outer.annotation
        if get_origin(annotation) is dict:
            return FieldInfo.from_annotation(get_args(annotation)[1])
        members = annotation.model_fields.items() if is_model(annotation) else ()
        for name, inner in members:
            if (inner.alias or name) == part:
                return cast("FieldInfo", inner)
    return None


def _models(field: FieldInfo, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    for outer in alternatives(field):
        annotation: Any = outer.annotation
        if is_model(annotation):
            yield place, annotation
            for name, inner in annotation.model_fields.items():
                yield from _models(inner, (*place, inner.alias or name))
        elif get_origin(annotation) is dict:
            yield from _models(FieldInfo.from_annotation(get_args(annotation)[1]), (*place, "*"))
