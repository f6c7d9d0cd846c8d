"""Managed policies are no longer than IAM allows, whatever the stack's name is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from local.template.loader import Pseudo, Template
from smoke.judging import LONGEST_STACK_NAME

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
# IAM user guide, "IAM and AWS STS quotas"; it counts no white space.
LONGEST_POLICY = 6_144
ACCOUNT, REGION = "123456789012", "ap-southeast-1"
# A type of resources -> what its ARNs have before the name that CloudFormation makes, of stack, logical id and a text.
ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/",
    "AWS::Events::Archive": f"arn:aws:events:{REGION}:{ACCOUNT}:archive/",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/",
}
# A type of resources that the template names -> what their ARNs are.
NAMED = {
    "AWS::Serverless::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{stack}}-{{id}}",
    "AWS::Serverless::StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{{stack}}-{{id}}",
    "AWS::Events::EventBus": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{{stack}}",
    "AWS::Serverless::HttpApi": "a1b2c3d4e5",
}
MOST_CHARACTERS_OF_NAMES = {"AWS::S3::Bucket": 63, "AWS::IAM::Role": 64}


@pytest.mark.parametrize("policy", ["OperatorPolicy", "ReaderPolicy"])
def test_a_managed_policy_of_the_longest_name_is_short_enough(policy: str) -> None:
    stack = "a" * LONGEST_STACK_NAME
    template = Template(TEMPLATE, {}, Pseudo(ACCOUNT, REGION, stack))

    def arn(logical_id: str, _: str | None) -> str:
        kind = template.resources[logical_id].type
        if kind in NAMED:
            name = re.sub(r"(Function|StateMachine)$", "", logical_id)
            return NAMED[kind].format(stack=stack, id=re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower())
        name = f"{stack}-{logical_id}-ABCDEFGHIJKL"
        return ARNS.get(kind, ARNS["AWS::IAM::Role"]) + name[: MOST_CHARACTERS_OF_NAMES.get(kind)]

    document = template.resolve(template.resources[policy].properties["PolicyDocument"], arn)
    assert len(json.dumps(document, separators=(",", ":"))) <= LONGEST_POLICY
