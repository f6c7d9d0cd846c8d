"""Waits for the end of the requests that are meant, which need not exist yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.indexing.answers import RequestSummary
from amplify_jobs.indexing.deliveries import DeliveryStory
from amplify_jobs_cli.api import ApiRefusedError
from amplify_jobs_cli.jobs.client import JobsClient
from amplify_jobs_cli.jobs.progress import Progress, View
from amplify_jobs_cli.jobs.selection import Selection, find_requests

# Who waits is told within seconds; who waits for long costs less.
_POLL_SECONDS, _SLOW_POLL_SECONDS, _SLOW_AFTER = 3, 10, timedelta(minutes=2)
_DELIVERIES_OF_A_COMMIT = 50
_NOT_FOUND = 404


class Outcome(IntEnum):
    """How waiting ended; each is the exit code."""

    SUCCEEDED = 0
    FAILED = 1
    NOT_ASKED = 2
    TIMED_OUT = 3
    CANCELLED = 4


@dataclass(frozen=True)
class Clock:
    """The time, and how to let some pass."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Patience:
    """How long to wait for the end, and how long until there is a request to wait for."""

    end: timedelta
    start: timedelta
    # Whether it is all right if no route wants the commit.
    allow_none: bool = False


@dataclass(frozen=True)
class Result:
    """What came of waiting; `text` says it where no request does."""

    outcome: Outcome
    requests: Sequence[RequestSummary] = ()
    text: str | None = None


class Waiter:
    """Asks until all requests that are meant have ended. Raises ApiRefusedError if the stack can't be asked at all."""

    def __init__(self, client: JobsClient, selection: Selection, view: View, clock: Clock) -> None:
        self._client = client
        self._selection = selection
        self._view = view
        self._clock = clock

    def wait(self, patience: Patience) -> Result:
        """Wait, and say what came of it."""
        begun = self._clock.now()
        requests: Sequence[RequestSummary] = ()
        while True:
            try:
                requests = self._requests()
                result = self._result(requests, allow_none=patience.allow_none)
            except ServiceTrouble as trouble:
                # It passes, or patience ends.
                self._view.note(f"{trouble}; trying again", self._clock.now())
                result = None
            waited = self._clock.now() - begun
            result = result or _impatience(self._selection, requests, waited, patience)
            if result is not None:
                return result
            self._clock.sleep(_POLL_SECONDS if waited < _SLOW_AFTER else _SLOW_POLL_SECONDS)

    def _requests(self) -> Sequence[RequestSummary]:
        try:
            requests = find_requests(self._client, self._selection)
        except ApiRefusedError as refused:
            if refused.status != _NOT_FOUND or not self._selection.request_id:
                raise
            # The index hears of a request moments after whoever made it.
            requests = []
        if requests:
            self._view.show([self._progress(request) for request in requests], self._clock.now())
        else:
            self._view.note(f"waiting for the {self._selection.description}", self._clock.now())
        return requests

    def _progress(self, request: RequestSummary) -> Progress:
        if request.state.is_end:
            return Progress(request)
        return Progress(request, self._client.request(request.request_id).steps)

    def _result(self, requests: Sequence[RequestSummary], *, allow_none: bool) -> Result | None:
        if not all(request.state.is_end for request in requests):
            return None
        deliveries = self._deliveries()
        if requests:
            ids = {request.request_id for request in requests}
            return None if led_to(deliveries, self._selection.route) - ids else Result(outcome_of(requests), requests)
        if (reasons := refusals(deliveries, self._selection.route)) is None:
            return None
        text = f"no route wants {self._selection.commit}: {reasons}"
        return Result(Outcome.SUCCEEDED if allow_none else Outcome.FAILED, text=text)

    def _deliveries(self) -> list[DeliveryStory]:
        """The deliveries that told of the commit; none where the selection has no repository and commit."""
        repository, commit = self._selection.repository, self._selection.commit
        if not repository or not commit:
            return []
        listed = self._client.deliveries({"repository": repository}, _DELIVERIES_OF_A_COMMIT)
        return [
            self._client.delivery(delivery.delivery_id)
            for delivery in listed
            if (delivery.commit or "").startswith(commit.lower())
        ]


def led_to(deliveries: Sequence[DeliveryStory], route: str | None) -> set[str]:
    """The requests that deliveries led to, by one route or by any."""
    return {
        decision.request_id
        for delivery in deliveries
        for decision in delivery.decisions
        if decision.request_id and route in (None, decision.route)
    }


def refusals(deliveries: Sequence[DeliveryStory], route: str | None) -> str | None:
    """Why no route wants what was delivered; None while that is not decided, or one does."""
    decisions = [
        decision for delivery in deliveries for decision in delivery.decisions if route in (None, decision.route)
    ]
    if not decisions or any(decision.matched for decision in decisions):
        return None
    return "; ".join(
        dict.fromkeys(
            f"{decision.route}: {decision.reason}" if decision.route else decision.reason for decision in decisions
        )
    )


def outcome_of(requests: Collection[RequestSummary]) -> Outcome:
    """The worst outcome of requests that have ended; one that took a preview away, or kept it, has done all."""
    outcomes = {request.outcome for request in requests} - {"REMOVED", "KEPT"}
    if outcomes <= {"SUCCEEDED"}:
        return Outcome.SUCCEEDED
    return Outcome.CANCELLED if outcomes <= {"SUCCEEDED", "CANCELLED"} else Outcome.FAILED


def _impatience(
    selection: Selection, requests: Sequence[RequestSummary], waited: timedelta, patience: Patience
) -> Result | None:
    minutes = int(waited.total_seconds() // 60)
    if waited >= patience.end:
        return Result(
            Outcome.TIMED_OUT, requests, f"the {selection.description} did not end within {minutes} min; it goes on"
        )
    if not requests and waited >= patience.start:
        return Result(Outcome.TIMED_OUT, (), f"there is no {selection.description} after {minutes} min")
    return None
