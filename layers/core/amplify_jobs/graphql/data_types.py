"""What the names of types in a schema stand for in a data schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from amplify_jobs.graphql.aws_names import SCALARS, owner_of_name
from amplify_jobs.graphql.declarations import FieldDeclaration, Kind, TypeDeclaration
from amplify_jobs.graphql.document import Document
from amplify_jobs.graphql.model import Model, ModelField
from amplify_jobs.graphql.models import model_directive
from amplify_jobs.model.codegen_parameters import DataType


class DataTypes:
    """What the names of types stand for: one of the API's data types, or a kind that no field of a form can have."""

    def __init__(self, document: Document, models: Mapping[str, Model]) -> None:
        self._document = document
        self.non_models: list[TypeDeclaration] = []
        self._meanings: dict[str, DataType | Kind] = {}
        for declaration in document.types.values():
            name, kind = declaration.name, declaration.kind
            if kind is Kind.ENUM:
                self._meanings[name] = "Enum"
            elif kind is Kind.OBJECT and model_directive(declaration) is None and name not in document.roots:
                self._meanings[name] = "NonModel"
                self.non_models.append(declaration)
            elif kind in (Kind.INPUT, Kind.UNION, Kind.INTERFACE):
                self._meanings[name] = kind
        for name in models:
            # The table of a @manyToMany can bear the name of something else; the generators then look in this order.
            if self._meanings.get(name) not in ("Enum", "NonModel"):
                self._meanings[name] = "Model"
        # AppSync's scalars are data types of the same names.
        self._meanings |= {name: cast("DataType", name) for name in SCALARS}

    def of_field(self, owner: str, field: FieldDeclaration | ModelField) -> DataType | None:
        """The data type of a type's field; None for unions and interfaces, which are left out."""
        meaning = self._meaning(field)
        if meaning is Kind.INPUT:
            raise field.place.error(
                f"{owner}.{field.name}: {field.type_name} is an input, and only arguments can be of one"
            )
        return None if isinstance(meaning, Kind) else meaning

    def check_operations(self) -> None:
        """Check what has no place in a data schema, since the generators make models of it and can fail at it."""
        for declared in self._document.types.values():
            if model_directive(declared) is not None:
                continue
            if declared.kind is Kind.INPUT:
                self._check_inputs(declared.name, declared.fields.values())
            elif declared.name in self._document.roots:
                for field in declared.fields.values():
                    if self.of_field(declared.name, field) is not None:
                        self._check_inputs(f"{declared.name}.{field.name}", field.arguments)

    def _check_inputs(self, owner: str, inputs: Iterable[FieldDeclaration]) -> None:
        for field in inputs:
            meaning = self._meaning(field)
            if meaning in ("Model", "NonModel") or (isinstance(meaning, Kind) and meaning is not Kind.INPUT):
                raise field.place.error(f"{owner}: {field.name} can only be a scalar, an enum or an input")

    def _meaning(self, field: FieldDeclaration | ModelField) -> DataType | Kind:
        meaning = self._meanings.get(field.type_name)
        if meaning is not None:
            return meaning
        if (owner := owner_of_name(field.type_name)) is not None:
            reason = f"the name belongs to {owner}"
        elif field.type_name in self._document.roots:
            reason = "its fields are operations, so that nothing else can be of that type"
        else:
            reason = f"of scalars only AppSync's own are known: {', '.join(sorted(SCALARS))}"
        raise field.place.error(f"Unknown type {field.type_name}: {reason}")
