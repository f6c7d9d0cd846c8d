"""Publishing announcements: one SNS message for people, one EventBridge event for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from amplify_jobs.announcing.announcement import EVENT_SOURCE, Announcement, DetailType
from amplify_jobs.announcing.text import attributes, subject, text
from amplify_jobs.errors import ServiceTrouble

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sns.client import SNSClient

# One attempt: where an answer is lost, each hidden retry would tell everybody once more. The state machine tries again.
_CLIENT = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)

# What botocore raises for bodies that are no answer: a query protocol's XML has to have its result.
_NONSENSE = (ResponseParserError, KeyError, ValueError, TypeError, AttributeError)


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
            boto3.client("sns", config=_CLIENT),
            boto3.client("events", config=_CLIENT),
            topic_arn=topic_arn,
            bus_name=bus_name,
        )

    def publish_to_topic(self, detail_type: DetailType, detail: Announcement) -> None:
        """Publish to the topic (API: SNS Publish), with attributes for the filters of subscriptions."""
        try:
            answer = self._sns.publish(
                TopicArn=self._topic_arn,
                Subject=subject(detail),
                Message=text(detail),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes(detail_type, detail).items()
                },
            )
        except ClientError as error:
            raise ServiceTrouble(f"SNS Publish: {error.response.get('Error', {}).get('Code')}") from error
        except (BotoCoreError, *_NONSENSE) as error:
            raise ServiceTrouble(f"SNS Publish: no answer ({type(error).__name__})") from error
        if not answer.get("MessageId"):
            raise ServiceTrouble("SNS Publish: answered without MessageId")

    def put_event(self, detail_type: DetailType, detail: Announcement) -> None:
        """Put the event on the stack's bus (API: EventBridge PutEvents), and check that it was taken."""
        entry: PutEventsRequestEntryTypeDef = {
            "Source": EVENT_SOURCE,
            "DetailType": detail_type.value,
            "Detail": detail.model_dump_json(by_alias=True),
            "EventBusName": self._bus_name,
            "Resources": [detail.execution],
        }
        try:
            answer = self._events.put_events(Entries=[entry])
        except ClientError as error:
            raise ServiceTrouble(f"PutEvents: {error.response.get('Error', {}).get('Code')}") from error
        except (BotoCoreError, *_NONSENSE) as error:
            raise ServiceTrouble(f"PutEvents: no answer ({type(error).__name__})") from error
        taken = answer["Entries"][0] if answer.get("Entries") else None
        if taken is None or not taken.get("EventId"):
            refused = taken.get("ErrorCode") if taken else None
            raise ServiceTrouble(f"PutEvents: {refused or 'answered without EventId'}")
