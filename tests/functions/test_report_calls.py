"""Calls of AWS's own APIs for reports, over the wire: what each answer becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import boto3
import pytest

from amplify_jobs.aws.outgoing_http import OutgoingHttp
from amplify_jobs.aws.report_calls import CONFIG, ReportCalls
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.call import Answer, AwsCall, Call
from tests.support.stack import Stack, serving

PUBLISH = AwsCall("sns", "Publish", {"Message": "{}"})


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


@pytest.fixture
def calls(stack: Stack) -> Iterator[ReportCalls]:
    yield ReportCalls(OutgoingHttp(None), stack.environment["CHAT_TOPIC_ARN"])
    stack.faults.clear()
    stack.answers.clear()


def test_a_result_is_json_and_goes_to_the_topic_for_chats(stack: Stack, calls: ReportCalls) -> None:
    answer = calls.send(PUBLISH)
    assert (answer.status, bool(answer.identity("MessageId"))) == (200, True)
    assert calls.send(AwsCall("sns", "ListSubscriptionsByTopic", {})).elements("Subscriptions") == []


@pytest.mark.parametrize("fault", ["lose-answer", "nonsense"])
def test_what_is_no_answer_is_trouble_and_not_sent_again(stack: Stack, calls: ReportCalls, fault: str) -> None:
    stack.faults.inject({"service": "sns", "operation": "Publish", "fault": fault})
    with pytest.raises(ServiceTrouble, match="sns Publish"):
        calls.send(PUBLISH)
    # The one fault was used up.
    assert calls.send(PUBLISH).status == 200


@pytest.mark.parametrize("fault", ["lose-answer", "throttle", "nonsense"])
def test_a_call_of_codecommit_proves_itself_or_comes_again(stack: Stack, calls: ReportCalls, fault: str) -> None:
    codecommit, call = stack.client("codecommit"), AwsCall("codecommit", "GetRepository", {"repositoryName": "web"})
    with suppress(codecommit.exceptions.RepositoryNameExistsException):
        codecommit.create_repository(repositoryName="web")
    stack.faults.inject({"service": "codecommit", "operation": "GetRepository", "fault": fault})
    with suppress(ServiceTrouble):
        assert calls.send(call).member("repositoryMetadata") is None
    assert calls.send(call).member("repositoryMetadata", "repositoryName") == "web"


def test_a_throttled_call_has_the_status_of_one(stack: Stack, calls: ReportCalls) -> None:
    stack.faults.inject({"service": "sns", "operation": "Publish", "fault": "throttle"})
    answer = calls.send(PUBLISH)
    assert answer.status == 429
    assert "hrottl" in str(answer.member("code"))


def test_an_error_has_its_code_and_text(stack: Stack) -> None:
    gone = ReportCalls(OutgoingHttp(None), f"{stack.environment['CHAT_TOPIC_ARN']}-gone")
    answer = gone.send(PUBLISH)
    assert (answer.status, answer.member("code")) == (404, "NotFound")
    assert json.loads(answer.body).keys() == {"code", "message"}


def test_a_client_is_made_once_and_by_whom_the_caller_says(stack: Stack) -> None:
    items: list[str] = []

    def make_client(service: str) -> object:
        items.append(service)
        return boto3.client("sns", config=CONFIG)

    calls = ReportCalls(OutgoingHttp(None), stack.environment["CHAT_TOPIC_ARN"], make_client)
    assert [calls.send(PUBLISH).status for _ in range(2)] == [200, 200]
    assert items == ["sns"]


def test_other_calls_go_over_http() -> None:
    class Http(OutgoingHttp):
        def send(self, call: Call) -> Answer:
            return Answer(204)

    assert ReportCalls(Http(None), "none").send(Call("GET", "https://chat.example", {}, b"")).status == 204
