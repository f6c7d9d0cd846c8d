"""What AWS hands to receive_event: schedules, S3's objects, CodeCommit's events, jobs requested on the bus or directly.

Nothing is signed: whoever may invoke the function or put events on a bus is let in by IAM.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from amplify_jobs.errors import RequestRejected, UnreadableDeliveryError
from amplify_jobs.events import codecommit, normalize
from amplify_jobs.events.deliveries import LONGEST_DELIVERY_ID, Delivery
from amplify_jobs.events.event import Channel, Event, EventKind, Schedule, StoredObject, parse_requested_job
from amplify_jobs.events.http_request import LARGEST_BODY
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.strict_json import json_object
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.model.validation import faults

JOB_REQUESTED = "Job Requested"
OBJECT_CREATED = "Object Created"
S3, SCHEDULER, INVOCATION, BUS = "aws.s3", "aws.scheduler", "aws.lambda", "aws.events"
HANDLED = (JOB_REQUESTED, OBJECT_CREATED, codecommit.REPOSITORY, codecommit.PULL_REQUEST)

# As much as of a webhook's body; what does not fit into an execution's input is kept in the bucket.
LARGEST_REQUEST = LARGEST_BODY
LONGEST_FAULT = 1_000


@dataclass(frozen=True)
class AwsDelivery(Delivery):
    """An understood event, and its source in EventBridge's words: for routes to name, and for announcements."""

    source: str = ""


def schedule_input(route: str) -> str:
    """The Input of a route's schedule: EventBridge Scheduler fills in the time at which it was to fire.

    Source: EventBridge Scheduler User Guide, "Adding context attributes".
    """
    return json.dumps({"schedule": {"route": route, "scheduledTime": "<aws.scheduler.scheduled-time>"}})


def parse(raw: object, invocation_id: str) -> AwsDelivery:
    """Read an input of receive_event; `invocation_id` names a request that bears no id.

    Raises UnreadableDeliveryError.
    """
    event = _checked(raw)
    payload = Payload(event)
    if "schedule" in event:
        return _schedule(event, invocation_id)
    if "detail-type" not in event:
        return _request(event, source=INVOCATION, key=invocation_id, channel=Channel.INVOCATION)
    event_id = (payload.text("id") or "")[:LONGEST_DELIVERY_ID] or None
    if event["detail-type"] == JOB_REQUESTED:
        source = payload.name("source") or BUS
        return _request(event.get("detail"), source=source, key=event_id, channel=Channel.BUS)
    match event.get("source"):
        case codecommit.SOURCE:
            return _from(codecommit.parse(event), codecommit.SOURCE)
        case _ if event["detail-type"] == OBJECT_CREATED and event.get("source") == S3:
            return AwsDelivery((_object(payload),), delivery_id=event_id, source=S3)
    return _from(normalize.not_handled(payload.text("detail-type"), "detail-type in the event", HANDLED), BUS)


def rejection(raw: object, fault: str, invocation_id: str, now: datetime) -> JobRequest:
    """The request that an unreadable event becomes: the state machine rejects it, and so announces what is wrong.

    It holds as much of the event as tells people which it was, and nothing that was not asked for.
    """
    payload = Payload(raw)
    detail = payload.at("detail") if payload.at("detail").is_object else payload
    event_id = (payload.text("id") or invocation_id)[:LONGEST_DELIVERY_ID]
    parameters = {key: detail.text("parameters", key) for key in ("appId", "branchName")}
    return JobRequest(
        request_id=f"event-{hashlib.sha256(event_id.encode()).hexdigest()[:32]}",
        operation=(detail.text("operation") or "unknown")[:100],
        parameters={key: value[:256] for key, value in parameters.items() if value},
        cause=Cause(
            source=(payload.text("source") or INVOCATION)[:256],
            kind=(payload.text("detail-type") or "event")[:256],
            delivery_id=event_id,
        ),
        received_at=now,
        fault=fault[:LONGEST_FAULT],
    )


def _checked(raw: object) -> dict[str, Any]:
    """Hold an event against the same rules as a delivery's body: Lambda's own parser is laxer."""
    try:
        content = json.dumps(raw, ensure_ascii=False).encode().decode()
    except (ValueError, RecursionError):
        raise UnreadableDeliveryError(
            "the event has an invalid character (a lone surrogate), or is nested too deeply"
        ) from None
    return json_object(content)


def _from(delivery: Delivery, source: str) -> AwsDelivery:
    return AwsDelivery(delivery.events, delivery.ignored, delivery.delivery_id, source)


def _schedule(event: Mapping[str, Any], invocation_id: str) -> AwsDelivery:
    try:
        schedule = Schedule.model_validate(event["schedule"])
    except ValidationError as error:
        raise UnreadableDeliveryError("; ".join(faults(error, "schedule"))) from None
    due = Event(kind=EventKind.SCHEDULE, schedule=schedule)
    return AwsDelivery((due,), delivery_id=invocation_id, source=SCHEDULER)


def _object(payload: Payload) -> Event:
    """An "Object Created" event; other than in S3's own notifications, its key is not URL-encoded.

    Source: Amazon S3 User Guide, "EventBridge event message structure".
    """
    detail = payload.at("detail")
    bucket, key = detail.name("bucket", "name"), detail.name("object", "key")
    if bucket is None or key is None:
        raise UnreadableDeliveryError("detail.bucket.name and detail.object.key must name the created object")
    version, sequencer = detail.name("object", "version-id"), detail.name("object", "sequencer")
    if version is None and sequencer is None:
        raise UnreadableDeliveryError("detail.object needs version-id or sequencer, which tell one write from another")
    size = detail.member("object", "size")
    return Event(
        kind=EventKind.OBJECT,
        event_time=payload.text("time"),
        object=StoredObject(
            bucket=bucket,
            key=key,
            version=version,
            sequencer=sequencer,
            size=size if isinstance(size, int) and not isinstance(size, bool) else None,
        ),
    )


def _request(raw: object, *, source: str, key: str | None, channel: Channel) -> AwsDelivery:
    if not isinstance(raw, dict) or not raw.keys() & {"operation", "route"}:
        raise UnreadableDeliveryError(
            f"this is neither an event ({', '.join(HANDLED)}), a schedule's input nor a job request"
        )
    if len(json.dumps(raw).encode()) > LARGEST_REQUEST:
        raise UnreadableDeliveryError(f"the job request has more than {LARGEST_REQUEST // 1024} KiB")
    try:
        request = parse_requested_job(raw)
    except RequestRejected as rejected:
        raise UnreadableDeliveryError(str(rejected)) from None
    request_key = request.request_id or key
    if request_key is None:
        raise UnreadableDeliveryError("neither the event has an id, nor its detail a requestId")
    event = Event(kind=EventKind.REQUEST, request=request, key=request_key, channel=channel)
    return AwsDelivery((event,), delivery_id=key, source=source)
