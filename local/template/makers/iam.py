"""Roles and policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.permissions.accesses import CONDITION_KEYS
from local.permissions.managed_policies import managed_policy
from local.permissions.policies import Policy
from local.template.maker import CreatedResource, Maker, MakerContext, maker


def _role(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("RoleName", context.name(logical_id))
    arn = f"arn:aws:iam::{context.pseudo.account}:role{properties.get('Path', '/')}{name}"
    inline = [_policy(policy["PolicyDocument"]) for policy in properties.get("Policies", [])]
    managed = [
        context.managed_policies.get(policy) or _policy(managed_policy(policy))
        for policy in properties.get("ManagedPolicyArns", [])
    ]
    context.services.authorization.roles.add(arn, inline + managed)
    return CreatedResource(name, {"Arn": arn, "RoleId": f"AROA{name.upper()[:12]}"})


def _inline_policy(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    _attach(context, _policy(properties["PolicyDocument"]), properties)
    return CreatedResource(context.name(logical_id))


def _managed_policy(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("ManagedPolicyName", context.name(logical_id))
    arn = f"arn:aws:iam::{context.pseudo.account}:policy{properties.get('Path', '/')}{name}"
    context.managed_policies[arn] = _policy(properties["PolicyDocument"])
    _attach(context, context.managed_policies[arn], properties)
    return CreatedResource(arn, {"PolicyArn": arn})


def _attach(context: MakerContext, policy: Policy, properties: Mapping[str, Any]) -> None:
    for role in properties.get("Roles", []):
        try:
            context.services.authorization.roles.attach(role, policy)
        except KeyError:
            raise ValueError(f"the role {role} is not of this template") from None


def _policy(document: Mapping[str, Any]) -> Policy:
    return Policy(document, CONDITION_KEYS)


MAKERS: Mapping[str, Maker] = {
    "AWS::IAM::Role": maker(
        _role,
        "RoleName Path Policies ManagedPolicyArns",
        "AssumeRolePolicyDocument Description MaxSessionDuration PermissionsBoundary",
    ),
    "AWS::IAM::Policy": maker(_inline_policy, "PolicyDocument Roles", "PolicyName Users Groups"),
    "AWS::IAM::ManagedPolicy": maker(
        _managed_policy, "ManagedPolicyName Path PolicyDocument Roles", "Description Users Groups"
    ),
}
