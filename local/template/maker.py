"""What makers of resources share: what they are given, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.permissions.policies import Policy
from local.services.account import AccountServices
from local.template.loader import Pseudo, Template


@dataclass(frozen=True)
class CreatedResource:
    """A resource that is there: what Ref and Fn::GetAtt give for it."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MakerContext:
    """The template, the services in which its resources are made, and what resources of one type need of another."""

    template: Template
    pseudo: Pseudo
    services: AccountServices
    layers: dict[str, Path] = field(default_factory=dict)
    managed_policies: dict[str, Policy] = field(default_factory=dict)
    apis: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def name(self, logical_id: str) -> str:
        """The name of a resource that the template does not name."""
        return f"{self.pseudo.stack_name}-{logical_id}"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.pseudo.region}:{self.pseudo.account}:{resource}"


@dataclass(frozen=True)
class Maker:
    """How a resource type is made. `applied` properties have an effect here, `ignored` ones have no local meaning."""

    make: Callable[[MakerContext, str, Mapping[str, Any]], CreatedResource]
    applied: frozenset[str]
    ignored: frozenset[str]


def maker(
    make: Callable[[MakerContext, str, Mapping[str, Any]], CreatedResource], applied: str, ignored: str = ""
) -> Maker:
    """A maker whose properties are given as words of a text."""
    return Maker(make, frozenset(applied.split()), frozenset(ignored.split()))
