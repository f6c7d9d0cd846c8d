"""Reads a recorded event in any form that people have: what a host sent, the answer to a delivery, an event of AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import aws_events
from amplify_jobs.events.deliveries import Delivery, first_id
from amplify_jobs.events.deliveries import header as find_header
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.events.evidence import add_delivery_evidence
from amplify_jobs.events.http_request import HttpApiRequest
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.strict_json import json_object
from amplify_jobs.events.webhooks import PROVIDERS, provider
from amplify_jobs.following.follow import SOURCE
from amplify_jobs.following.status_change import STATUS_CHANGE, StatusChangeEvent
from amplify_jobs.intake.message import QueuedEvent
from amplify_jobs.model.validation import faults
from amplify_jobs.routing.follow import follow_refusals
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.explaining.kind_header import missing_kind_header
from amplify_jobs_cli.suggestions import one_of

# Stands for the id that Lambda would give to the invocation, and for the name of a delivery without one.
EXAMPLE_ID = "example"
FORMS = (
    "use the body that the git host sent, the answer to a delivery, one of its events, or a file like those in events/"
)
_AWS_SOURCES = {
    EventKind.SCHEDULE: aws_events.SCHEDULER,
    EventKind.OBJECT: aws_events.S3,
    EventKind.REQUEST: aws_events.INVOCATION,
}
# Where headers and body are in records of deliveries: anybody's, GitHub's ("Get a delivery for a repository webhook" in
# its REST API) and GitLab's ("List project webhook events").
_RECORDS = (
    (("headers",), ("body",)),
    (("request", "headers"), ("request", "payload")),
    (("request_headers",), ("request_data",)),
)
# What is right for a part of a request that has the form in which API Gateway hands requests to receive_webhook.
_RIGHT_PARTS = {
    "pathParameters": "pathParameters.source must name the source; or use --source",
    "headers": "headers must be an object of texts",
    "body": "body must be a text",
    "isBase64Encoded": "isBase64Encoded must be true or false",
    "requestContext": "requestContext must be as API Gateway has it, or left out",
}
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class RecordedEvent:
    """What a recorded event holds; `notes` tell what was assumed."""

    source: str
    delivery_id: str | None
    delivery: Delivery
    notes: tuple[str, ...] = ()


def read_content(
    content: bytes, routes: Routes, *, source: str | None = None, headers: Mapping[str, str] | None = None
) -> list[RecordedEvent]:
    """Read a file's content; `source` and `headers` say what it does not. Signatures are not looked at.

    Raises DeliveryRefusedError.
    """
    raw: Any = content
    if not content.lstrip().startswith(b"payload="):
        try:
            raw = json.loads(content.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise UnreadableDeliveryError(f"the event is not JSON; {FORMS}") from None
    return list(_Reader(routes, source, headers or {}).read(raw, content))


@dataclass(frozen=True)
class _Reader:
    routes: Routes
    source: str | None
    headers: Mapping[str, str]

    def read(self, raw: object, content: bytes) -> Iterator[RecordedEvent]:
        """Tell the forms apart by their members."""
        if isinstance(raw, bytes):
            yield self._body(content, {"Content-Type": _FORM})
            return
        if isinstance(raw, list) and raw and all(isinstance(item, dict) for item in raw):
            for item in raw:
                yield from self.read(item, json.dumps(item).encode())
            return
        if not isinstance(raw, dict):
            raise UnreadableDeliveryError(f"the event must be a JSON object; {FORMS}")
        if _is_sqs_batch(raw):
            yield from map(self._queued_event, raw["Records"])
        elif "statusCode" in raw and isinstance(raw.get("body"), str):
            yield from self.read(json_object(raw["body"]), raw["body"].encode())
        else:
            yield self._object(raw, content)

    def _object(self, raw: dict[str, Any], content: bytes) -> RecordedEvent:
        """Read an object that is one delivery."""
        if "pathParameters" in raw and "headers" in raw:
            return self._http_api(raw)
        for headers, payload in _RECORDS:
            sent_headers, sent_payload = Payload(raw).member(*headers), Payload(raw).member(*payload)
            if isinstance(sent_headers, dict) and _has(raw, payload):
                return self._parse_request(sent_headers, sent_payload, encoded=raw.get("isBase64Encoded") is True)
        if isinstance(raw.get("events"), list) and raw.keys() & {"requests", "ignored", "deferred"}:
            return self._answer(raw)
        if "kind" in raw:
            return self._normalised(raw)
        if raw.get("detail-type") == STATUS_CHANGE and self.source is None:
            return self._status_change(raw)
        if self._is_of_aws(raw):
            delivery = aws_events.parse(raw, EXAMPLE_ID)
            return RecordedEvent(delivery.source, delivery.delivery_id, delivery)
        if isinstance(Payload(raw).member("request", "operation"), str):
            raise UnreadableDeliveryError(f"this is an input of the state machine's functions, not an event; {FORMS}")
        return self._body(content, {})

    def _is_of_aws(self, raw: dict[str, Any]) -> bool:
        if self.source is not None and self.source in self.routes.sources:
            return False
        return "schedule" in raw or "detail-type" in raw or bool(raw.keys() & {"operation", "route"}) or raw == {}

    def _status_change(self, raw: dict[str, Any]) -> RecordedEvent:
        """Amplify's event of a job, which `follow` decides on."""
        try:
            event = StatusChangeEvent.model_validate(raw)
        except ValidationError as error:
            raise UnreadableDeliveryError("; ".join(faults(error))) from None
        job = event.detail
        refusals = follow_refusals(self.routes.follow, job.app_id, job.branch_name)
        verdict = f"not followed: {'; '.join(refusals)}" if refusals else "followed, unless a request started it"
        note = f"Job {job.job_id} of app {job.app_id}, branch {job.branch_name} ({job.job_status}): {verdict}."
        return RecordedEvent(SOURCE, None, Delivery(()), (note,))

    def _http_api(self, raw: dict[str, Any]) -> RecordedEvent:
        """What API Gateway hands to receive_webhook."""
        request = _http_request({**raw, "pathParameters": {"source": self.source}} if self.source else raw)
        return self._delivery(request.path_parameters.source, request.headers, request.decoded_body())

    def _parse_request(self, headers: dict[str, Any], payload: object, *, encoded: bool = False) -> RecordedEvent:
        """A body with the headers that it was sent with; the body is a text, or JSON within JSON."""
        body = payload if isinstance(payload, str) else json.dumps(payload)
        parameters = {"source": self._host_source()}
        return self._http_api(
            {"pathParameters": parameters, "headers": headers, "body": body, "isBase64Encoded": encoded}
        )

    def _body(self, body: bytes, headers: Mapping[str, str]) -> RecordedEvent:
        """What a host sent, maybe without its headers."""
        return self._delivery(self._host_source(), headers, body)

    def _delivery(self, name: str, headers: Mapping[str, str], body: bytes) -> RecordedEvent:
        source = self.routes.sources.get(name)
        if source is None:
            raise UnreadableDeliveryError(f"there is no source of this name, {name[:100]}; {self._known_sources()}")
        headers = {**headers, **self.headers}
        host = provider(source.provider)
        notes: tuple[str, ...] = ()
        if source.provider == "standard" and find_header(headers, "webhook-id") is None:
            # A request that names itself needs no header; to any other this gives a name.
            headers["webhook-id"] = EXAMPLE_ID
        elif (missing := missing_kind_header(source.provider, headers, body)) is not None:
            header, kind = missing
            headers[header] = kind
            notes = (f"No header tells the kind of the event; it is read as {header}: {kind}.",)
        delivery = add_delivery_evidence(host.parse(headers, body), EXAMPLE_ID)
        delivery_id = delivery.delivery_id or first_id(headers, PROVIDERS[source.provider].id_headers)
        return RecordedEvent(name, delivery_id, delivery, notes)

    def _answer(self, raw: dict[str, Any]) -> RecordedEvent:
        """The whole answer to a delivery; what it ignored without an event is told again."""
        events = tuple(_event(item) for item in raw["events"])
        reasons = [item.text("reason") for item in Payload(raw).elements("ignored") if not item.member("route")]
        reason = next((reason for reason in reasons if reason), None) if not events else None
        source = self.source or self._only_source(events[0].kind if events else None)
        return RecordedEvent(source, None, Delivery(events, reason))

    def _normalised(self, raw: dict[str, Any]) -> RecordedEvent:
        event = _event({name: value for name, value in raw.items() if name != "source"})
        source = self.source or raw.get("source") or self._only_source(event.kind)
        if not isinstance(source, str):
            raise UnreadableDeliveryError("source must name the sender of the event, like github")
        return RecordedEvent(source, None, Delivery((event,)))

    def _queued_event(self, record: object) -> RecordedEvent:
        """What waits in the intake queue."""
        try:
            queued = QueuedEvent.model_validate_json(Payload(record).text("body") or "")
        except ValidationError:
            raise UnreadableDeliveryError("a message of the batch has no event of the intake queue") from None
        return RecordedEvent(queued.source, queued.delivery_id, Delivery((queued.event,)))

    def _only_source(self, kind: EventKind | None) -> str:
        """Where an event came from that does not say it."""
        source = _AWS_SOURCES.get(kind) if kind else None
        if source is not None:
            return source
        if len(self.routes.sources) != 1:
            raise UnreadableDeliveryError(
                f'the source of the event is unknown; {self._known_sources()} as "source", or --source'
            )
        return next(iter(self.routes.sources))

    def _host_source(self) -> str:
        if self.source is not None:
            return self.source
        if len(self.routes.sources) != 1:
            raise UnreadableDeliveryError(
                f"the body does not say which source sent it; {self._known_sources()} with --source"
            )
        return next(iter(self.routes.sources))

    def _known_sources(self) -> str:
        names = list(self.routes.sources)
        if not names:
            return "add the git host under sources in the routes file"
        return one_of(self.source, names) if self.source else f"use one of {', '.join(names)}"


def _event(raw: object) -> Event:
    """An event as answers to deliveries show it."""
    if not isinstance(raw, dict):
        raise UnreadableDeliveryError("an event of the answer must be an object")
    kind = raw.get("kind")
    if kind not in list(EventKind):
        raise UnreadableDeliveryError(f"unknown kind {str(kind)[:40]!r} of an event; {one_of(str(kind), EventKind)}")
    try:
        return Event.model_validate(raw)
    except ValidationError as error:
        wrong = [".".join(map(str, details["loc"])) for details in error.errors(include_url=False, include_input=False)]
        raise UnreadableDeliveryError(
            f"{', '.join(wrong)}: not in the form of an answer to a delivery; copy the event unchanged"
        ) from None


def _has(raw: object, path: tuple[str, ...]) -> bool:
    around = Payload(raw).member(*path[:-1]) if path[:-1] else raw
    return isinstance(around, dict) and path[-1] in around


def _is_sqs_batch(raw: dict[str, Any]) -> bool:
    """Whether this is what an event source mapping of SQS hands to a function."""
    records = raw.get("Records")
    return isinstance(records, list) and all(Payload(record).member("eventSource") == "aws:sqs" for record in records)


def _http_request(raw: dict[str, Any]) -> HttpApiRequest:
    try:
        return HttpApiRequest.model_validate(raw)
    except ValidationError as error:
        part = str(error.errors(include_url=False, include_input=False)[0]["loc"][0])
        raise UnreadableDeliveryError(_RIGHT_PARTS[part]) from None
