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
from amplify_jobs.events.payload import member, name, text
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
    if "schedule" in event:
        return _schedule(event, invocation_id)
    if "detail-type" not in event:
        return _request(event, source=INVOCATION, key=invocation_id, channel=Channel.INVOCATION)
    event_id = (text(event, "id") or "")[:LONGEST_DELIVERY_ID] or None
    if event["detail-type"] == JOB_REQUESTED:
        source = name(event, "source") or BUS
        return _request(event.get("detail"), source=source, key=event_id, channel=Channel.BUS)
    match event.get("source"):
        case codecommit.SOURCE:
            return _from(codecommit.parse(event), codecommit.SOURCE)
        case _ if event["detail-type"] == OBJECT_CREATED and event.get("source") == S3:
            return AwsDelivery((_object(event),), delivery_id=event_id, source=S3)
    return _from(normalize.not_handled(text(event, "detail-type"), "detail-type in the event", HANDLED), BUS)


def rejection(raw: object, fault: str, invocation_id: str, now: datetime) -> JobRequest:
    """The request that an unreadable event becomes: the state machine rejects it, and so announces what is wrong.

    It holds as much of the event as tells people which it was, and nothing that was not asked for.
    """
    detail = member(raw, "detail") if isinstance(member(raw, "detail"), dict) else raw
    event_id = (text(raw, "id") or invocation_id)[:LONGEST_DELIVERY_ID]
    known = {key: text(detail, "parameters", key) for key in ("appId", "branchName")}
    return JobRequest(
        request_id=f"event-{hashlib.sha256(event_id.encode()).hexdigest()[:32]}",
        operation=(text(detail, "operation") or "unknown")[:100],
        parameters={key: value[:256] for key, value in known.items() if value},
        cause=Cause(
            source=(text(raw, "source") or INVOCATION)[:256],
            kind=(text(raw, "detail-type") or "event")[:256],
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
            "the event has half a character (a lone surrogate), or is nested too deep"
        ) from None
    return json_object(content)


def _from(delivery: Delivery, source: str) -> AwsDelivery:
    return AwsDelivery(delivery.events, delivery.ignored, delivery.delivery_id, source)


def _schedule(event: Mapping[str, Any], invocation_id: str) -> AwsDelivery:
    try:
        schedule = Schedule.model_validate(event["schedule"])
    except ValidationError as error:
        raise UnreadableDeliveryError("; ".join(faults(error, "schedule"))) from None
    happened = Event(kind=EventKind.SCHEDULE, schedule=schedule)
    return AwsDelivery((happened,), delivery_id=invocation_id, source=SCHEDULER)


def _object(event: Mapping[str, Any]) -> Event:
    """An "Object Created" event; other than in S3's own notifications, its key is not URL-encoded.

    Source: Amazon S3 User Guide, "EventBridge event message structure".
    """
    detail = member(event, "detail")
    bucket, key = name(detail, "bucket", "name"), name(detail, "object", "key")
    if bucket is None or key is None:
        raise UnreadableDeliveryError("detail.bucket.name and detail.object.key must say which object was created")
    version, sequencer = name(detail, "object", "version-id"), name(detail, "object", "sequencer")
    if version is None and sequencer is None:
        raise UnreadableDeliveryError("detail.object needs version-id or sequencer, which tell one write from another")
    size = member(detail, "object", "size")
    return Event(
        kind=EventKind.OBJECT,
        event_time=text(event, "time"),
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
    wanted = request.request_id or key
    if wanted is None:
        raise UnreadableDeliveryError("neither the event has an id, nor its detail a requestId")
    happened = Event(kind=EventKind.REQUEST, request=request, key=wanted, channel=channel)
    return AwsDelivery((happened,), delivery_id=key, source=source)
