"""Random GraphQL schemas, right and wrong, to hold graphql_schema.py against AWS's own libraries."""

from __future__ import annotations

import re
from random import Random

SCALARS = ["ID", "String", "Int", "Float", "Boolean", "AWSDate", "AWSDateTime", "AWSEmail", "AWSJSON", "AWSPhone"]
WRAPPINGS = ["{}", "{}", "{}!", "[{}]", "[{}!]", "[{}]!", "[{}!]!"]
MODEL_NAMES = ["A", "Bee", "cat", "Dog_House", "EVENT", "FooBar2", "URLThing", "X1y"]
FIELD_NAMES = ["name", "title", "aId", "beeId", "createdAt", "ownerID", "x", "Y_z", "updatedAt", "kind", "catId", "n2"]
MORE_DIRECTIVES = [
    "",
    "",
    ' @key(fields: ["id"])',
    ' @key(name: "n", fields: ["id"]) @key(name: "m", fields: ["title"])',
    " @model(timestamps: null)",
    " @auth(rules: [{allow: owner}])",
]
ENUM_VALUES = ["A", "a", "some_value", "SomeValue", "someValue", "SOME_VALUE", "_1", "_2", "Z9"]


def random_schema(random: Random, *, careful: bool) -> str:
    """Give a schema; a careful one uses directives mostly as they are meant."""
    return _Writer(random, careful=careful).schema()


def misspelt_schema(random: Random) -> str:
    """Give a careful schema in which one or two words, but no names of fields, are replaced by others of its words."""
    parts = re.split(r"(\w+)", random_schema(random, careful=True))
    words = range(1, len(parts), 2)
    replaceable = [place for place in words if not parts[place + 1].startswith((":", "("))]
    for _ in range(random.randint(1, 2)):
        parts[random.choice(replaceable)] = parts[random.choice(words)]
    return "".join(parts)


def repeated_schema(random: Random) -> str:
    """Give a careful schema in which some models are declared again, in part, with directives of theirs and others."""
    schema = random_schema(random, careful=True)
    parts = [schema]
    for name, body in re.findall(r"type (\w+) @model[^{]*\{\n(.*?)\n\}", schema, re.DOTALL):
        if random.random() < 0.6:
            fields = body.split("\n")
            again = [random.choice(fields) for _ in range(random.randint(1, 3))]
            if random.random() < 0.3:
                again = [re.sub(r"name: \"\w+\"", 'name: "another"', field) for field in again]
            keyword = random.choice(["type", "extend type"])
            parts.append(f"{keyword} {name}{random.choice(MORE_DIRECTIVES)} {{\n" + "\n".join(again) + "\n}")
    random.shuffle(parts)
    return "\n".join(parts)


def reserved_schema(random: Random) -> str:
    """Give a careful schema in which some names begin with two underscores."""
    schema = random_schema(random, careful=True)
    for name in random.sample([*MODEL_NAMES, "Part0", "Part1", "Kind0", "Kind1", "Either", "Named", "Links"], 4):
        schema = re.sub(rf"\b{name}\b", f"__{name}", schema)
    return schema


def homonymous_schema(random: Random) -> str:
    """Give a careful schema in which some names are those of directives, or id."""
    schema = random_schema(random, careful=True)
    others = ["auth", "model", "index", "function", "http", "sql", "searchable", "hasMany", "id", "zed"]
    names = random.sample([*MODEL_NAMES, "Part0", "Part1", "Kind0", "Kind1", "Either", "Named"], 5)
    for name, other in zip(names, random.sample(others, 5), strict=True):
        schema = re.sub(rf"(?<!@)\b{name}\b", other, schema)
    return f"directive @zed on OBJECT {schema}" if random.random() < 0.5 else schema


def rekeyed_schema(random: Random) -> str:
    """Give a careful schema in which one to three more fields have a @primaryKey."""
    schema = random_schema(random, careful=True)
    places = [result.end() for result in re.finditer(r": \w+!", schema)]
    for place in sorted(random.sample(places, min(len(places), random.randint(1, 3))), reverse=True):
        schema = f"{schema[:place]} @primaryKey{schema[place:]}"
    return schema


class _Writer:
    def __init__(self, random: Random, *, careful: bool) -> None:
        self.random = random
        self.careful = careful
        self.models = random.sample(MODEL_NAMES, random.randint(1, 5))
        self.non_models = [f"Part{number}" for number in range(random.randint(0, 2))]
        self.enums = [f"Kind{number}" for number in range(random.randint(0, 2))]
        self.others = ["Either", "Named"] if random.random() < 0.2 else []
        self.fields: dict[str, dict[str, str]] = {name: {} for name in self.models}
        self.primary: dict[str, str] = {}

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def wild(self, probability: float = 0.15) -> bool:
        return not self.careful and self.chance(probability)

    def schema(self) -> str:
        for name in self.models:
            self.plain_fields(name)
        for _ in range(self.random.randint(0, 5)):
            self.random.choice([self.one_to_many, self.one_to_many, self.one_to_one, self.many_to_many])()
        parts = [self.model(name) for name in self.models]
        parts += [f"type {name} {{ {self.simple_fields()} }}" for name in self.non_models]
        parts += [f"enum {name} {{ {' '.join(self.some(ENUM_VALUES, 4))} }}" for name in self.enums]
        if self.others:
            members = " | ".join(self.some([*self.models, *self.non_models], 2))
            parts += [f"union Either = {members}", "interface Named { name: String }"]
        if self.chance(0.2):
            parts.append(f"extend type {self.random.choice(self.models)} {{ extra: {self.simple_type()} }}")
        if self.chance(0.2):
            answer = self.random.choice([*self.models, *SCALARS])
            parts.append(f"type Query {{ ask(what: String, like: Like): [{answer}] }} input Like {{ a: Int b: [ID!] }}")
        self.random.shuffle(parts)
        return "\n".join(parts)

    def some(self, items: list[str], most: int) -> list[str]:
        return self.random.sample(items, min(len(items), self.random.randint(1, most)))

    def simple_type(self) -> str:
        name = self.random.choice([*SCALARS, *SCALARS, *self.enums, *self.non_models, *self.others])
        if self.wild(0.05):
            name = self.random.choice([*self.models, "Like", "Query", "Nowhere"])
        return self.random.choice(WRAPPINGS).format(name)

    def simple_fields(self) -> str:
        return " ".join(f"{name}: {self.simple_type()}" for name in self.some(FIELD_NAMES, 4))

    def plain_fields(self, model: str) -> None:
        fields = self.fields[model]
        for name in self.some(FIELD_NAMES, 5):
            index = ""
            if self.chance(0.15):
                index = f' @index(name: "by{name}")'
            fields[name] = self.simple_type() + index
        if self.chance(0.6):
            fields["id"] = "ID!" if not self.wild() else self.simple_type()
        if self.chance(0.35):
            key = self.random.choice(["id", "code", *fields])
            sort = [name for name in self.keyable(model) if name != key] if self.chance(0.5) else []
            sort_keys = self.some(sort, 2) if sort else []
            if self.wild():
                sort_keys.append("nothing")
            listed = ", ".join(f'"{name}"' for name in sort_keys)
            scalar = self.random.choice(["ID", "String", "Int"])
            bang = "" if self.wild() else "!"
            fields[key] = f"{scalar}{bang} @primaryKey" + (f"(sortKeyFields: [{listed}])" if sort_keys else "")
            self.primary[model] = key

    def keyable(self, model: str) -> list[str]:
        """Fields that can be part of a key: the generators leave fields of unions out, even of a key."""
        declared = self.fields[model].items()
        return [name for name, type_ in declared if not (self.careful and any(each in type_ for each in self.others))]

    def put(self, model: str, name: str, declaration: str) -> None:
        self.fields[model].setdefault(name, declaration)

    def pair(self) -> tuple[str, str]:
        return self.random.choice(self.models), self.random.choice(self.models)

    def one_to_many(self) -> None:
        one, many = self.pair()
        name, back = self.random.choice(["items", "kids", "rows"]), self.random.choice(["parent", "owner", "boss"])
        bang = self.random.choice(["", "!"])
        match self.random.randint(0, 5 if self.careful else 6):
            case 0:
                self.put(one, name, f"[{many}] @hasMany")
            case 1:
                self.put(one, name, f"[{many}{bang}]{bang} @hasMany")
                self.put(many, back, f"{one}{bang} @belongsTo")
            case 2 | 3:
                foreign = f"{back}Ref"
                self.put(many, foreign, f'ID{bang} @index(name: "via{back}", sortKeyFields: [])')
                self.put(
                    one, name, f'[{many}] @hasMany(indexName: "via{back}", fields: ["{self.primary.get(one, "id")}"])'
                )
                if self.chance(0.5):
                    self.put(many, back, f'{one} @belongsTo(fields: ["{foreign}"])')
            case 4:
                foreign = f"{back}Ref"
                self.put(many, foreign, f"ID{bang}")
                self.put(one, name, f'[{many}] @hasMany(references: ["{foreign}"])')
                self.put(many, back, f'{one} @belongsTo(references: ["{foreign}"])')
            case 5:
                self.put(one, name, f'[{many}] @hasMany(fields: ["{self.primary.get(one, "id")}"])')
            case _:
                wrong = self.random.choice(["@hasMany", "@belongsTo", '@hasMany(indexName: "no", fields: ["id"])', ""])
                self.put(one, name, f"{self.random.choice(WRAPPINGS).format(many)} {wrong}")

    def one_to_one(self) -> None:
        one, other = self.pair()
        name, back = self.random.choice(["main", "only"]), self.random.choice(["holder", "whole"])
        bang = self.random.choice(["", "!"])
        match self.random.randint(0, 3 if self.careful else 5):
            case 0:
                self.put(one, name, f"{other}{bang} @hasOne")
            case 1:
                self.put(one, name, f"{other} @hasOne")
                self.put(other, back, f"{one}{bang} @belongsTo")
            case 2:
                self.put(one, f"{name}Ref", f"ID{bang}")
                self.put(one, name, f'{other} @hasOne(fields: ["{name}Ref"])')
            case 3:
                self.put(other, f"{back}Ref", f"ID{bang}")
                self.put(one, name, f'{other} @hasOne(references: ["{back}Ref"])')
                self.put(other, back, f'{one}{bang} @belongsTo(references: ["{back}Ref"])')
            case 4:
                self.put(one, name, f'{other} @hasOne(fields: ["x", "y"])')
            case _:
                wrong = self.random.choice(["@hasOne", "@belongsTo", '@hasOne(references: ["no"])', ""])
                self.put(one, name, f"{self.random.choice(WRAPPINGS).format(other)} {wrong}")

    def many_to_many(self) -> None:
        one, other = self.pair()
        relation = self.random.choice(["Links", "links", "some-thing", "R2_d", "A_b"])
        self.put(one, f"{relation.lower()[:3].strip('-_')}s", f'[{other}] @manyToMany(relationName: "{relation}")')
        if not self.wild(0.05):
            self.put(other, f"{relation.lower()[:3].strip('-_')}b", f'[{one}] @manyToMany(relationName: "{relation}")')

    def model(self, name: str) -> str:
        arguments = self.random.choice(
            ["", "", "", "", "(timestamps: null)", '(timestamps: {createdAt: "made"})', "(queries: null)"]
        )
        legacy = ""
        if self.chance(0.05):
            names = ", ".join(f'"{field}"' for field in self.some(self.keyable(name), 2))
            legacy = f" @key({self.random.choice(['', 'name: ' + chr(34) + 'k' + chr(34) + ', '])}fields: [{names}])"
        fields = list(self.fields[name].items())
        if self.chance(0.5):
            self.random.shuffle(fields)
        listed = "\n".join(f"  {field}: {declaration}" for field, declaration in fields)
        auth = " @auth(rules: [{allow: owner}])" if self.chance(0.2) else ""
        return f"type {name} @model{arguments}{legacy}{auth} {{\n{listed}\n}}"
