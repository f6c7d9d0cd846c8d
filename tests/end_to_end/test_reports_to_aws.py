"""Reports that go to services of AWS, from a push to what people see there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.report_calls import received, until_all_are_handled
from tests.support.team import Team

HOSTILE = "<!channel> @here *b* `c` [x](https://evil.example) \u202egnp.exe"


@pytest.fixture(scope="module")
def reporting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team whose chat has subscribed to the topic for chats."""
    with Team.at_work(tmp_path_factory.mktemp("aws")) as team:
        topic = str(team.cloud.physical_id("ChatTopic"))
        address = f"{team.cloud.endpoint_url}/_local/reports/amazon_q"
        team.session.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=address)
        team.reports = {"chat": {"kind": "amazon_q"}}
        yield team


def shown(team: Team, request_id: str) -> list[dict[str, Any]]:
    """What Amazon Q Developer shows of a request: it shows only what has the documented form."""
    calls = [call for call in received(team, "amazon_q") if call["content"]["Type"] == "Notification"]
    assert {call["status"] for call in calls} <= {200}
    notifications = [json.loads(call["content"]["Message"]) for call in calls]
    return [one for one in notifications if one["metadata"]["threadId"] == request_id]


def titles(team: Team, request_id: str) -> list[str]:
    return [one["content"]["title"].partition(": ")[2] for one in shown(team, request_id)]


def test_a_push_is_told_to_the_chat_without_a_token(reporting: Team) -> None:
    team = reporting
    app_id = team.app("chatted")
    team.route("chatted", app_id)
    request_id = team.accepted(team.push("chatted", message=HOSTILE))
    finished = team.told(request_id)
    assert finished["outcome"] == "SUCCEEDED"
    until_all_are_handled(team)
    started, ended = titles(team, request_id)
    assert started == "started"
    assert ended.startswith("succeeded after ")
    text = json.dumps(shown(team, request_id), ensure_ascii=False)
    assert finished["links"]["site"] in text
    for harmful in ("<!", "@here", "\u202e"):
        assert harmful not in text


@pytest.mark.parametrize(("fault", "starts"), [("throttle", 1), ("lose-answer", 2)])
def test_a_message_that_was_refused_or_whose_answer_is_lost_comes_again(
    reporting: Team, fault: str, starts: int
) -> None:
    team, name = reporting, f"tried-{fault.partition('-')[0]}"
    topic = str(team.cloud.physical_id("ChatTopic"))
    team.route(name, team.app(name))
    team.inject_fault(service="sns", operation="Publish", fault=fault, match={"TopicArn": topic})
    request_id = team.accepted(team.push(name))
    team.told(request_id)
    until_all_are_handled(team)
    # A topic does not know a message again: who gets no answer tells it twice. The end comes after it all the same.
    told = [title.partition(" ")[0] for title in titles(team, request_id)]
    assert told == ["started"] * starts + ["succeeded"]
