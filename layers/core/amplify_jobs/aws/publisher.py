"""Publishing announcements: one SNS message for people, one EventBridge event for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from amplify_jobs.announcing.announcement import EVENT_SOURCE, Announcement, DetailType
from amplify_jobs.announcing.text import attributes, subject, text
from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.errors import aws_errors
from amplify_jobs.errors import ServiceTrouble

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sns.client import SNSClient

# One attempt: where an answer is lost, each hidden retry would tell everybody once more. The state machine tries again.
_CONFIG = client_config(attempts=1, read_timeout=5)


class Publisher:
    """The stack's topic and bus behind boto3. Both methods raise ServiceTrouble when nothing was published."""

    def __init__(self, sns: SNSClient, events: EventBridgeClient, *, topic_arn: str, bus_name: str) -> None:
        self._sns = sns
        self._events = events
        self._topic_arn = topic_arn
        self._bus_name = bus_name

    @classmethod
    def connect(cls, *, topic_arn: str, bus_name: str) -> Publisher:
        return cls(
            boto3.client("sns", config=_CONFIG),
            boto3.client("events", config=_CONFIG),
            topic_arn=topic_arn,
            bus_name=bus_name,
        )

    def publish_to_topic(self, detail_type: DetailType, detail: Announcement) -> None:
        """Publish to the topic (API: SNS Publish), with attributes for the filters of subscriptions."""
        with aws_errors("SNS Publish"):
            answer = self._sns.publish(
                TopicArn=self._topic_arn,
                Subject=subject(detail),
                Message=text(detail),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes(detail_type, detail).items()
                },
            )
            message_id = answer.get("MessageId")
        if not message_id:
            raise ServiceTrouble("SNS Publish: answered without MessageId")

    def put_event(self, detail_type: DetailType, detail: Announcement) -> None:
        """Put the event on the stack's bus (API: EventBridge PutEvents), and check that the bus accepted it."""
        entry: PutEventsRequestEntryTypeDef = {
            "Source": EVENT_SOURCE,
            "DetailType": detail_type.value,
            "Detail": detail.model_dump_json(by_alias=True),
            "EventBusName": self._bus_name,
            "Resources": [detail.execution],
        }
        with aws_errors("PutEvents"):
            (result,) = self._events.put_events(Entries=[entry])["Entries"]
            event_id, error_code = result.get("EventId"), result.get("ErrorCode")
        if not event_id:
            raise ServiceTrouble(f"PutEvents: {error_code or 'answered without EventId'}")
