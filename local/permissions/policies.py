"""Evaluates identity-based policies as IAM does: an explicit deny, else an allow, else no access.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html. moto's own evaluator knows no
resources with `?`, `NotResource` or conditions of identity-based policies, and takes a condition that does not hold for
an explicit deny. No other that is kept up runs in Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from typing import Any

VARIABLE = re.compile(r"\$\{([^}]*)\}")
LITERALS = frozenset("*?$")
"""What a policy writes as `${*}`, `${?}` and `${$}`."""

ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


class PolicyError(ValueError):
    """A policy document is not one of identity-based policies; the message says where."""


class Decision(Enum):
    """What policies say of one access."""

    ALLOWED = "allowed"
    DENIED = "denied"
    NOT_ALLOWED = "not allowed"


@dataclass(frozen=True)
class Access:
    """One action on one resource. `resource` is `*` for actions without resources; `context` has lower-case keys."""

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)


class Policy:
    """One policy document. Raises PolicyError for one that is malformed.

    `keys` are the condition keys, in lower case, whose values an Access has where AWS would have them. A condition on
    another key, or with an operator that is not known here, is not evaluated: it counts as met in an Allow and as not
    met in a Deny. `not_evaluated` names each.
    """

    def __init__(self, document: Mapping[str, Any], keys: Collection[str]) -> None:
        self.document = document
        statements = _listed(document.get("Statement"))
        self._statements = [_Statement(statement, keys) for statement in statements]
        self.not_evaluated = sorted({text for statement in self._statements for text in statement.not_evaluated})

    def effects(self, access: Access) -> Iterator[Any]:
        """The effect, Allow or Deny, of each statement that applies to an access."""
        return (statement.effect for statement in self._statements if statement.applies(access))


def decide(policies: Collection[Policy], access: Access) -> Decision:
    """What a principal's policies together say of an access."""
    effects = {effect for policy in policies for effect in policy.effects(access)}
    if "Deny" in effects:
        return Decision.DENIED
    return Decision.ALLOWED if "Allow" in effects else Decision.NOT_ALLOWED


class _Statement:
    def __init__(self, statement: Mapping[str, Any], keys: Collection[str]) -> None:
        if unknown := sorted(set(statement) - ELEMENTS):
            raise PolicyError(f"a statement of an identity-based policy has no {unknown[0]}")
        self.effect = statement.get("Effect")
        if self.effect not in {"Allow", "Deny"}:
            raise PolicyError(f"a statement's Effect is Allow or Deny, not {self.effect!r}")
        self._has_action = _matcher(statement, "Action", _action_pattern)
        self._has_resource = _matcher(statement, "Resource", _resource_pattern)
        self.not_evaluated: list[str] = [
            f"policy variable {match[0]}"
            for text in _listed(statement.get("Resource", statement.get("NotResource")))
            for match in VARIABLE.finditer(text)
            if match[1] not in LITERALS
        ]
        self._conditions: list[Callable[[Access], bool]] = []
        for operator, tests in (statement.get("Condition") or {}).items():
            for key, values in tests.items():
                condition = _condition(operator, key, [_text(value) for value in _listed(values)])
                if condition is None or key.lower() not in keys:
                    self.not_evaluated.append(f"condition {operator} on {key}")
                elif condition is not None:
                    self._conditions.append(condition)
        # A Deny whose conditions are not all known may be meant for another case than this one.
        self._is_void = self.effect == "Deny" and bool(self.not_evaluated)

    def applies(self, access: Access) -> bool:
        return (
            not self._is_void
            and self._has_action(access.action)
            and self._has_resource(access.resource)
            and all(condition(access) for condition in self._conditions)
        )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- Actions and resources -------------------------------------------------------------------------------------------


def _matcher(
    statement: Mapping[str, Any], element: str, pattern: Callable[[str], re.Pattern[str]]
) -> Callable[[str], bool]:
    excluded = f"Not{element}"
    if (element in statement) == (excluded in statement):
        raise PolicyError(f"a statement has either {element} or {excluded}")
    patterns = [pattern(str(text)) for text in _listed(statement.get(element, statement.get(excluded)))]
    is_excluding = excluded in statement

    def matches(text: str) -> bool:
        return any(compiled.fullmatch(text) for compiled in patterns) is not is_excluding

    return matches


@cache
def _action_pattern(text: str) -> re.Pattern[str]:
    return re.compile(_regex(text, "."), re.IGNORECASE)


@cache
def _resource_pattern(text: str) -> re.Pattern[str]:
    """A pattern of ARNs: a wildcard stays within its segment, except in the last; `*` alone is everything."""
    *first, last = text.split(":", 5)
    return re.compile(":".join([*(_regex(segment, "[^:]") for segment in first), _regex(last, ".")]), re.DOTALL)


def _regex(text: str, character: str) -> str:
    """A text with wildcards as a regular expression whose wildcards stand for these characters."""
    wildcards = {"*": f"{character}*", "?": character}
    parts = re.split(r"(\$\{[^}]*\}|[*?])", text)
    return "".join(
        wildcards.get(part) or (_variable(part, character) if VARIABLE.fullmatch(part) else re.escape(part))
        for part in parts
    )


def _variable(text: str, character: str) -> str:
    name = text[2:-1]
    return re.escape(name) if name in LITERALS else f"{character}*"


# --- Conditions ------------------------------------------------------------------------------------------------------


def _arn_like(pattern: str, value: str) -> bool:
    return _resource_pattern(pattern).fullmatch(value) is not None


def _like(pattern: str, value: str) -> bool:
    return re.fullmatch(_regex(pattern, "."), value, re.DOTALL) is not None


def _same(pattern: str, value: str) -> bool:
    return pattern == value


def _same_but_for_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _compared(compare: Callable[[float, float], bool], pattern: str, value: str) -> bool:
    try:
        return compare(float(value), float(pattern))
    except ValueError:
        return False


TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _same_but_for_case,
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _same_but_for_case,
    "NumericEquals": partial(_compared, float.__eq__),
    "NumericLessThan": partial(_compared, float.__lt__),
    "NumericLessThanEquals": partial(_compared, float.__le__),
    "NumericGreaterThan": partial(_compared, float.__gt__),
    "NumericGreaterThanEquals": partial(_compared, float.__ge__),
}
"""Condition operators; with Not, such as StringNotEquals, they are the opposite."""


def _condition(operator: str, key: str, expected: Sequence[str]) -> Callable[[Access], bool] | None:
    """One condition on one key, or None for an operator that is not known."""
    quantifier, _, name = operator.rpartition(":")
    name, if_exists = name.removesuffix("IfExists"), name.endswith("IfExists")
    match = re.fullmatch(r"(String|Arn|Numeric)Not(\w+)", name)
    test = TESTS.get(f"{match[1]}{match[2]}" if match else name)
    lower = key.lower()
    if name == "Null" and not quantifier:
        return lambda access: (not access.context.get(lower)) == (expected == ["true"])
    if test is None or quantifier not in {"", "ForAllValues", "ForAnyValue"}:
        return None
    is_negated = match is not None

    def is_met(value: str) -> bool:
        return any(test(pattern, value) for pattern in expected) is not is_negated

    def holds(access: Access) -> bool:
        values = access.context.get(lower) or ()
        if not values:
            return if_exists or quantifier == "ForAllValues" or (is_negated and quantifier != "ForAnyValue")
        return any(map(is_met, values)) if quantifier == "ForAnyValue" else all(map(is_met, values))

    return holds
