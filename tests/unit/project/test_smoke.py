"""What answers of a stack mean to `make smoke`, and the deliveries that it signs."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from amplify_jobs.errors import DeliveryTooLargeError, InvalidSignatureError, UnreadableDeliveryError
from amplify_jobs.events.http_request import HttpApiRequest
from amplify_jobs.events.webhooks import PROVIDERS, provider
from smoke import judging
from smoke.deliveries import harmless, large_body
from smoke.findings import Verdict, as_json, exit_code, failed, lines, passed, unproven

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
KEY = base64.b64encode(b"a key of the team, 32 bytes long").decode()


class _Template(yaml.CSafeLoader):
    pass


_Template.add_multi_constructor("!", lambda loader, suffix, node: getattr(node, "value", None))


def resources() -> dict[str, dict[str, Any]]:
    template = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=_Template)
    loaded: dict[str, dict[str, Any]] = template["Resources"]
    return loaded


def names_in_template(member: str) -> set[str]:
    def find(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value[member]] if isinstance(value.get(member), str) else []
            return own + [name for one in value.values() for name in find(one)]
        return [name for one in value for name in find(one)] if isinstance(value, list) else []

    return {name.removeprefix("${AWS::StackName}-") for name in find(resources())}


def test_the_rules_and_alarms_are_those_of_the_template() -> None:
    # SAM's events name a rule by RuleName, resources of their own by Name.
    own_rules = {
        resource["Properties"]["Name"].removeprefix("${AWS::StackName}-")
        for resource in resources().values()
        if resource["Type"] == "AWS::Events::Rule"
    }
    assert {*judging.DEFAULT_BUS_RULES, *judging.OWN_BUS_RULES} == names_in_template("RuleName") | own_rules
    assert {*judging.ALARMS, "no-deliveries"} == names_in_template("AlarmName")


SECRETS = [
    *((name, [KEY, "another of ours"]) for name in PROVIDERS if name not in ("gitlab", "azure-devops", "standard")),
    ("bitbucket-server", ["user:password"]),
    ("bitbucket-server", ["user:password", "a secret"]),
    ("gitlab", ["a plain token"]),
    ("gitlab", [f"whsec_{KEY}", "a plain token"]),
    ("azure-devops", ["user:password", "user:pass:word"]),
    ("standard", [f"whsec_{KEY}", KEY, f"whpk_{KEY}"]),
]


@pytest.mark.parametrize(("name", "secrets"), SECRETS)
def test_a_signed_delivery_is_taken_and_asks_for_nothing(name: str, secrets: list[str]) -> None:
    result = harmless(name, secrets, "smoke-1", int(NOW.timestamp()))
    assert result
    for one in result:
        host = provider(name)
        host.verify(one.headers, one.body, secrets, NOW)
        with pytest.raises(InvalidSignatureError):
            host.verify(one.headers, one.body, ["other:secret"], NOW)
        if one.expected == 200:
            assert host.parse(one.headers, one.body).events == ()
        else:
            with pytest.raises(UnreadableDeliveryError) as refusal:
                host.parse(one.headers, one.body)
            assert refusal.value.status == one.expected


def test_every_provider_has_a_signed_delivery() -> None:
    assert {name for name, _ in SECRETS} == PROVIDERS.keys()


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("standard", ["not base64!"]),
        ("azure-devops", ["no-password"]),
        ("github", [""]),
        ("gitlab", ["a token\n"]),
        ("gitlab", ["tökën"]),
    ],
)
def test_a_secret_that_can_sign_nothing_is_named_without_its_value(name: str, secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="a secret is") as error:
        harmless(name, secrets, "smoke-1", 0)
    assert not secrets[0] or secrets[0] not in str(error.value)


def test_public_keys_sign_nothing() -> None:
    assert harmless("standard", [f"whpk_{KEY}"], "smoke-1", 0) == []


def test_the_large_body_is_json_and_too_large() -> None:
    json.loads(large_body())
    with pytest.raises(DeliveryTooLargeError):
        HttpApiRequest.model_validate(
            {"pathParameters": {"source": "a"}, "headers": {}, "body": large_body().decode()}
        ).decoded_body()


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("amplify-jobs", "pass"),
        ("A" * 47, "pass"),
        ("a" * 48, "fail"),
        ("AwsJobs", "fail"),
        ("ssm", "fail"),
        ("1jobs", "fail"),
        ("jobs_of_team", "fail"),
        ("", "fail"),
    ],
)
def test_names_of_stacks(name: str, verdict: str) -> None:
    assert judging.stack_name(name).verdict == verdict


def test_rules() -> None:
    states = {f"s-{name}": "ENABLED" for name in judging.DEFAULT_BUS_RULES}
    assert judging.rules("r", "s", judging.DEFAULT_BUS_RULES, states).verdict == "pass"
    for name in states:
        off = judging.rules("r", "s", judging.DEFAULT_BUS_RULES, states | {name: "DISABLED"})
        gone = {one: state for one, state in states.items() if one != name}
        missing = judging.rules("r", "s", judging.DEFAULT_BUS_RULES, gone)
        assert (off.verdict, missing.verdict) == ("fail", "fail")
        assert name in off.sentence
        assert name in missing.sentence


def test_alarms() -> None:
    states = {f"s-{name}": "OK" for name in judging.ALARMS}
    assert judging.alarms("a", "s", states).verdict == "pass"
    assert judging.alarms("a", "s", states | {"s-no-deliveries": "INSUFFICIENT_DATA"}).verdict == "pass"
    assert judging.alarms("a", "s", states | {"s-no-deliveries": "ALARM"}).verdict == "fail"
    assert judging.alarms("a", "s", {}).verdict == "fail"


@pytest.mark.parametrize(
    ("status", "entered", "verdict"),
    [
        ("SUCCEEDED", ["Start", "AnnounceRejected", "Rejected"], "pass"),
        ("SUCCEEDED", ["Start", "AnnounceStart", "AnnounceEnd"], "fail"),
        ("FAILED", ["Start", "AnnounceRejected"], "fail"),
        ("RUNNING", ["Start"], "fail"),
        ("ABORTED", [], "fail"),
    ],
)
def test_the_rejected_request(status: str, entered: list[str], verdict: str) -> None:
    assert judging.rejection("r", status, entered, 5).verdict == verdict


def test_the_dead_letter_queues_policy() -> None:
    statement = {
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "arn:q",
        "Condition": {"StringEquals": {"aws:SourceAccount": "1"}, "ArnLike": {"aws:SourceArn": "arn:r"}},
    }
    anybody = {**statement, "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}

    def judged(*statements: Any) -> str:
        return judging.dead_letter_policy("p", "arn:q", json.dumps({"Statement": statements})).verdict

    assert judged(statement) == "pass"
    assert judged({**statement, "Action": ["sqs:SendMessage"], "Resource": ["arn:q"]}) == "pass"
    assert [judged(anybody), judged({**statement, "Resource": "arn:other"}), judged()] == ["fail"] * 3
    assert judging.dead_letter_policy("p", "arn:q", None).verdict == "fail"


def test_reports_that_wait_are_no_fault_and_dead_ones_are() -> None:
    waiting = {"ApproximateNumberOfMessages": "1", "ApproximateNumberOfMessagesNotVisible": "2"}
    assert judging.report_queue("q", {}).verdict == "pass"
    result = judging.report_queue("q", waiting)
    assert (result.verdict, result.sentence.partition(" ")[0]) == ("not provable here", "3")
    assert judging.queue("q", waiting, "send them again").verdict == "fail"


def test_what_a_queue_gives_up_goes_to_its_dead_letter_queue() -> None:
    policies = ('{"deadLetterTargetArn": "arn:q"}', '{"deadLetterTargetArn": "arn:other"}', None)
    assert [judging.redrive("q", policy, "arn:q").verdict for policy in policies] == ["pass", "fail", "fail"]


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0, "pass"), (299, "pass"), (-299, "pass"), (301, "fail"), (-301, "fail")]
)
def test_clocks(seconds: int, verdict: str) -> None:
    assert judging.skew("c", NOW, NOW + timedelta(seconds=seconds)).verdict == verdict


@pytest.mark.parametrize(
    ("host", "wrong"),
    [
        ("b.s3.eu-west-1.amazonaws.com", False),
        ("s3.eu-west-1.amazonaws.com", False),
        ("b.s3.amazonaws.com", True),
        ("eu-west-1-b.s3.amazonaws.com", True),
    ],
)
def test_addresses_name_their_region(host: str, wrong: bool) -> None:
    assert (judging.regional("a", host, "eu-west-1") is not None) == wrong


def test_findings_are_counted_and_hold_no_secret() -> None:
    token = "ghp_" + "a1B2" * 9
    findings = [passed("one", "holds"), unproven("two", "not here"), failed("three", f"token {token} was refused")]
    assert exit_code(findings) == 1
    assert exit_code(findings[:2]) == 0
    assert token not in json.dumps(as_json(findings)) + "".join(lines(findings))
    assert as_json(findings)["counts"] == {verdict.value: 1 for verdict in Verdict}
    assert lines(findings)[-1] == "1 pass, 1 fail, 1 not provable here."


@pytest.mark.parametrize(
    "code", ["AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"]
)
def test_refusals(code: str) -> None:
    assert judging.is_refusal(code)
    assert not judging.is_refusal("ThrottlingException")
