"""Topics, subscriptions and queues."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.template.maker import CreatedResource, Maker, MakerContext, maker


def _topic(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    attributes = {"DisplayName": properties["DisplayName"]} if "DisplayName" in properties else {}
    if properties.get("FifoTopic"):
        attributes["FifoTopic"] = "true"
    name = properties.get("TopicName", context.name(logical_id))
    arn = context.services.clients.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    for subscription in properties.get("Subscription", []):
        _subscribe(context, arn, subscription)
    return CreatedResource(arn, {"TopicArn": arn, "TopicName": name})


SUBSCRIPTION_PROTOCOLS = ("sqs", "http", "https", "email", "email-json")


def _subscription(context: MakerContext, _: str, properties: Mapping[str, Any]) -> CreatedResource:
    return CreatedResource(_subscribe(context, properties["TopicArn"], properties))


def _subscribe(context: MakerContext, topic_arn: str, properties: Mapping[str, Any]) -> str:
    protocol = properties["Protocol"]
    if protocol not in SUBSCRIPTION_PROTOCOLS:
        protocols = ", ".join(SUBSCRIPTION_PROTOCOLS)
        raise ValueError(f"the local cloud's topics deliver to {protocols}, not to {protocol!r}")
    attributes = {}
    for name in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"):
        if name in properties:
            value = properties[name]
            attributes[name] = value if isinstance(value, str) else json.dumps(value)
    subscribed = context.services.clients.sns.subscribe(
        TopicArn=topic_arn,
        Protocol=protocol,
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )
    return subscribed["SubscriptionArn"]


QUEUE_ATTRIBUTES = frozenset(
    {
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "VisibilityTimeout",
    }
)


def _queue(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    suffix = ".fifo" if properties.get("FifoQueue") else ""
    name = properties.get("QueueName", context.name(logical_id) + suffix)
    attributes: Any = {
        key: json.dumps(value) if isinstance(value, dict | bool) else str(value)
        for key, value in properties.items()
        if key in QUEUE_ATTRIBUTES
    }
    url = context.services.clients.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return CreatedResource(url, {"Arn": context.arn("sqs", name), "QueueName": name, "QueueUrl": url})


MAKERS: Mapping[str, Maker] = {
    "AWS::SNS::Topic": maker(_topic, "TopicName DisplayName Subscription FifoTopic", "KmsMasterKeyId TracingConfig"),
    "AWS::SNS::Subscription": maker(
        _subscription,
        "TopicArn Protocol Endpoint FilterPolicy FilterPolicyScope RawMessageDelivery RedrivePolicy",
    ),
    "AWS::SQS::Queue": maker(
        _queue,
        " ".join(QUEUE_ATTRIBUTES | {"QueueName"}),
        "SqsManagedSseEnabled KmsMasterKeyId KmsDataKeyReusePeriodSeconds",
    ),
}
