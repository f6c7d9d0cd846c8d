"""Policies decide as IAM documents it: an explicit deny, else an allow, else no access."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.permissions.policies import Access, Decision, Policy, PolicyError, decide

ALLOWED, DENIED, NOT_ALLOWED = Decision.ALLOWED, Decision.DENIED, Decision.NOT_ALLOWED
KEYS = {"events:source", "s3:prefix", "aws:resourceaccount", "aws:securetransport", "x:number"}
APP = "arn:aws:amplify:eu-west-1:123456789012:apps/d1"


def policy(*statements: dict[str, Any]) -> Policy:
    written = [{"Effect": "Allow", "Action": "*", "Resource": "*"} | statement for statement in statements]
    for statement, parameters in zip(written, statements, strict=True):
        for element in ("Action", "Resource"):
            if f"Not{element}" in parameters:
                del statement[element]
    return Policy({"Version": "2012-10-17", "Statement": written}, KEYS)


def decision(
    *statements: dict[str, Any], action: str = "amplify:GetApp", resource: str = APP, **context: Any
) -> Decision:
    return decide([policy(*statements)], Access(action, resource, context.get("context", {})))


@pytest.mark.parametrize(
    ("actions", "action", "expected"),
    [
        ("amplify:GetApp", "amplify:GetApp", ALLOWED),
        ("AMPLIFY:getapp", "amplify:GetApp", ALLOWED),
        (["s3:GetObject", "amplify:GetApp"], "amplify:GetApp", ALLOWED),
        ("amplify:Get*", "amplify:GetApp", ALLOWED),
        ("amplify:Get???", "amplify:GetApp", ALLOWED),
        ("amplify:Get??", "amplify:GetApp", NOT_ALLOWED),
        ("amplify:Get", "amplify:GetApp", NOT_ALLOWED),
        ("*", "amplify:GetApp", ALLOWED),
        ("amplify.GetApp", "amplify:GetApp", NOT_ALLOWED),
        ([], "amplify:GetApp", NOT_ALLOWED),
    ],
)
def test_actions(actions: Any, action: str, expected: Decision) -> None:
    assert decision({"Action": actions}, action=action) is expected
    opposite = {ALLOWED: NOT_ALLOWED, NOT_ALLOWED: ALLOWED}[expected]
    assert decision({"NotAction": actions}, action=action) is opposite


@pytest.mark.parametrize(
    ("resources", "resource", "expected"),
    [
        (APP, APP, ALLOWED),
        (APP, APP + "2", NOT_ALLOWED),
        ("arn:aws:amplify:*:123456789012:apps/*", APP, ALLOWED),
        ("arn:aws:amplify:eu-west-?:123456789012:apps/d?", APP, ALLOWED),
        ("arn:aws:amplify:eu-west-1:123456789012:apps/D1", APP, NOT_ALLOWED),
        # A wildcard does not cross into the next segment, except in the last.
        ("arn:aws:amplify:*:apps/d1", APP, NOT_ALLOWED),
        ("arn:aws:states:eu-west-1:1:execution:*", "arn:aws:states:eu-west-1:1:execution:m:e", ALLOWED),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b:c", ALLOWED),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::bb/a", NOT_ALLOWED),
        ("arn:aws:s3:::b.c", "arn:aws:s3:::bXc", NOT_ALLOWED),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", ALLOWED),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", NOT_ALLOWED),
        ("*", APP, ALLOWED),
        ("*", "*", ALLOWED),
        # Finding 4: an action without resources is allowed on "*" alone.
        ("arn:aws:amplifyuibuilder:eu-west-1:123456789012:app/*", "*", NOT_ALLOWED),
        ("arn:aws:*:*:*:*", "*", NOT_ALLOWED),
    ],
)
def test_resources(resources: Any, resource: str, expected: Decision) -> None:
    assert decision({"Resource": resources}, resource=resource) is expected
    assert decision({"Resource": ["arn:aws:sqs:::other", resources]}, resource=resource) is expected
    opposite = {ALLOWED: NOT_ALLOWED, NOT_ALLOWED: ALLOWED}[expected]
    assert decision({"NotResource": resources}, resource=resource) is opposite


def test_a_deny_beats_every_allow() -> None:
    deny = {"Effect": "Deny", "Action": "amplify:*"}
    assert decision({}, deny) is DENIED
    assert decision(deny, {}) is DENIED
    assert decision({}, deny, action="s3:GetObject") is ALLOWED
    assert decide([policy({}), policy(deny)], Access("amplify:GetApp", APP)) is DENIED
    assert decide([], Access("amplify:GetApp", APP)) is NOT_ALLOWED


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        ({"StringEquals": {"events:source": "a"}}, ["a"], True),
        ({"StringEquals": {"Events:Source": ["b", "a"]}}, ["a"], True),
        ({"StringEquals": {"events:source": "A"}}, ["a"], False),
        ({"StringEquals": {"events:source": "a"}}, [], False),
        ({"StringEqualsIfExists": {"events:source": "a"}}, [], True),
        ({"StringEqualsIfExists": {"events:source": "a"}}, ["b"], False),
        ({"StringEqualsIgnoreCase": {"events:source": "A"}}, ["a"], True),
        ({"StringNotEquals": {"events:source": "a"}}, ["a"], False),
        ({"StringNotEquals": {"events:source": ["a", "b"]}}, ["b"], False),
        ({"StringNotEquals": {"events:source": "a"}}, ["c"], True),
        ({"StringNotEquals": {"events:source": "a"}}, [], True),
        ({"StringLike": {"events:source": "aws.*"}}, ["aws.s3"], True),
        ({"StringLike": {"events:source": "aws.?"}}, ["aws.s3"], False),
        ({"StringNotLike": {"events:source": "aws.*"}}, ["mine"], True),
        ({"ArnLike": {"events:source": "arn:aws:sns:*:*:t*"}}, ["arn:aws:sns:eu-west-1:1:topic"], True),
        ({"ArnNotEquals": {"events:source": "arn:aws:sns:*:*:t*"}}, ["arn:aws:sns:eu-west-1:1:topic"], False),
        ({"Bool": {"events:source": True}}, ["true"], True),
        ({"Bool": {"events:source": "false"}}, ["true"], False),
        ({"Null": {"events:source": "true"}}, [], True),
        ({"Null": {"events:source": "false"}}, [], False),
        ({"NumericLessThan": {"events:source": "10"}}, ["9"], True),
        ({"NumericGreaterThanEquals": {"events:source": 10}}, ["9"], False),
        ({"NumericEquals": {"events:source": "10"}}, ["ten"], False),
        ({"NumericNotEquals": {"events:source": "10"}}, ["11"], True),
        ({"ForAnyValue:StringEquals": {"events:source": ["a"]}}, ["a", "b"], True),
        ({"ForAllValues:StringEquals": {"events:source": ["a"]}}, ["a", "b"], False),
        ({"ForAllValues:StringEquals": {"events:source": ["a"]}}, [], True),
        ({"ForAnyValue:StringEquals": {"events:source": ["a"]}}, [], False),
        ({"ForAnyValue:StringNotEquals": {"events:source": ["a"]}}, [], False),
    ],
    ids=str,
)
def test_conditions(condition: dict[str, Any], values: list[str], holds: bool) -> None:
    context = {"events:source": values} if values else {}
    assert decision({"Condition": condition}, context=context) is (ALLOWED if holds else NOT_ALLOWED)
    deny = {"Effect": "Deny", "Condition": condition}
    assert decision({}, deny, context=context) is (DENIED if holds else ALLOWED)
    assert policy({"Condition": condition}).not_evaluated == []


def test_all_conditions_of_a_statement_must_hold() -> None:
    condition = {"StringEquals": {"events:source": "a", "s3:prefix": "p"}}
    assert decision({"Condition": condition}, context={"events:source": ["a"]}) is NOT_ALLOWED
    assert decision({"Condition": condition}, context={"events:source": ["a"], "s3:prefix": ["p"]}) is ALLOWED


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"Condition": {"StringEquals": {"kms:ViaService": "s3"}}}, "condition StringEquals on kms:ViaService"),
        (
            {"Condition": {"IpAddress": {"aws:SecureTransport": "10.0.0.0/8"}}},
            "condition IpAddress on aws:SecureTransport",
        ),
        ({"Resource": "arn:aws:s3:::b/${aws:username}/*"}, "policy variable ${aws:username}"),
    ],
)
def test_what_is_not_evaluated_is_named_and_refuses_nothing(more: dict[str, Any], named: str) -> None:
    resource = "arn:aws:s3:::b/ada/x"
    assert policy(more).not_evaluated == [named]
    assert decision(more, resource=resource) is ALLOWED
    assert decision({}, more | {"Effect": "Deny"}, resource=resource) is ALLOWED


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Effect": "allow", "Action": "*", "Resource": "*"}, "Allow or Deny"),
        ({"Effect": "Allow", "Action": "*"}, "either Resource or NotResource"),
        ({"Effect": "Allow", "Resource": "*"}, "either Action or NotAction"),
        ({"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}, "either Action or NotAction"),
        ({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}, "no Principal"),
    ],
)
def test_a_malformed_statement_is_refused(statement: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Policy({"Statement": statement}, KEYS)


ARN_TEXT = st.text(st.sampled_from("abc:/*?.-1"), max_size=20)


@given(ARN_TEXT, ARN_TEXT)
def test_a_text_without_wildcards_allows_itself_alone(resource: str, other: str) -> None:
    literal = resource.replace("*", "x").replace("?", "y")
    assert decision({"Resource": literal}, resource=literal) is ALLOWED
    if other != literal:
        assert decision({"Resource": literal}, resource=other) is NOT_ALLOWED


@given(st.lists(st.sampled_from(["Allow", "Deny"]), max_size=6))
def test_the_order_of_statements_does_not_matter(effects: list[str]) -> None:
    expected = DENIED if "Deny" in effects else ALLOWED if effects else NOT_ALLOWED
    assert decision(*({"Effect": effect} for effect in effects)) is expected
