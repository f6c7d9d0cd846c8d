"""What the routes make of a recorded event, decided by the very code that decides in the functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amplify_jobs.events.event import Event
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Ignored, Matched, decide
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.explaining.recorded_events import RecordedEvent


@dataclass(frozen=True)
class Explanation:
    """What one route, or all of them at once, makes of an event, and the request that follows."""

    event: Event
    decision: Matched | Ignored
    request: JobRequest | None


def explain(routes: Routes, recorded: RecordedEvent, now: datetime) -> list[Explanation]:
    """Decide for each event and each route, as the functions would if it came now."""
    explanations = []
    for event in recorded.delivery.events:
        for decision in decide(routes, recorded.source, event):
            request = None
            if isinstance(decision, Matched):
                request = make_job_request(
                    decision, event, source=recorded.source, delivery_id=recorded.delivery_id, received_at=now
                )
            explanations.append(Explanation(event, decision, request))
    return explanations


def lines(recorded: RecordedEvent, explanations: list[Explanation]) -> Iterator[str]:
    """The explanation in lines for people."""
    yield from recorded.notes
    if recorded.delivery.ignored:
        yield f"Ignored: {recorded.delivery.ignored}"
    for event in recorded.delivery.events:
        yield f"{_title(event)}, from {recorded.source}"
        for explanation in explanations:
            if explanation.event is event:
                yield from _decision(explanation)


def as_json(recorded: RecordedEvent, explanations: list[Explanation]) -> dict[str, Any]:
    """The explanation in the members of `routes explain --json`."""
    return {
        "source": recorded.source,
        "deliveryId": recorded.delivery_id,
        "ignored": recorded.delivery.ignored,
        "notes": list(recorded.notes),
        "events": [
            {
                "event": event.for_answer(),
                "decisions": [
                    _decision_as_json(explanation) for explanation in explanations if explanation.event is event
                ],
            }
            for event in recorded.delivery.events
        ],
    }


def _decision_as_json(explanation: Explanation) -> dict[str, Any]:
    decision, request = explanation.decision, explanation.request
    if isinstance(decision, Ignored):
        return {
            "route": decision.route,
            "matched": False,
            "condition": decision.condition,
            "reason": decision.reason,
            "found": [],
            "request": None,
        }
    return {
        "route": decision.name,
        "matched": True,
        "condition": None,
        "reason": None,
        "found": list(decision.findings),
        "request": json.loads(request.model_dump_json(by_alias=True, exclude_none=True)) if request else None,
    }


def _decision(explanation: Explanation) -> Iterator[str]:
    decision = explanation.decision
    if isinstance(decision, Ignored):
        condition = f", decided by {decision.condition}" if decision.condition else ""
        yield f"  {decision.route or 'no route'}: not matched{condition}"
        yield f"    {decision.reason}"
        return
    yield f"  {decision.name or 'no route'}: matched, all conditions are met"
    yield from (f"    {finding}" for finding in decision.findings)
    if explanation.request is not None:
        request = json.loads(explanation.request.model_dump_json(by_alias=True, exclude_none=True))
        yield from (
            f"    {line}" for line in f"request: {json.dumps(request, indent=2, ensure_ascii=False)}".split("\n")
        )


def _title(event: Event) -> str:
    pull, stored = event.pull_request, event.object
    parts = [
        f"{event.kind}",
        f"{pull.number} {pull.action}" if pull else None,
        event.release.action if event.release else None,
        f"of {event.repository}" if event.repository else None,
        f"s3://{stored.bucket}/{stored.key}" if stored else None,
        f"of {event.schedule.route} at {event.schedule.scheduled_time}" if event.schedule else None,
        event.ref,
    ]
    return " ".join(part for part in parts if part)
