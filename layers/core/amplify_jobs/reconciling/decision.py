"""Decides which pushes were missed: the tips of a host, what was known of them, what was asked for, and the time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from amplify_jobs.intake.ref_record import RefRecord
from amplify_jobs.mirroring.listing import Tip
from amplify_jobs.reconciling.snapshot import Sighting, Snapshot

# After a longer pause nobody knows which of the changes were asked for: as on the first look, all are.
LONGEST_PAUSE = timedelta(days=1)
# So much later than a delivery tells of it, a host may still list a ref as it was: it answers from copies.
LISTING_LAG = timedelta(minutes=2)
# Of one repository at a time; the others wait for the next look.
MOST_MISSED = 50
MOST_READ = 200
MOST_BETWEEN = 20
# So long a snapshot in which nothing changed need not be written anew.
SNAPSHOT_LASTS = timedelta(hours=1)


@dataclass(frozen=True)
class Missed:
    """A ref for whose tip nothing was asked."""

    ref: str
    sighting: Sighting


@dataclass(frozen=True)
class Decision:
    """What is known of the refs now, and which changes of them were missed, the oldest first."""

    snapshot: Snapshot
    missed: tuple[Missed, ...] = ()


def observe(before: Snapshot | None, tips: Mapping[str, Tip], prefixes: Collection[str], now: datetime) -> Snapshot:
    """Compare the tips with those of the look before. A ref that could not be seen then needs nothing."""
    settled: dict[str, str] = {}
    waiting: dict[str, Sighting] = {}
    earlier_prefixes = tuple(before.prefixes) if before and before.reached_at and not is_too_old(before, now) else ()
    for ref, tip in tips.items():
        if before is None or before.reached_at is None or not ref.startswith(earlier_prefixes):
            settled[ref] = tip.object_id
            continue
        earlier = before.waiting.get(ref)
        if before.settled.get(ref) == tip.object_id:
            settled[ref] = tip.object_id
        elif earlier is not None and earlier.object_id == tip.object_id:
            waiting[ref] = earlier
        else:
            waiting[ref] = Sighting(
                object_id=tip.object_id,
                commit=tip.commit,
                before=earlier.before if earlier else before.settled.get(ref),
                first_seen=now,
                asked_since=before.reached_at - LISTING_LAG,
                between=(*earlier.between, earlier.object_id)[-MOST_BETWEEN:] if earlier else (),
            )
    return Snapshot(prefixes=tuple(sorted(prefixes)), tried_at=now, reached_at=now, settled=settled, waiting=waiting)


def refs_to_match(snapshot: Snapshot) -> set[str]:
    """The refs of which it is to be asked whether a route wants them: new ones, and those that are read now."""
    new = {ref for ref, sighting in snapshot.waiting.items() if sighting.first_seen == snapshot.tried_at}
    return new.union(refs_to_read(snapshot))


def without(snapshot: Snapshot, unwanted: Collection[str]) -> Snapshot:
    """The snapshot in which these refs need nothing."""
    settled = {ref: snapshot.waiting[ref].object_id for ref in unwanted}
    waiting = {ref: sighting for ref, sighting in snapshot.waiting.items() if ref not in unwanted}
    return snapshot.model_copy(update={"settled": snapshot.settled | settled, "waiting": waiting})


def refs_to_read(snapshot: Snapshot) -> list[str]:
    """The refs of which the records are needed, the oldest first."""
    return sorted(snapshot.waiting, key=lambda ref: (snapshot.waiting[ref].first_seen, ref))[:MOST_READ]


def decide(snapshot: Snapshot, records: Mapping[str, RefRecord], grace: timedelta) -> Decision:
    """Say which changes were missed, by the records of the refs.

    Within `grace` after a change was seen its delivery may come. What was missed goes on waiting: only its record tells
    that it was asked for.
    """
    refs: list[str] = []
    missed: list[Missed] = []
    for ref, record in records.items():
        sighting = snapshot.waiting[ref]
        if record.has_asked((sighting.object_id, sighting.commit), sighting.asked_since):
            refs.append(ref)
        elif snapshot.tried_at - sighting.first_seen >= grace and len(missed) < MOST_MISSED:
            missed.append(Missed(ref, sighting))
    return Decision(without(snapshot, refs), tuple(missed))


def first_missed(decision: Decision) -> tuple[Missed, ...]:
    """The pushes of which the host was not asked yet to deliver them again."""
    return tuple(missed for missed in decision.missed if not missed.sighting.redelivered)


def as_redelivered(decision: Decision) -> Decision:
    """The decision in which these pushes wait for their deliveries once more, until the next look."""
    again = {missed.ref: missed.sighting.model_copy(update={"redelivered": True}) for missed in first_missed(decision)}
    snapshot = decision.snapshot.model_copy(update={"waiting": decision.snapshot.waiting | again})
    return Decision(snapshot, tuple(missed for missed in decision.missed if missed.ref not in again))


def unreached(before: Snapshot | None, now: datetime) -> Snapshot:
    """What is known after a look that the host did not answer."""
    if before is None:
        return Snapshot(tried_at=now, failing_since=now)
    return before.model_copy(update={"tried_at": now, "failing_since": before.failing_since or now})


def must_be_written(before: Snapshot | None, after: Snapshot) -> bool:
    """Whether a snapshot differs from the one that is stored in more than its times, or the stored one is old."""
    if before is None or after.tried_at - before.tried_at >= SNAPSHOT_LASTS:
        return True
    times = {"tried_at": before.tried_at, "reached_at": before.reached_at}
    return (after.reached_at is None) != (before.reached_at is None) or after.model_copy(update=times) != before


def is_too_old(snapshot: Snapshot, now: datetime) -> bool:
    """Whether nobody looked at the host for so long that reconcile must have been off."""
    return now - snapshot.tried_at > LONGEST_PAUSE
