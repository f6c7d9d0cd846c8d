"""How the API describes the models of a schema and their relations."""

from __future__ import annotations

from collections.abc import Mapping

from amplify_jobs.graphql.budget import Budget
from amplify_jobs.graphql.data_types import DataTypes
from amplify_jobs.graphql.model import Model, ModelField, Relation
from amplify_jobs.model.codegen_parameters import DataType, RelationshipType

# What a data schema is made of, in the API's own names; pydantic checks it when it is whole.
Shape = dict[str, object]


class Relationships:
    """Works out how the API describes relations: at the fields that declare them and at those that carry them."""

    def __init__(self, models: Mapping[str, Model], types: DataTypes, budget: Budget) -> None:
        self._models = models
        self._budget = budget
        self._fields: dict[str, dict[str, ModelField]] = {}
        self._data_types: dict[int, DataType] = {}
        for model in models.values():
            members = self._fields.setdefault(model.name, {})
            for field in model.fields:
                data_type = types.of_field(model.name, field)
                if data_type is not None:
                    members[field.name] = field
                    self._data_types[id(field)] = data_type
        self._declared: dict[tuple[str, str], Shape] = {}
        self._carried: dict[tuple[str, str], Shape] = {}
        self._model_fields = {
            name: [field for field in members.values() if self._is_model(field)]
            for name, members in self._fields.items()
        }
        # The first field of each model by which it belongs to another, by both.
        self._belonging: dict[tuple[str, str], ModelField] = {}
        # Each model with a @hasMany that names one field at its other side, and that field.
        self._ends_of_many: set[tuple[str, str]] = set()
        for name, model_fields in self._model_fields.items():
            for field in model_fields:
                if self._is_belongs_to(field):
                    self._belonging.setdefault((name, field.type_name), field)
                if (
                    field.relation is not None
                    and field.relation.kind == "HAS_MANY"
                    and len(field.relation.associated) == 1
                ):
                    self._ends_of_many.add((name, field.relation.associated[0]))
        self._join_tables: dict[str, bool] = {}
        self._reached_join_tables: set[str] = set()

    def models(self) -> dict[str, Shape]:
        for model in self._models.values():
            for field in self._fields[model.name].values():
                self._budget.spend()
                if field.relation is not None and self._is_model(field):
                    self._declared[model.name, field.name] = self._relationship(model, field.relation)
        return {
            model.name: {
                "fields": {name: self._field(model.name, field) for name, field in self._fields[model.name].items()},
                "primaryKeys": tuple(model.primary_key_names),
                "isJoinTable": True if model.name in self._reached_join_tables else None,
            }
            for model in self._models.values()
        }

    def _field(self, model_name: str, field: ModelField) -> Shape:
        key = (model_name, field.name)
        return {
            "dataType": self._data_types[id(field)],
            "dataTypeValue": field.type_name,
            "required": field.is_required,
            "readOnly": field.is_read_only,
            "isArray": field.is_list,
            "relationship": self._carried.get(key) or self._declared.get(key),
        }

    def _is_model(self, field: ModelField) -> bool:
        return self._data_types.get(id(field)) == "Model"

    def _relationship(self, model: Model, relation: Relation) -> Shape:
        if relation.kind == "HAS_MANY":
            return self._has_many(model, relation)
        for target in relation.targets:
            self._carry(model.name, target, relation.kind, relation.other.name)
        return {
            "type": relation.kind,
            "relatedModelName": relation.other.name,
            "associatedFields": relation.targets or None,
            "isHasManyIndex": False,
        }

    def _has_many(self, model: Model, relation: Relation) -> Shape:
        members = self._fields[relation.other.name]
        related, join_table, join_field = relation.other.name, None, None
        plain = []
        for name in relation.associated:
            associated = members.get(name)
            if self._is_join_table(relation.other):
                plain.append(name)
                self._reached_join_tables.add(relation.other.name)
                far = next((field for field in self._model_fields[relation.other.name] if field.name != name), None)
                if far is not None:
                    related, join_table, join_field = far.type_name, related, far.name
            elif associated is None or not self._is_model(associated):
                plain.append(name)
                if associated is not None:
                    self._carry(related, name, "HAS_ONE", model.name, is_has_many_index=True)
        back = self._belonging.get((relation.other.name, model.name))
        ends = [*map(members.get, relation.associated), back]
        return {
            "type": relation.kind,
            "relatedModelName": related,
            "relatedModelFields": tuple(plain),
            "canUnlinkAssociatedModel": not any(field is not None and field.is_required for field in ends),
            "relatedJoinFieldName": join_field,
            "relatedJoinTableName": join_table,
            "belongsToFieldOnRelatedModel": back.name if back is not None else None,
        }

    def _carry(
        self, model_name: str, field_name: str, kind: RelationshipType, related: str, *, is_has_many_index: bool = False
    ) -> None:
        """Note that a field carries a relation; of several the last counts, but an index and BELONGS_TO stay."""
        before = self._carried.get((model_name, field_name))
        if before is not None and before["type"] == "BELONGS_TO":
            kind = "BELONGS_TO"
        self._carried[model_name, field_name] = {
            "type": kind,
            "relatedModelName": related,
            "isHasManyIndex": is_has_many_index or (before is not None and before["isHasManyIndex"] is True),
        }

    def _is_belongs_to(self, field: ModelField) -> bool:
        return self._is_model(field) and field.relation is not None and field.relation.kind == "BELONGS_TO"

    def _is_join_table(self, model: Model) -> bool:
        is_join_table = self._join_tables.get(model.name)
        if is_join_table is None:
            is_join_table = self._join_tables[model.name] = self._looks_like_join_table(model)
        return is_join_table

    def _looks_like_join_table(self, model: Model) -> bool:
        """Say whether a model only joins two others, by the same signs as the library, which has no better ones."""
        if len(model.keys) != 2:
            return False
        members = self._fields[model.name].values()
        ends = self._model_fields[model.name]
        allowed = {"id", "createdAt", "updatedAt"}.union(*(key.fields or () for key in model.keys))
        return (
            len(ends) == 2
            and all(field.name in allowed for field in members if not self._is_model(field))
            and all(field.is_required and self._is_belongs_to(field) and self._is_one_of_many(field) for field in ends)
        )

    def _is_one_of_many(self, end: ModelField) -> bool:
        """Whether the model that a field points to points back at it with a @hasMany."""
        return (end.type_name, end.name) in self._ends_of_many
