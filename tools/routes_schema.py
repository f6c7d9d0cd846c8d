"""The JSON Schema of routes.yaml for editors, from the models and what the file has beside them.

It is of draft 7, which every editor knows. `routes check` finds what no schema can, such as two routes of one name.
"""

from __future__ import annotations

from typing import Any

from amplify_jobs.model.operations import Operation
from amplify_jobs.model.request import ROUTE_NAME_PATTERN
from amplify_jobs.routing.fields import LONGEST_NAME
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.defaults import DEFAULTS
from amplify_jobs_cli.routes_file.expansion import EXTENSION
from amplify_jobs_cli.routes_file.matrix import DIMENSION_PATTERN, MATRIX

# Members of a schema that tell of a value, and limit none.
_ABOUT = ("description", "default", "examples")
_REFERENCE = "#/definitions/{model}"
# A text that names a value is judged only when it is filled in.
_MATRIX_TEXT = {"type": "string", "pattern": r"\{\s*matrix\."}
_ANY_TEXT = {"type": "string", "pattern": r"\{"}
_MATRIX: dict[str, Any] = {
    "type": "object",
    "description": "Values by name: the route becomes one for each combination, named <route>-<key>. "
    "{matrix.app} in its texts is the key, {matrix.app.appId} a member.",
    "minProperties": 1,
    "propertyNames": {"pattern": f"^{DIMENSION_PATTERN}$", "not": {"enum": ["include", "exclude"]}},
    "additionalProperties": {
        "anyOf": [
            {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}},
            {"type": "object", "minProperties": 1, "additionalProperties": {"type": ["object", "null"]}},
        ]
    },
}


def routes_schema() -> dict[str, Any]:
    """Make the schema. Where a file has defaults, no member of a route is required."""
    schema = Routes.model_json_schema(mode="serialization", ref_template=_REFERENCE)
    definitions: dict[str, Any] = schema.pop("$defs")
    parts = ("Source", "Allow", "Bus", "FollowedBranches", *_REPORT_PARTS)
    top = {name: _open(definitions.pop(name), None) for name in parts}
    definitions["RequestTemplate"]["allOf"] = [_parameters(operation, definitions) for operation in Operation]
    definitions["When"] |= {"minProperties": 1, "maxProperties": 1}
    definitions["Route"]["properties"][MATRIX] = _MATRIX
    definitions = {
        name: _open(definition, _ANY_TEXT if name not in _ROUTE_PARTS else _MATRIX_TEXT)
        for name, definition in definitions.items()
    }
    partial = {f"Partial{name}": _partial(definition) for name, definition in definitions.items()}
    del partial["PartialWhen"]["minProperties"]
    defaults = {
        **partial["PartialRoute"],
        "description": "What every route has that does not say it itself.",
        "properties": {name: value for name, value in partial["PartialRoute"]["properties"].items() if name != MATRIX}
        | {"when": {**partial["PartialWhen"], "description": "By event, what routes that wait for it have."}},
    }
    del defaults["properties"]["when"]["maxProperties"]
    properties = schema["properties"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "routes.yaml of amplify-jobs",
        "description": schema["description"],
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {f"^{EXTENSION}": {"description": "A place for anchors; it is left out."}},
        "properties": {
            "version": _open(properties["version"], None),
            "sources": _named("Source", properties["sources"]["description"]),
            "bus": _member(properties["bus"], None),
            DEFAULTS: {"$ref": _REFERENCE.format(model="Defaults")},
            "routes": _named("PartialRoute", properties["routes"]["description"]),
            "follow": _follow(properties["follow"]),
            "reports": {
                **_named("", properties["reports"]["description"]),
                "additionalProperties": {
                    "oneOf": [{"$ref": _REFERENCE.format(model=name)} for name in _REPORT_TARGETS]
                },
            },
        },
        "required": ["routes"],
        "if": {"required": [DEFAULTS]},
        "else": {"properties": {"routes": {"additionalProperties": {"$ref": _REFERENCE.format(model="Route")}}}},
        "definitions": {**top, "Defaults": defaults, **definitions, **partial},
    }


_REPORT_TARGETS = ("CommitStatus", "ChatWebhook", "SlackBot", "Webhook")
_REPORT_PARTS = (*_REPORT_TARGETS, "ReportConditions")
_ROUTE_PARTS = (
    *("Route", "When", "Push", "PullRequests", "Releases", "Times", "Objects", "ByName", "RequestTemplate"),
    *("Operation", "OnTimeout", "PullRequestAction", "Retry", "RetryWhen"),
)


def _follow(value: dict[str, Any]) -> dict[str, Any]:
    followed = {"$ref": _REFERENCE.format(model="FollowedBranches")}
    options = [{"type": "boolean"}, {"type": "array", "minItems": 1, "items": followed}]
    return {**{name: value[name] for name in _ABOUT if name in value}, "anyOf": options}


def _named(model: str, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "propertyNames": {"pattern": ROUTE_NAME_PATTERN, "maxLength": LONGEST_NAME},
        "additionalProperties": {"$ref": _REFERENCE.format(model=model)},
    }


def _parameters(operation: Operation, definitions: dict[str, Any]) -> dict[str, Any]:
    """What the parameters of one operation are."""
    schema = operation.parameters_model().model_json_schema(ref_template=_REFERENCE)
    definitions.update(schema.pop("$defs", {}))
    name = schema["title"]
    definitions[name] = schema
    return {
        "if": {"properties": {"operation": {"const": operation}}, "required": ["operation"]},
        "then": {"properties": {"parameters": {"$ref": _REFERENCE.format(model=name)}}},
    }


def _open(part: dict[str, Any], text: dict[str, Any] | None) -> dict[str, Any]:
    """The schema of an object whose members may also be a text that names a value, and lists one text of their own."""
    part = {name: value for name, value in part.items() if name != "title"}
    if "properties" in part:
        part["properties"] = {name: _member(value, text) for name, value in part["properties"].items()}
    return part


def _member(value: dict[str, Any], text: dict[str, Any] | None) -> dict[str, Any]:
    about = {name: value[name] for name in _ABOUT if value.get(name) is not None}
    plain = {name: inner for name, inner in value.items() if name not in (*_ABOUT, "title")}
    options = [
        option
        for alternative in (plain.get("anyOf") or plain.get("oneOf") or [plain])
        for option in _options(alternative, text)
    ]
    if text is not None and any(option != {"type": "string"} for option in options):
        options.append(text)
    return {**about, **(options[0] if len(options) == 1 else {"anyOf": options})}


def _options(plain: dict[str, Any], text: dict[str, Any] | None) -> list[dict[str, Any]]:
    if plain.get("type") != "array" or "items" not in plain:
        return [plain]
    items = _member(plain["items"], text)
    # One text is a list of one.
    return [{**plain, "items": items}, *([items] if "$ref" not in items and text is not _ANY_TEXT else [])]


def _partial(part: Any) -> Any:
    """The same schema without required members, in its references too."""
    if isinstance(part, list):
        return [_partial(item) for item in part]
    if not isinstance(part, dict):
        return part
    result: dict[str, Any] = {}
    for name, value in part.items():
        if name == "$ref":
            result[name] = value.replace("#/definitions/", "#/definitions/Partial")
        elif name == "properties":
            # A member may itself be called required.
            result[name] = {member: _partial(inner) for member, inner in value.items()}
        elif name != "required":
            # What decides which parameters are meant stays as it is, and examples are no schemas.
            result[name] = value if name in ("if", "examples") else _partial(value)
    return result
