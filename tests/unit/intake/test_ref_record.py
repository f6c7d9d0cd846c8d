"""The claims on a ref, and whose event may ask for jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.events.event import Event, EventKind, Observation
from amplify_jobs.intake.claims import Claims, RefName
from amplify_jobs.intake.ref_record import MOST_CLAIMS, PROCESSING_LASTS, RefRecord, claim_of
from tests.support.reconciled import NOON, KeptRefRecords, sha

LATER = NOON + PROCESSING_LASTS + timedelta(seconds=1)
REQUESTS = {"web": "web-1"}


def delivery(number: int, before: int = 0, evidence: str = "x") -> Event:
    return Event(
        kind=EventKind.PUSH,
        repository="acme/web",
        ref="refs/heads/main",
        before=sha(before),
        after=sha(number),
        commit=sha(number),
        evidence=(evidence,),
    )


def observed(number: int, before: int = 0) -> Event:
    observation = Observation(first_seen=NOON, asked_since=NOON - timedelta(hours=1))
    return delivery(number, before, "reconcile").model_copy(update={"observation": observation})


def test_reconcile_leaves_a_delivery_that_is_being_processed_alone_but_not_for_ever() -> None:
    _, record = RefRecord().enter(claim_of(delivery(1), NOON, {}), NOON)
    entry, same = record.enter(claim_of(observed(1), NOON, REQUESTS), NOON)
    assert entry.refusal == "a delivery that tells of this commit is being processed"
    assert same is record
    entry, taken_over = record.enter(claim_of(observed(1), LATER, REQUESTS), NOON)
    assert entry.refusal is None
    # The delivery is processed at last, from the queue.
    entry, _ = taken_over.enter(claim_of(delivery(1), LATER, {}), NOON)
    assert entry.requests == REQUESTS


def test_reconcile_gives_way_to_a_delivery_that_was_processed() -> None:
    event = delivery(1)
    _, record = RefRecord().enter(claim_of(event, NOON, {}), NOON)
    record = record.with_requests(event.digest[:32], REQUESTS)
    entry, same = record.enter(claim_of(observed(1), LATER, {}), NOON)
    assert entry.refusal == "a delivery has told of this commit meanwhile"
    assert same is record


def test_a_message_of_reconcile_that_comes_again_is_processed_again_with_the_same_ids() -> None:
    claim = claim_of(observed(1), NOON, REQUESTS)
    _, record = RefRecord().enter(claim, NOON)
    entry, same = record.enter(claim, NOON)
    assert (entry.refusal, dict(entry.requests)) == (None, {})
    assert same is record


def test_a_delivery_that_failed_on_the_way_is_processed_again() -> None:
    claim = claim_of(delivery(1), NOON, {})
    _, record = RefRecord().enter(claim, NOON)
    entry, record = record.enter(claim_of(delivery(1), LATER, {}), NOON)
    assert entry.is_claimed
    assert [(each.at, each.complete) for each in record.claims] == [(LATER, False)]


def test_a_delivery_that_was_processed_is_a_repeat_by_the_ids_of_its_requests() -> None:
    event = delivery(1)
    _, record = RefRecord().enter(claim_of(event, NOON, {}), NOON)
    record = record.with_requests(event.digest[:32], REQUESTS)
    entry, same = record.enter(claim_of(event, LATER, {}), NOON)
    assert not entry.is_claimed
    assert same is record


def test_a_route_for_which_reconcile_asked_nothing_still_gets_its_job() -> None:
    """reconcile knows no author: a route that waits for one does not match its event."""
    _, record = RefRecord().enter(claim_of(observed(1), NOON, REQUESTS), NOON)
    entry, _ = record.enter(claim_of(delivery(1), LATER, {}), NOON)
    assert "docs" not in entry.requests


def test_a_record_forgets_the_oldest_claims() -> None:
    record = RefRecord()
    for number in range(1, MOST_CLAIMS + 5):
        _, record = record.enter(claim_of(delivery(number, number - 1), NOON, {}), NOON)
    assert [each.tip for each in record.claims] == [(sha(number),) for number in range(5, MOST_CLAIMS + 5)]
    assert record.version == MOST_CLAIMS + 4


class Competing(KeptRefRecords):
    """Records that someone else always writes first."""

    def write_ref_record(self, name: RefName, record: RefRecord, now: datetime) -> bool:
        return False


def test_a_record_that_others_keep_changing_is_trouble() -> None:
    with pytest.raises(ServiceTrouble, match="other events keep changing"):
        Claims(Competing(), lambda: datetime.now(UTC)).enter("gitea", delivery(1), {})
