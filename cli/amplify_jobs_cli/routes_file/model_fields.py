"""The fields of the models of routes and parameters, found by the places of pydantic's errors.

Such a place names the members and items that lead to a value and, below a union of models, the tag of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from inspect import isclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel, Discriminator, Tag
from pydantic.fields import FieldInfo


def field_at(root: type[BaseModel], path: tuple[int | str, ...]) -> FieldInfo:
    """The field at a path below a model; for an item without a description, that of the list or map around it."""
    field = result = FieldInfo.from_annotation(root)
    for part in path:
        inner = _inner(field, part)
        if inner is None:
            break
        is_member = any(is_model(outer.annotation) for outer in alternatives(field)) and not _tagged(field, part)
        if is_member or choices(inner) or description(inner):
            result = inner
        field = inner
    return result


def without_tags(root: type[BaseModel], place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The path in a file of a place below a model."""
    field: FieldInfo | None = FieldInfo.from_annotation(root)
    path: list[int | str] = []
    for part in place:
        if field is None or _tagged(field, part) is None:
            path.append(part)
        field = _inner(field, part) if field else None
    return tuple(path)


def tag_at(root: type[BaseModel], place: tuple[int | str, ...]) -> tuple[str, FieldInfo]:
    """The name and the field of the member that tells the models of a union apart."""
    field = FieldInfo.from_annotation(root)
    for part in place:
        field = _inner(field, part) or field
    name = str(field.discriminator)
    models: list[Any] = [outer.annotation for outer in alternatives(field)]
    tags = tuple(tag for model in models for tag in choices(model.model_fields[name]))
    kind: Any = Literal[tags]
    return name, FieldInfo.from_annotation(kind)


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
def models_below(root: type[BaseModel]) -> tuple[tuple[tuple[str, ...], type[BaseModel]], ...]:
    """A model and all below it, each with its path there; "*" stands for any name."""
    return tuple(_models(FieldInfo.from_annotation(root), ()))


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
    if tagged := _tagged(field, part):
        return tagged
    for outer in alternatives(field):
        annotation: Any = outer.annotation
        if get_origin(annotation) is dict:
            return FieldInfo.from_annotation(get_args(annotation)[1])
        members = annotation.model_fields.items() if is_model(annotation) else ()
        for name, inner in members:
            if (inner.alias or name) == part:
                return cast("FieldInfo", inner)
    return None


def _tagged(field: FieldInfo, tag: int | str) -> FieldInfo | None:
    """The alternative of a union that a tag names; None where the field has no union with tags."""
    for outer in alternatives(field):
        annotation: Any = outer.annotation
        match field.discriminator:
            case Discriminator() if Tag(str(tag)) in outer.metadata:
                return outer
            case str(name) if is_model(annotation) and tag in choices(annotation.model_fields[name]):
                return FieldInfo.from_annotation(annotation)
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
