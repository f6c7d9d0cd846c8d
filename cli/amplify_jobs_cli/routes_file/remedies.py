"""What to write instead, by the models: a field's values, its limits, or its description with its examples."""

from __future__ import annotations

import re
from typing import Any

from pydantic.fields import FieldInfo

from amplify_jobs_cli.routes_file.model_fields import alternatives, choices, description, examples, item_of

# What YAML reads as a text wherever it stands, but for the words below.
_PLAIN = re.compile(r"[A-Za-z/.][\w/.:-]*(?<!:)")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
# A message does not show what is in objects that lie deeper.
_DEEPEST = 2


def remedy(field: FieldInfo) -> str:
    """Say what is right for a field, in words that fit after "use"."""
    values, item = choices(field), item_of(field)
    if len(values) == 1:
        return flow(values[0]) + ("" if field.is_required() else ", or leave it out")
    if values:
        return " or ".join(values) if len(values) == 2 else f"one of {', '.join(values)}"
    if item and choices(item):
        return f"a list of {', '.join(choices(item))}"
    kinds = [inner.annotation for inner in alternatives(field)]
    if bool in kinds:
        return "true or false"
    sentence = (description(field) or "").partition(". ")[0].removesuffix(".")
    sentence = sentence[:1].lower() + sentence[1:]
    if int in kinds:
        return f"a whole number{_limits(field)}" + (f": {sentence}" if sentence else "")
    if sentence:
        return sentence + _like(examples(field))
    return "a list" if item else "a text" if str in kinds else "an object"


def flow(value: Any, depth: int = 0) -> str:
    """Write a value in one line of YAML."""
    if isinstance(value, dict):
        if depth > _DEEPEST:
            return "{…}"
        return "{" + ", ".join(f"{name}: {flow(inner, depth + 1)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item, depth + 1) for item in value) + "]"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else f'"{value}"'
    return str(value).lower()


def _like(values: list[Any]) -> str:
    if not values:
        return ""
    *rest, last = map(flow, values)
    return f", like {', '.join(rest)} or {last}" if rest else f", like {last}"


def _limits(field: FieldInfo) -> str:
    """The limits of a number."""
    limits = [limit for inner in (field, *alternatives(field)) for limit in inner.metadata]
    lowest = next((limit.ge for limit in limits if getattr(limit, "ge", None) is not None), None)
    highest = next((limit.le for limit in limits if getattr(limit, "le", None) is not None), None)
    return (f" from {lowest}" if lowest is not None else "") + (f" to {highest}" if highest is not None else "")
