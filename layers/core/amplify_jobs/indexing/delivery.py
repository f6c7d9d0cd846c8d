"""What the index knows of a delivery, and what it tells people of it."""

from __future__ import annotations

from collections.abc import Iterable

from amplify_jobs.indexing.deliveries import DeliveryStory, DeliverySummary, RouteDecision
from amplify_jobs.intake.record import Decision, DeliveryRecord, EventRecord
from amplify_jobs.text import one_line, presentable, shortened

_SUMMARY_LIMIT = 300
_MOST_IDS = 3


def merge_deliveries(record: DeliveryRecord, news: DeliveryRecord) -> DeliveryRecord:
    """Join two records of a delivery: parts of it, or the same one delivered again; the order does not matter."""
    events: dict[str, EventRecord] = {}
    for event in sorted((*record.events, *news.events), key=_order):
        events[event.identity] = event
    first = min(record, news, key=lambda delivery: (delivery.received_at, delivery.model_dump_json()))
    return first.model_copy(
        update={
            "provider": record.provider or news.provider,
            "ignored": tuple(sorted({*record.ignored, *news.ignored})),
            "events": tuple(events[identity] for identity in sorted(events)),
        }
    )


def delivery_summary(record: DeliveryRecord) -> DeliverySummary:
    """A delivery as lists show it."""
    event = record.events[0] if record.events else None
    return DeliverySummary(
        delivery_id=record.delivery_id,
        source=record.source,
        provider=record.provider,
        received_at=record.received_at,
        kind=event.kind if event else "none",
        repository=presentable(event.repository) if event else None,
        ref=presentable(event.ref) if event else None,
        commit=event.commit if event else None,
        requests=len(_request_ids(record)),
        summary=shortened(one_line(_sentence(record)), _SUMMARY_LIMIT),
    )


def delivery_story(record: DeliveryRecord) -> DeliveryStory:
    """A delivery with the decision of every route on each of its events."""
    return DeliveryStory(
        **dict(delivery_summary(record)),
        decisions=tuple(
            RouteDecision(
                route=decision.route,
                matched=decision.matched,
                reason=presentable(decision.reason),
                request_id=decision.request_id,
            )
            for decision in (*_reasons(record.ignored), *_decisions(record))
        ),
        is_replayable=any(event.event is not None for event in record.events),
    )


def _sentence(record: DeliveryRecord) -> str:
    """What the delivery led to."""
    waiting = sum(event.deferred for event in record.events)
    ids = _request_ids(record)
    if ids:
        more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
        return f"{len(ids)} request{'s' if len(ids) > 1 else ''}: {', '.join(ids[:_MOST_IDS])}{more}"
    if waiting:
        return f"{waiting} event{'s' if waiting > 1 else ''} in the intake queue"
    refusals = [*_reasons(record.ignored), *_decisions(record)]
    # Routes of other sources, events and repositories were never meant.
    near = [refusal for refusal in refusals if not _is_of_others(refusal)]
    if len(refusals) == 1 or len(near) == 1:
        return f"no request: {presentable((near or refusals)[0].reason)}"
    return f"no request: {len(refusals)} routes do not match" if refusals else "no request"


def _is_of_others(refusal: Decision) -> bool:
    condition = refusal.condition or ""
    return condition in ("source", "when") or condition.endswith(".repository")


def _request_ids(record: DeliveryRecord) -> list[str]:
    return list(dict.fromkeys(decision.request_id for decision in _decisions(record) if decision.request_id))


def _decisions(record: DeliveryRecord) -> list[Decision]:
    return [decision for event in record.events for decision in event.decisions]


def _reasons(reasons: Iterable[str]) -> list[Decision]:
    return [Decision(matched=False, reason=reason) for reason in reasons]


def _order(event: EventRecord) -> tuple[bool, float, str]:
    """What was decided comes after what waited, and what came later after what came first."""
    return not event.deferred, event.received_at.timestamp(), event.model_dump_json()
