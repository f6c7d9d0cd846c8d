"""Reports that go to services of AWS, from a push to what people see there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.codecommit_repository import CodeCommitRepository
from tests.support.report_calls import HeldBuild, received, until_all_are_handled
from tests.support.team import Team

HOSTILE = "<!channel> @here *b* `c` [x](https://evil.example) \u202egnp.exe"


@pytest.fixture(scope="module")
def reporting(team: Team) -> Team:
    """A team that comments in CodeCommit, and whose chat has subscribed to the topic for chats."""
    topic = str(team.cloud.physical_id("ChatTopic"))
    address = f"{team.cloud.endpoint_url}/_local/reports/amazon_q"
    team.session.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=address)
    team.reports = {"chat": {"kind": "amazon_q"}, "comments": {"kind": "codecommit_comment"}}
    return team


def shown(team: Team, request_id: str) -> list[dict[str, Any]]:
    """What Amazon Q Developer shows of a request: it shows only what has the documented form."""
    calls = [call for call in received(team, "amazon_q") if call["content"]["Type"] == "Notification"]
    assert {call["status"] for call in calls} <= {200}
    notifications = [json.loads(call["content"]["Message"]) for call in calls]
    return [one for one in notifications if one["metadata"]["threadId"] == request_id]


def until_shown(team: Team, request_id: str) -> None:
    """Wait until the chat shows anything of a request."""
    team.until(lambda: shown(team, request_id) or None, f"the chat was never told of {request_id}")


def titles(team: Team, request_id: str) -> list[str]:
    """How a request's messages say that the job stands, once one of them tells its end."""

    def ended() -> list[str] | None:
        entries = [one["content"]["title"].partition(": ")[2] for one in shown(team, request_id)]
        return entries if any(title.startswith("succeeded") for title in entries) else None

    return team.until(ended, f"the chat was never told of the end of {request_id}")


def with_end(team: Team, read: Callable[[], list[str]], words: str = "") -> str:
    """The one comment, once it tells that a job succeeded."""

    def ended() -> str | None:
        texts = read()
        assert len(texts) <= 1
        return next((text for text in texts if "succeeded after" in text and words in text), None)

    return team.until(ended, "the comment never tells the end of the job")


def announce_again(team: Team, finished: dict[str, Any]) -> None:
    """Have both announcements of a request delivered once more, the start last: EventBridge promises no more."""
    for detail_type in ("Job Finished", "Job Started"):
        detail = team.told(finished["requestId"], detail_type)
        event = json.dumps({"detail-type": detail_type, "detail": detail}).encode()
        answer = team.session.client("lambda").invoke(FunctionName="amplify-jobs-plan-reports", Payload=event)
        assert json.load(answer["Payload"])["planned"] > 0
    until_all_are_handled(team)


def route_codecommit(team: Team, name: str, when: dict[str, Any], build: list[str] | None = None) -> None:
    parameters = {"appId": team.app(name, build), "branchName": "main", "jobType": "RELEASE"}
    request = {"operation": "start_job", "parameters": parameters}
    team.route(name, "", source="aws.codecommit", when=when, request=request)


def test_a_push_is_told_to_the_chat_without_a_token(reporting: Team, tmp_path: Path) -> None:
    team, build = reporting, HeldBuild(tmp_path / "chatted")
    team.route("chatted", team.app("chatted", build=build.commands))
    request_id = team.accepted(team.push("chatted", message=HOSTILE))
    until_shown(team, request_id)
    build.release()
    finished = team.told(request_id)
    started, ended = titles(team, request_id)
    assert started == "started"
    assert ended.startswith("succeeded after ")
    announce_again(team, finished)
    assert titles(team, request_id) == [started, ended]
    text = json.dumps(shown(team, request_id), ensure_ascii=False)
    assert finished["links"]["site"] in text
    for harmful in ("<!", "@here", "\u202e"):
        assert harmful not in text


@pytest.mark.thorough
@pytest.mark.parametrize(("fault", "starts"), [("throttle", 1), ("lose-answer", 2)])
def test_a_message_that_was_refused_or_whose_answer_is_lost_comes_again(
    reporting: Team, fault: str, starts: int, tmp_path: Path
) -> None:
    team, name, build = reporting, f"tried-{fault.partition('-')[0]}", HeldBuild(tmp_path / fault)
    topic = str(team.cloud.physical_id("ChatTopic"))
    team.route(name, team.app(name, build=build.commands))
    team.inject_fault(service="sns", operation="Publish", fault=fault, match={"TopicArn": topic})
    request_id = team.accepted(team.push(name))
    until_shown(team, request_id)
    build.release()
    # A topic does not know a message again: who gets no answer tells it twice. The end comes after it all the same.
    words = [title.partition(" ")[0] for title in titles(team, request_id)]
    assert words == ["started"] * starts + ["succeeded"]


def test_a_push_to_codecommit_gets_one_comment_although_an_answer_is_lost(reporting: Team, tmp_path: Path) -> None:
    team = reporting
    repository = CodeCommitRepository.create(team, "commented", tmp_path, "base")
    route_codecommit(team, "commented", {"push": {"repository": "commented", "branches": ["main"]}})
    team.inject_fault(service="codecommit", operation="PostCommentForComparedCommit", fault="lose-answer")
    commit = repository.push("main", HOSTILE)
    finished = team.told_of("commented")
    assert (finished["outcome"], finished["cause"]["commit"]) == ("SUCCEEDED", commit)
    text = with_end(team, lambda: repository.comments_on(commit))
    assert f"]({finished['links']['site']})" in text
    announce_again(team, finished)
    assert repository.comments_on(commit) == [text]


@pytest.mark.thorough
def test_a_pull_request_in_codecommit_gets_one_comment_with_its_preview(reporting: Team, tmp_path: Path) -> None:
    team = reporting
    repository = CodeCommitRepository.create(team, "reviewed", tmp_path)
    when = {"repository": "reviewed", "targets": ["main"], "actions": ["opened", "synchronize"]}
    route_codecommit(team, "reviewed", {"pull_request": when})
    team.inject_fault(service="codecommit", operation="GetPullRequest", fault="throttle")
    repository.push("topic")
    identity = repository.open_pull_request("topic", HOSTILE)
    text = with_end(team, lambda: repository.comments_on_pull_request(identity))
    assert team.told_of("reviewed")["links"]["site"] in text
    assert "@here" not in text
    commit = repository.push("topic")
    with_end(team, lambda: repository.comments_on_pull_request(identity), commit[:12])
    assert repository.comments_on(commit) == []


def test_a_repository_that_the_parameter_does_not_name_gets_no_comment(reporting: Team, tmp_path: Path) -> None:
    team, build = reporting, HeldBuild(tmp_path / "reported")
    repository = CodeCommitRepository.create(team, "private", tmp_path, "base")
    route_codecommit(team, "private", {"push": {"repository": "private", "branches": ["main"]}}, build.commands)
    commit = repository.push("main")
    until_shown(team, team.told_of("private", "Job Started")["requestId"])
    build.release()
    # The target is not stopped, and others are told.
    assert titles(team, team.told_of("private")["requestId"])[0] == "started"
    until_all_are_handled(team)
    assert repository.comments_on(commit) == []
