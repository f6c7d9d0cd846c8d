"""Every way in beside webhooks, over the real rules, schedules and queues: each ends in a job, or says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.team import Team

NOBODY = "d0000000000000"


@pytest.fixture(scope="module")
def app_id(team: Team) -> str:
    return team.app("events")


def job(app_id: str, **more: str) -> dict[str, Any]:
    parameters = {"appId": app_id, "branchName": "main", "jobType": "RELEASE", **more}
    return {"operation": "start_job", "parameters": parameters}


def invoke(team: Team, event: Any) -> tuple[dict[str, Any], bool]:
    """Invoke receive_event, and give its answer and whether it failed."""
    answer = team.session.client("lambda").invoke(
        FunctionName=team.outputs["receiveEventFunctionArn"], Payload=json.dumps(event).encode()
    )
    return json.load(answer["Payload"]), "FunctionError" in answer


def dead_letter(team: Team, word: str) -> str:
    """Wait for a message with a word in the dead-letter queue, take it out, and give its body."""
    sqs, url = team.session.client("sqs"), team.outputs["deadLetterQueueUrl"]

    def find() -> str | None:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get(
            "Messages", []
        ):
            if word in message["Body"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                return str(message["Body"])
        return None

    return team.until(find, f"no dead letter says {word}")


def test_a_schedule_of_the_routes_fires_a_job_and_goes_when_the_route_goes(team: Team, app_id: str) -> None:
    # A rate fires as soon as it is made.
    when = {"schedule": {"expression": "rate(1 hour)", "timezone": "Europe/Berlin"}}
    team.route("e2e-rate", app_id, when=when, request=job(app_id, jobReason="due at {scheduledTime}"))
    finished = team.told_of("e2e-rate")
    assert finished["outcome"] == "SUCCEEDED"
    assert (finished["cause"]["source"], finished["cause"]["kind"]) == ("aws.scheduler", "schedule")
    sent = json.loads(team.execution(finished["requestId"])["input"])
    assert sent["parameters"]["jobReason"].startswith("due at 20")

    scheduler, group = team.session.client("scheduler"), team.outputs["scheduleGroup"]
    schedule = scheduler.get_schedule(Name="e2e-rate", GroupName=group)
    assert schedule["Target"]["DeadLetterConfig"]["Arn"] == team.outputs["deadLetterQueueArn"]
    team.without("e2e-rate")
    assert scheduler.list_schedules(GroupName=group, NamePrefix="e2e-rate")["Schedules"] == []


def test_an_object_becomes_the_request_that_its_route_asks_for(team: Team, app_id: str) -> None:
    s3 = team.session.client("s3")
    where: Any = {"LocationConstraint": team.cloud.region}
    s3.create_bucket(Bucket="e2e-artifacts", CreateBucketConfiguration=where)
    s3.put_bucket_notification_configuration(
        Bucket="e2e-artifacts", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    when = {"object": {"bucket": "e2e-artifacts", "prefix": "web/", "suffix": ".zip"}}
    team.route("e2e-object", app_id, when=when, request=job(app_id, jobReason="{key}"))
    for key in ("web/readme.txt", "other/site.zip", "web/site 1+2.zip"):
        s3.put_object(Bucket="e2e-artifacts", Key=key, Body=b"zip")
    finished = team.told_of("e2e-object")
    assert finished["outcome"] == "SUCCEEDED"
    (request_id,) = team.requests_of("e2e-object")
    assert json.loads(team.execution(request_id)["input"])["parameters"]["jobReason"] == "web/site 1+2.zip"


def test_job_requested_on_the_bus_starts_one_job_however_often_it_is_said(team: Team, app_id: str) -> None:
    entry = {
        "EventBusName": team.outputs["busName"],
        "Source": "com.acme.cms",
        "DetailType": "Job Requested",
        "Detail": json.dumps({"requestId": "article-4711", **job(app_id)}),
    }
    answer = team.session.client("events").put_events(Entries=[entry, entry])  # type: ignore[list-item]  # as boto3 takes it
    assert answer["FailedEntryCount"] == 0

    def find() -> list[str] | None:
        return team.requests_of("com-acme-cms") or None

    (request_id,) = team.until(find, "nobody asked for a job")
    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    assert team.told(request_id)["cause"]["source"] == "com.acme.cms"
    assert team.requests_of("com-acme-cms") == [request_id]


def test_a_job_can_be_asked_for_directly_and_a_route_by_its_name(team: Team, app_id: str) -> None:
    answer, failed = invoke(team, job(app_id))
    assert not failed
    assert team.told(answer["requests"][0]["requestId"])["outcome"] == "SUCCEEDED"

    team.route("e2e-by-name", app_id, when={"request": {}}, request=job(app_id))
    answer, failed = invoke(team, {"route": "e2e-by-name", "requestId": "please"})
    assert [request["route"] for request in answer["requests"]] == ["e2e-by-name"]
    again, _ = invoke(team, {"route": "e2e-by-name", "requestId": "please"})
    assert again["requests"][0]["duplicate"] is True


def test_codecommit_is_a_git_host(team: Team, app_id: str) -> None:
    team.route("e2e-codecommit", app_id, source="aws.codecommit", when={"push": {"repository": "web"}})
    arn = f"arn:aws:codecommit:{team.cloud.region}:{team.cloud.account}:web"
    detail = {
        "event": "referenceUpdated",
        "repositoryName": "web",
        "referenceType": "branch",
        "referenceName": "main",
        "referenceFullName": "refs/heads/main",
        "commitId": "3" * 40,
        "oldCommitId": "2" * 40,
    }
    # Only AWS itself can put events of its own.
    team.cloud.events.emit(
        {
            "source": "aws.codecommit",
            "detail-type": "CodeCommit Repository State Change",
            "resources": [arn],
            "detail": detail,
        }
    )
    finished = team.told_of("e2e-codecommit")
    assert finished["outcome"] == "SUCCEEDED"
    assert (finished["cause"]["repository"], finished["cause"]["commit"]) == ("web", "3" * 40)


class TestWhatCanNotBe:
    def test_an_event_that_can_t_be_understood_is_announced_and_kept(self, team: Team, app_id: str) -> None:
        entry = {
            "EventBusName": team.outputs["busName"],
            "Source": "com.acme.typo",
            "DetailType": "Job Requested",
            "Detail": json.dumps({**job(app_id), "colour": "red"}),
        }
        team.session.client("events").put_events(Entries=[entry])  # type: ignore[list-item]  # as boto3 takes it

        def find() -> str | None:
            team.collect()
            rejections = [one["detail"] for one in team.events if one["detail-type"] == "Job Rejected"]
            mine = [one for one in rejections if one["cause"] and one["cause"]["source"] == "com.acme.typo"]
            return mine[0]["reason"] if mine else None

        assert "colour" in team.until(find, "nobody was told of the typo")
        letter = json.loads(dead_letter(team, "com.acme.typo"))
        assert letter["requestPayload"]["detail"]["colour"] == "red"

    def test_nonsense_fails_in_the_face_of_who_invokes_directly(self, team: Team) -> None:
        answer, failed = invoke(team, {"please": "build"})
        assert failed
        assert answer["errorType"] == "UnreadableDeliveryError"

    def test_a_request_for_a_route_that_is_not_there_is_announced(self, team: Team) -> None:
        answer, failed = invoke(team, {"route": "never-written", "requestId": "to-nowhere"})
        assert not failed
        assert answer["ignored"][0]["reason"] == "there is no route never-written"
        rejected = team.told_of("never-written", "Job Rejected")
        assert rejected["reason"] == "there is no route never-written"

    def test_a_request_for_an_app_that_is_not_there_is_rejected_like_any_other(self, team: Team) -> None:
        answer, _ = invoke(team, job(NOBODY))
        rejected = team.told(answer["requests"][0]["requestId"], "Job Rejected")
        assert rejected["appId"] == NOBODY
