"""What the template grants to roles, and what becomes of it without one action."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from local.permissions.accesses import CONDITION_KEYS
from local.permissions.policies import Access, Decision, Policy, decide
from local.permissions.roles import Role
from local.template.loader import Pseudo, Template
from tests.support.team import BUCKETS, COMMENTED, MIRRORS, RECONCILED, ROOT, Team

STACK = "amplify-jobs"


@cache
def granted() -> tuple[tuple[str, str, str], ...]:
    """Role, statement and action of everything that the template grants, by logical id and Sid."""
    return tuple(_granted())


def _granted() -> Iterator[tuple[str, str, str]]:
    pseudo = Pseudo(account="123456789012", region="eu-west-1", stack_name=STACK)
    parameters = {
        "ReadableBuckets": ",".join(BUCKETS),
        "MirrorRepositories": ",".join(MIRRORS),
        "ReconcileRepositories": ",".join(RECONCILED),
        "CommentRepositories": ",".join(COMMENTED),
    }
    template = Template(ROOT / "template.yaml", parameters, pseudo)
    for logical_id, resource in template.resources.items():
        if resource.type == "AWS::IAM::Role":
            for policy in template.resolve(resource.properties["Policies"], lambda name, attribute: name):
                for statement in policy["PolicyDocument"]["Statement"]:
                    for action in _listed(statement["Action"]):
                        yield logical_id, statement["Sid"], action


def role(team: Team, logical_id: str) -> Role:
    """A role of the running stack."""
    name = team.cloud.physical_id(logical_id)
    return next(role for role in team.cloud.authorization.roles.all() if role.name == name)


def accesses(team: Team, logical_id: str) -> Sequence[Access]:
    """What a role has asked for so far."""
    return team.cloud.authorization.accesses().get(team.cloud.physical_id(logical_id), ())


def without(policies: Sequence[Policy], sid: str, action: str) -> list[Policy]:
    """A role's policies, one action of one statement taken away."""
    items = []
    for policy in policies:
        document = copy.deepcopy(dict(policy.document))
        for statement in document["Statement"]:
            if statement.get("Sid") == sid:
                statement["Action"] = [one for one in _listed(statement["Action"]) if one != action]
        items.append(Policy(document, CONDITION_KEYS))
    return items


def is_needed(team: Team, logical_id: str, sid: str, action: str) -> bool:
    """Whether something that a role was allowed would have been refused without one action of one statement."""
    policies = role(team, logical_id).policies
    fewer = without(policies, sid, action)
    return any(
        decide(policies, access) is Decision.ALLOWED and decide(fewer, access) is not Decision.ALLOWED
        for access in accesses(team, logical_id)
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
