"""What the stack announces, received as any team would: by a queue for people, and one for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3


class Announcements:
    """Subscribes two queues: one to the topic for people, one to the bus for programs."""

    def __init__(self, session: boto3.Session, *, topic_arn: str, bus_name: str) -> None:
        self._sqs = session.client("sqs")
        events = session.client("events")
        self._people = self._queue("demo-people")
        self._programs = self._queue("demo-programs")
        session.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=self._arn(self._people))
        events.put_rule(Name="demo", EventBusName=bus_name, EventPattern=json.dumps({"source": ["amplify-jobs"]}))
        target = {"Id": "demo", "Arn": self._arn(self._programs)}
        events.put_targets(Rule="demo", EventBusName=bus_name, Targets=[target])  # type: ignore[list-item]

    def for_people(self) -> Iterator[tuple[str, str]]:
        """Give subject and text of each message since the last call."""
        for body in self._received(self._people):
            yield body["Subject"], body["Message"]

    def for_programs(self) -> Iterator[dict[str, Any]]:
        """Give each event since the last call."""
        yield from self._received(self._programs)

    def _queue(self, name: str) -> str:
        return self._sqs.create_queue(QueueName=name)["QueueUrl"]

    def _arn(self, url: str) -> str:
        return self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def _received(self, url: str) -> Iterator[Any]:
        answer = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        for message in answer.get("Messages", []):
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield json.loads(message["Body"])
