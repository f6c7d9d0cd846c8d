"""What several declarations of one type come to, as AWS's own generators merge them.

Source: npm @graphql-tools/merge 8.4, mergeTypeDefs, which the generators call without options. Work grows with the
number of declarations, and not with its square: each class here finds by name what was merged before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

from amplify_jobs.graphql.declarations import Directive, FieldDeclaration, Kind, TypeDeclaration


class TypeMerge:
    """All declarations of one type: definitions and extensions, in their order."""

    def __init__(
        self, declaration: TypeDeclaration, fields: Iterable[FieldDeclaration], repeatable: Collection[str]
    ) -> None:
        self._declaration = declaration
        self._fields = list(fields)
        # Of two fields with one name, later declarations are merged into the first.
        self._by_name: dict[str, FieldDeclaration] = {}
        for field in self._fields:
            self._by_name.setdefault(field.name, field)
        self._repeatable = repeatable
        self._values = [declaration.values]
        self._directives: DirectivesMerge | None = None
        self._field_merges: dict[str, _FieldMerge] = {}

    @property
    def kind(self) -> Kind:
        return self._declaration.kind

    def add(self, new: TypeDeclaration, fields: Iterable[FieldDeclaration]) -> None:
        """Merge one more declaration.

        Raises InvalidSchemaError if it contradicts those before.
        """
        old = self._declaration
        if old.kind is not new.kind:
            raise new.place.error(f"{new.name} is declared as {new.kind.value}, but as {old.kind.value} at {old.place}")
        for field in fields:
            existing = self._by_name.get(field.name)
            if existing is None:
                self._by_name[field.name] = field
                self._fields.append(field)
                continue
            merge = self._field_merges.get(field.name)
            if merge is None:
                merge = self._field_merges[field.name] = _FieldMerge(old.name, existing)
            merge.add(field)
        self._values.append(new.values)
        old.members += new.members
        if self._directives is None:
            self._directives = DirectivesMerge(old.directives, self._repeatable)
        self._directives.add(new.directives)

    def finish(self) -> TypeDeclaration:
        """The type that all declarations come to."""
        for merge in self._field_merges.values():
            merge.finish()
        merged = self._declaration
        # Of two fields with one name in one pair of braces the later one counts.
        merged.fields = {field.name: field for field in self._fields}
        if len(self._values) > 1:
            merged.values = list(dict.fromkeys(chain.from_iterable(reversed(self._values))))
        return merged


class _FieldMerge:
    """All declarations of one field."""

    def __init__(self, owner: str, declared: FieldDeclaration) -> None:
        self._owner = owner
        self._field = declared
        # The generators consult no definitions here: of a field's directives none is repeatable, not even @index.
        self._directives = DirectivesMerge(declared.directives, ())
        self._arguments = {argument.name: argument for argument in declared.arguments}

    def add(self, new: FieldDeclaration) -> None:
        old = self._field
        if (old.type_name, old.list_depth) != (new.type_name, new.list_depth):
            raise new.place.error(
                f"{self._owner}.{new.name} has another type than at {old.place}; the two must be the same"
            )
        if new.whole_required and not old.whole_required:
            old.whole_required, old.item_required = True, new.item_required
        self._directives.add(new.directives)
        self._arguments |= {argument.name: argument for argument in new.arguments}

    def finish(self) -> None:
        self._field.arguments = list(self._arguments.values())


class DirectivesMerge:
    """The directives of one type or field; the same one twice becomes one, unless it is repeatable."""

    def __init__(self, directives: list[Directive], repeatable: Collection[str]) -> None:
        self._merged = directives
        self._repeatable = repeatable
        self._by_name: dict[str, Directive] = {}
        # The items that each list has, by directive and argument.
        self._items: dict[tuple[str, str], set[object]] = {}
        remainder = []
        for directive in directives:
            first = self._by_name.setdefault(directive.name, directive)
            if first is directive or directive.name in repeatable:
                remainder.append(directive)
            else:
                # If one declaration repeats a directive, the generators lose arguments that the first does not have.
                self._merge_arguments(first, directive, only_known=True)
        directives[:] = remainder

    def add(self, new: Iterable[Directive]) -> None:
        """Merge the directives of one more declaration."""
        for directive in new:
            first = self._by_name.setdefault(directive.name, directive)
            if first is directive or directive.name in self._repeatable:
                self._merged.append(directive)
            else:
                self._merge_arguments(first, directive)

    def _merge_arguments(self, first: Directive, new: Directive, *, only_known: bool = False) -> None:
        for name, value in new.arguments.items():
            if name not in first.arguments:
                if not only_known:
                    first.arguments[name] = value
                continue
            before = first.arguments[name]
            if not isinstance(before, list):
                first.arguments[name] = value
            elif isinstance(value, list):
                self._extend((new.name, name), before, value)
            else:
                raise new.place.error(
                    f"@{new.name}: {name} is a list at {first.place}, and none here; put brackets around it"
                )

    def _extend(self, key: tuple[str, str], before: list[object], value: list[object]) -> None:
        items = self._items.get(key)
        if items is None:
            items = self._items[key] = set(filter(_is_comparable, before))
        added = [item for item in value if not _is_comparable(item) or item not in items]
        before += added
        items.update(filter(_is_comparable, added))


def _is_comparable(item: object) -> bool:
    """Whether the generators compare an item of a list with others: objects, lists and empty texts they always add."""
    return isinstance(item, str | float) and item != ""
