"""Checks and matches event patterns.

Matching is moto's, which takes any operator that it does not know for a match: such patterns are refused here instead.
Operators: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.events.models import EventPattern


class InvalidPatternError(ValueError):
    """The pattern is none, or has an operator that the local cloud does not match; the message says where."""


def load(text: str) -> EventPattern:
    """A pattern for `matches`; raises InvalidPatternError."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidPatternError(f"Event pattern is not valid. Reason: {error}") from None
    if not isinstance(document, dict) or not document:
        raise InvalidPatternError("Event pattern is not valid. Reason: Filter is not an object or has no field")
    _check_object(document, "")
    return EventPattern(text, document)


def matches(pattern: EventPattern, event: Mapping[str, Any]) -> bool:
    """Whether an event, of whatever shape, fits a pattern."""
    # moto's type for events is that of one that it made itself.
    whole: Any = event
    return bool(pattern.matches_event(whole))


def _check_object(pattern: Mapping[str, Any], path: str) -> None:
    for name, value in pattern.items():
        where = f"{path}.{name}" if path else name
        if name == "$or":
            if not isinstance(value, list) or len(value) < 2 or not all(isinstance(item, dict) for item in value):
                raise _invalid(where, "an array of at least two objects")
            for item in value:
                _check_object(item, path)
        elif isinstance(value, dict):
            if not value:
                raise _invalid(where, "an object with at least one field")
            _check_object(value, where)
        elif isinstance(value, list) and value:
            for item in value:
                _check_filter(item, where)
        else:
            raise _invalid(where, "an object or an array that is not empty")


def _check_filter(item: Any, where: str) -> None:
    if item is None or isinstance(item, str | int | float | bool):
        return
    if not isinstance(item, dict) or len(item) != 1:
        raise _invalid(where, "values, or objects of one operator each")
    operator, operand = next(iter(item.items()))
    if operator not in OPERATORS:
        raise InvalidPatternError(
            f"Event pattern is not valid. Reason: the operator {operator!r} at {where} is not known to the local "
            f"cloud; it knows {', '.join(sorted(OPERATORS))}"
        )
    if not OPERATORS[operator](operand):
        raise _invalid(f"{where}.{operator}", f"an operand that fits, not {json.dumps(operand)}")


def _invalid(where: str, expected: str) -> InvalidPatternError:
    return InvalidPatternError(f"Event pattern is not valid. Reason: {where} must have {expected}")


def _is_text_operand(operand: Any) -> bool:
    if isinstance(operand, dict):
        return list(operand) == ["equals-ignore-case"] and isinstance(operand["equals-ignore-case"], str)
    return isinstance(operand, str)


def _is_numeric(operand: Any) -> bool:
    if not isinstance(operand, list) or len(operand) not in {2, 4}:
        return False
    signs = all(sign in {"<", "<=", "=", ">=", ">"} for sign in operand[::2])
    return signs and all(isinstance(n, int | float) and not isinstance(n, bool) for n in operand[1::2])


def _is_anything_but(operand: Any) -> bool:
    if isinstance(operand, dict):
        inner, value = next(iter(operand.items()), ("", None))
        texts = value if isinstance(value, list) and value else [value]
        is_known = inner in {"prefix", "suffix", "equals-ignore-case", "wildcard"}
        return len(operand) == 1 and is_known and all(isinstance(text, str) for text in texts)
    items = operand if isinstance(operand, list) else [operand]
    return bool(items) and all(isinstance(item, str | int | float) for item in items)


def _is_network(operand: Any) -> bool:
    try:
        ipaddress.ip_network(operand)
    except ValueError:
        return False
    return isinstance(operand, str)


OPERATORS: Mapping[str, Callable[[Any], bool]] = {
    "exists": lambda operand: isinstance(operand, bool),
    "prefix": _is_text_operand,
    "suffix": _is_text_operand,
    "equals-ignore-case": lambda operand: isinstance(operand, str),
    "wildcard": lambda operand: isinstance(operand, str),
    "numeric": _is_numeric,
    "anything-but": _is_anything_but,
    "cidr": _is_network,
}
