"""The rights that deployment/permissions.yaml gives are those that CloudFormation needs for the template."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from local.template.loader import Pseudo, Template

REPOSITORY = Path(__file__).parents[2]
PSEUDO = Pseudo(account="123456789012", region="eu-west-1", stack_name="amplify-jobs")
ALL = {
    "MirrorSubnetIds": "subnet-1",
    "MirrorSecurityGroupIds": "sg-1",
    "NotificationEmail": "all@example.com",
    "AlarmEmail": "all@example.com",
    "ReadableBuckets": "acme",
}
TEMPLATE = Template(REPOSITORY / "template.yaml", ALL, PSEUDO)
PERMISSIONS = Template(
    REPOSITORY / "deployment" / "permissions.yaml",
    {"GithubRepository": "acme/ops", "GithubProviderArn": "arn:aws:iam::123456789012:oidc-provider/github"},
    PSEUDO,
)
# The resource types' own schemas, which say what their handlers call; `make template` sets the folder up.
SCHEMAS = next(REPOSITORY.glob(".venv-tools/lib/python3*/site-packages/cfnlint/data/schemas/resources"), None)

# Calls of handlers for what the template does not use, and those that are no actions.
UNNEEDED = [
    (r"kms:.*", "only AWS's own keys are used; their policies let the services' callers in"),
    (r"elasticfilesystem:.*|s3files:.*", "no function mounts a file system"),
    (r"kinesis:.*|firehose:.*|s3tables:.*", "nothing streams, and the bucket has no metadata tables"),
    (r"s3:REST\.PUT\.OBJECT|s3:getObject", "no action of IAM; of log delivery and API bodies in S3"),
    (r"lambda:(PassCapacityProvider|.*CodeSigningConfig|AssociateRuntimeAlias)", "no such function"),
    (r"iam:(Attach|Detach)(Group|User)Policy", "the policies are attached by people"),
    (r"iam:CreateServiceLinkedRole", "no table is replicated"),
    (r"apigateway:(Tag|Untag)Resource", "no action of IAM: tags are POST and DELETE of /tags"),
    (r"(s3:ListAllMyBuckets|.*:List(s|Stacks|Roles|Policies|Topics|Queues|Tables|Rules|Archives|EventBuses))", "lists"),
    (
        r"(ssm:DescribeParameters|cloudwatch:ListDashboards|scheduler:ListScheduleGroups|states:ListStateMachines)",
        "lists",
    ),
    (r"iam:.*PermissionsBoundary", "no role has a boundary"),
    (r"(s3:Put|s3:Update|s3:Delete).*Metadata.*Table.*", "the bucket has no metadata tables"),
]


def statements(logical_id: str) -> list[dict[str, Any]]:
    resource = PERMISSIONS.resources[logical_id]
    properties = PERMISSIONS.resolve(dict(resource.properties), lambda name, attribute: f"{name}.{attribute}")
    documents = [
        properties.get("PolicyDocument"),
        *(policy["PolicyDocument"] for policy in properties.get("Policies", [])),
    ]
    return [statement for document in documents if document for statement in document["Statement"]]


def actions(statement: dict[str, Any]) -> list[str]:
    named = statement["Action"]
    return [named] if isinstance(named, str) else named


def calls() -> Iterator[tuple[str, str]]:
    """Each type of the translated template, with an action that its handlers call."""
    assert SCHEMAS is not None
    types = {resource.type for resource in TEMPLATE.resources.values()}
    read = set()
    for file in SCHEMAS.glob("*.json"):
        schema = json.loads(file.read_text(encoding="utf-8"))
        if schema["typeName"] in types:
            read.add(schema["typeName"])
            for handler in schema.get("handlers", {}).values():
                yield from ((schema["typeName"], action) for action in handler["permissions"])
    assert types - read <= {"AWS::ApiGatewayV2::Integration"}, "types without a schema"


@pytest.mark.skipif(SCHEMAS is None, reason="the tools are not set up; `make template` does it")
def test_cloudformation_may_make_change_and_delete_everything_in_the_template() -> None:
    allowed = [action.lower() for statement in statements("CloudFormationRole") for action in actions(statement)]
    refused = {
        f"{kind}: {action}"
        for kind, action in calls()
        if not any(re.fullmatch(pattern, action) for pattern, _ in UNNEEDED)
        and not any(fnmatchcase(action.lower(), pattern) for pattern in allowed)
    }
    assert refused == set()


@pytest.mark.parametrize("logical_id", ["CloudFormationRole", "DeployerPolicy"])
def test_a_wildcard_action_is_bound_to_the_stack(logical_id: str) -> None:
    for statement in statements(logical_id):
        named = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if any("*" in action for action in actions(statement)):
            assert [resource for resource in named if PSEUDO.stack_name not in resource] == []


def test_a_managed_policy_is_short_enough_for_iam() -> None:
    # IAM counts no white space: 6,144 characters for a managed policy, 10,240 for all of a role's own.
    text = json.dumps(statements("DeployerPolicy"), separators=(",", ":"))
    assert len(text) < 6144
    assert len(json.dumps(statements("CloudFormationRole"), separators=(",", ":"))) < 10240


NAMES = {"FunctionName", "LayerName", "StateMachineName", "Name", "AlarmName", "DashboardName", "LogGroupName"}


def test_every_name_in_the_template_begins_with_the_stacks_as_the_roles_resources_do() -> None:
    named = [
        (name, TEMPLATE.resolve(value, lambda *_: ""))
        for resource in TEMPLATE.resources.values()
        if resource.type not in {"AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping"}
        for name, value in resource.properties.items()
        if name in NAMES
    ]
    assert {name for name, _ in named} == NAMES
    pattern = r"(/|/aws/(lambda|apigateway|vendedlogs/states)/)?amplify-jobs.*"
    assert [value for _, value in named if value and not re.fullmatch(pattern, str(value))] == []


def test_each_question_of_the_guided_deployment_has_its_answer() -> None:
    text = (REPOSITORY / "docs" / "deploying.md").read_text(encoding="utf-8")
    answered = set(re.findall(r"\w+", " ".join(re.findall(r"^\| Parameter ([^|]*)\|", text, re.MULTILINE))))
    assert answered == set(TEMPLATE.parameters)
