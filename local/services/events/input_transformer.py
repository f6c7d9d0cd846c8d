"""Says what a target of a rule gets of an event: the whole, a part (InputPath), a constant (Input) or a template.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\['([^']+)'\]|\[(\d+)\]")
PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")


class InvalidInputError(ValueError):
    """A target's input can't be made as it says; the message says what is wrong."""


def check(target: Mapping[str, Any]) -> None:
    """Hold a target's input settings against what the local cloud can do; raises InvalidInputError."""
    settings = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name) is not None]
    if len(settings) > 1:
        raise InvalidInputError(f"Only one of Input, InputPath, or InputTransformer must be provided, not {settings}")
    if target.get("Input") is not None:
        _parse(target["Input"])
    for path in [target.get("InputPath"), *_paths(target).values()]:
        if path is not None:
            _steps(path)


def make(target: Mapping[str, Any], event: Mapping[str, Any], rule_name: str, rule_arn: str) -> str:
    """The text that a checked target gets for an event: JSON, or a template's plain text."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath") is not None:
        return json.dumps(_value(event, target["InputPath"]))
    if target.get("InputTransformer") is None:
        return json.dumps(event)
    values = {name: _value(event, path) for name, path in _paths(target).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    return _fill(target["InputTransformer"]["InputTemplate"], values)


def _paths(target: Mapping[str, Any]) -> Mapping[str, str]:
    transformer: Mapping[str, Any] = target.get("InputTransformer") or {}
    return transformer.get("InputPathsMap") or {}


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"Input must be valid JSON: {error}") from None


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    position = 1
    while path.startswith("$") and position < len(path) and (match := STEP.match(path, position)):
        steps.append(int(match[3]) if match[3] else match[1] or match[2])
        position = match.end()
    if not path.startswith("$") or position < len(path):
        raise InvalidInputError(f"{path!r} is no path that the local cloud knows: $, .name, ['name'] and [0] only")
    return steps


def _value(event: Any, path: str) -> Any:
    """What a path leads to; None where it leads nowhere, as on AWS."""
    for step in _steps(path):
        try:
            event = event[step]
        except (KeyError, IndexError, TypeError):
            return None
    return event


def _fill(template: str, values: Mapping[str, Any]) -> str:
    """Placeholders inside quotes become text, those outside of them JSON; unknown ones become nothing."""
    parts: list[str] = []
    inside = False
    position = 0
    for match in PLACEHOLDER.finditer(template):
        between = template[position : match.start()]
        inside ^= len(re.findall(r'(?<!\\)"', between)) % 2 == 1
        value = values.get(match[1])
        parts += [between, _quoted(value) if inside else _plain(value, is_json=template.lstrip().startswith("{"))]
        position = match.end()
    return "".join([*parts, template[position:]])


def _quoted(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]


def _plain(value: Any, *, is_json: bool) -> str:
    if value is None:
        return '""' if is_json else ""
    return json.dumps(value) if is_json or not isinstance(value, str) else value
