"""GraphQL schemas of any size, each of one shape that a conversion could take the square of its size for."""

from __future__ import annotations

from collections.abc import Callable


def many(number: int, text: str) -> str:
    """A text with numbers from 0 in the places of §."""
    return "".join(text.replace("§", str(each)) + " " for each in range(number))


def names(number: int) -> str:
    return ", ".join(f'"f{each}"' for each in range(number))


def models(**fields: str) -> str:
    return " ".join(f"type {name} @model {{ id: ID! {each} }}" for name, each in fields.items())


LINK = '@manyToMany(relationName: "R§")'

LARGE_SCHEMAS: dict[str, Callable[[int], str]] = {
    "models": lambda n: many(n, "type M§ @model { a: String }"),
    "a hub with many": lambda n: (
        models(Hub=many(n, "f§: [M§] @hasMany")) + many(n, "type M§ @model { h: Hub @belongsTo }")
    ),
    "a hub with many to many": lambda n: (
        models(Hub=many(n, f"f§: [M§] {LINK}")) + many(n, f"type M§ @model {{ h: [Hub] {LINK} }}")
    ),
    "many to many of one pair": lambda n: models(A=many(n, f"f§: [B] {LINK}"), B=many(n, f"f§: [A] {LINK}")),
    "many to many with itself": lambda n: models(A=many(n, f"f§: [A] {LINK} g§: [A] {LINK}")),
    "indexes": lambda n: models(
        A=many(n, 'f§: [B] @hasMany(indexName: "i§", fields: ["id"])'), B=many(n, 'a§: ID @index(name: "i§")')
    ),
    "indexes and back": lambda n: models(
        A=many(n, 'f§: [B] @hasMany(indexName: "i§", fields: ["id"])'),
        B=many(n, 'a§: ID @index(name: "i§") b§: A @belongsTo(fields: ["a§"])'),
    ),
    "fields without an index": lambda n: models(A=many(n, 'f§: [B] @hasMany(fields: ["id"])'), B=many(n, "a§: ID")),
    "references": lambda n: models(
        A=many(n, 'f§: [B] @hasMany(references: ["a§"])'), B=many(n, 'a§: ID b§: A @belongsTo(references: ["a§"])')
    ),
    "implied keys": lambda n: models(A=many(n, "f§: [B] @hasMany"), B="n: Int"),
    "implied keys and back": lambda n: models(A=many(n, "f§: B @hasOne"), B=many(n, "g§: A @belongsTo")),
    "tables between": lambda n: (
        models(
            A=many(n, 'j§: [J§] @hasMany(indexName: "byA", fields: ["id"])'),
            B=many(n, 'j§: [J§] @hasMany(indexName: "byB", fields: ["id"])'),
        )
        + many(
            n,
            'type J§ @model { aID: ID! @index(name: "byA") a: A! @belongsTo(fields: ["aID"])'
            ' bID: ID! @index(name: "byB") b: B! @belongsTo(fields: ["bID"]) }',
        )
    ),
    "sort keys": lambda n: models(A=f"{many(n, 'f§: ID!')} x: ID! @primaryKey(sortKeyFields: [{names(n)}])"),
    "long references": lambda n: models(
        A=f"b: [B] @hasMany(references: [{names(n)}])", B=f"{many(n, 'f§: ID')} n: Int @own(references: [{names(n)}])"
    ),
    "directives of one field": lambda n: models(A=f"b: B {many(n, '@hasOne(a: §)')}", B="a: A @belongsTo"),
    "unknown directives": lambda n: (
        many(n + 500, "directive @own§ on OBJECT") + models(A=f"a: Int {many(n + 40, '@unkn§')}")
    ),
    "extensions": lambda n: models(A="") + many(n, "extend type A @d§(x: 1)"),
    "extensions of an enum": lambda n: "enum E { A }" + many(n, "extend enum E { V§ }"),
    "extensions of a list": lambda n: models(A="") + many(n, 'extend type A @auth(rules: [{a: "§"}], n: ["§"])'),
    "extensions of arguments": lambda n: models(A="e: Int") + many(n, "extend type A { e(a§: Int): Int }"),
    "extensions of a union": lambda n: "union U = T0 " + many(n, "type T§ { a: Int } extend union U = T§"),
    "unrelated fields": lambda n: models(B="n: Int", A=many(n, "f§: B")),
    "fields of transformer 1": lambda n: models(B="n: Int", A=many(n, "f§: B @connection")),
    "reserved names": lambda n: (
        many(n, "type __T§ { a: __T§ b: __T0 c: __Last }") + "type __Last { n: Int }" + models(A=many(n, "t§: __T§"))
    ),
}
