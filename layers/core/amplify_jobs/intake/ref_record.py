"""What was asked for on one ref: so that a push is processed once, whether its delivery or reconcile comes first.

Deliveries and reconcile name a push differently: reconcile sees where a ref stands, and neither the host's id nor its
time of the push. What both know is the object that the ref points to, so that is what claims are compared by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

from pydantic import AwareDatetime

from amplify_jobs.events.event import Event
from amplify_jobs.events.times import host_time
from amplify_jobs.model.base import GrowingModel

# Older claims are forgotten; a ref rarely has so many within the days that a late delivery takes.
MOST_CLAIMS = 30
# A function that processes a delivery has ended by then, with its claim complete or in the intake queue.
PROCESSING_LASTS = timedelta(minutes=5)
# So much may a host's clock differ from ours, or its list of refs be behind.
CLOCKS_DIFFER = timedelta(minutes=2)
NO_OBJECT = "0" * 40


class Claim(GrowingModel):
    """An event that was processed, or is being processed (not `complete`).

    `tip` has what the ref points to since the event, and the commit behind it; `before` is what it pointed to. `time`
    is the host's own time of the event. `observed` marks an event of reconcile. Such a one stands for all changes from
    `before` to `tip`: `between` has the objects of those that are known. `requests` are the ids of its requests, by
    their routes.
    """

    identity: str
    tip: tuple[str, ...]
    before: str | None
    at: AwareDatetime
    time: AwareDatetime | None = None
    observed: bool = False
    complete: bool = False
    between: tuple[str, ...] = ()
    requests: Mapping[str, str] = {}


@dataclass(frozen=True)
class Entry:
    """Whether an event may ask for jobs: not for those of `requests`, which reconcile asked for, by their routes.

    `refusal` is why it asks for nothing at all. Of an event with `is_claimed` the record wants to know the end.
    """

    requests: Mapping[str, str] = field(default_factory=dict)
    refusal: str | None = None
    is_claimed: bool = False


class RefRecord(GrowingModel):
    """The claims on a ref, oldest first; `version` counts the writes."""

    claims: tuple[Claim, ...] = ()
    version: int = 0

    def has_asked(self, tip: tuple[str, ...], since: datetime) -> bool:
        """Whether an event that brought the ref to this object was processed, at that time or later."""
        return any(claim.complete and claim.at >= since and not set(claim.tip).isdisjoint(tip) for claim in self.claims)

    def enter(self, claim: Claim, asked_since: datetime) -> tuple[Entry, RefRecord]:
        """Let an event in, and give the record to write before its requests are made."""
        return self._enter_observed(claim, asked_since) if claim.observed else self._enter_delivery(claim)

    def with_requests(self, identity: str, requests: Mapping[str, str]) -> RefRecord:
        """The next version, in which an event has been processed."""
        update = {"complete": True, "requests": requests}
        return self._with(
            claim.model_copy(update=update) if claim.identity == identity else claim for claim in self.claims
        )

    def _enter_observed(self, claim: Claim, asked_since: datetime) -> tuple[Entry, RefRecord]:
        if any(other.identity == claim.identity for other in self.claims):
            # Its requests may not have been started: their ids make a repeat harmless.
            return Entry(), self
        if self.has_asked(claim.tip, asked_since):
            return Entry(refusal="a delivery has told of this commit meanwhile"), self
        if any(self._is_in_process(other, claim) for other in self.claims):
            return Entry(refusal="a delivery that tells of this commit is being processed"), self
        # Deliveries that have come meanwhile are some of the changes that it stands for.
        meanwhile = (tip for other in self.claims if other.at >= asked_since for tip in other.tip)
        between = dict.fromkeys(each for each in (*claim.between, *meanwhile) if each not in claim.tip)
        return Entry(), self._with((*self.claims, claim.model_copy(update={"between": tuple(between)})))

    def _enter_delivery(self, claim: Claim) -> tuple[Entry, RefRecord]:
        earlier = next((other for other in self.claims if other.identity == claim.identity), None)
        if earlier is not None and earlier.complete:
            # The ids of its requests tell that it is a repeat.
            return Entry(), self
        position = self._position_that_stands_for(claim)
        if position is not None:
            return Entry(self.claims[position].requests), self._with_between(position, claim)
        if earlier is not None:
            claims = (claim if other is earlier else other for other in self.claims)
            return Entry(is_claimed=True), self._with(claims)
        return Entry(is_claimed=True), self._with((*self.claims, claim))

    def _position_that_stands_for(self, claim: Claim) -> int | None:
        """The event of reconcile that has the outcome of a delivery's change.

        It is the last one that names a neighbour of the change, else the first one after the host's time of the change.
        """
        observed = [
            (position, other)
            for position, other in enumerate(self.claims)
            if other.observed and not self._is_newer(claim, position)
        ]
        neighbours = (position for position, other in reversed(observed) if _stands_for(other, claim))
        later = (position for position, other in observed if _is_before(claim, other))
        return next(chain(neighbours, later), None)

    def _is_newer(self, claim: Claim, position: int) -> bool:
        """Whether a delivery is known to tell of a change after the one that reconcile has seen, and not of one before.

        A delivery that came after reconcile's event may be of either.
        """
        observed = self.claims[position]
        tips = set(observed.tip)

        def follows(other: Claim) -> bool:
            return other.before in tips or other.observed or (other.time is not None and other.time > observed.at)

        for other in self.claims[position + 1 :]:
            if follows(other):
                tips.update(other.tip)
        return follows(claim)

    def _is_in_process(self, other: Claim, claim: Claim) -> bool:
        is_recent = other.at > claim.at - PROCESSING_LASTS
        return not other.complete and is_recent and not set(other.tip).isdisjoint(claim.tip)

    def _with_between(self, position: int, late: Claim) -> RefRecord:
        """The record that knows the neighbour of a late delivery, which may come late too."""
        claim = self.claims[position]
        objects = {*claim.tip, *claim.between, claim.before, NO_OBJECT, None}
        more = tuple(each for each in dict.fromkeys((late.before, *late.tip)) if each not in objects)
        if not more:
            return self
        changed = claim.model_copy(update={"between": (*claim.between, *more)[-MOST_CLAIMS:]})
        return self._with((*self.claims[:position], changed, *self.claims[position + 1 :]))

    def _with(self, claims: Iterable[Claim]) -> RefRecord:
        return RefRecord(claims=tuple(claims)[-MOST_CLAIMS:], version=self.version + 1)


def claim_of(event: Event, now: datetime, requests: Mapping[str, str]) -> Claim:
    """The claim of an event. One of reconcile is complete at once: its message comes again until it is processed."""
    observed = event.observation is not None
    tip = dict.fromkeys(each for each in (event.after or event.commit, event.commit) if each)
    return Claim(
        identity=event.digest[:32],
        tip=tuple(tip) or (NO_OBJECT,),
        before=event.before or NO_OBJECT,
        at=now,
        time=event.observation.first_seen if event.observation else host_time(event),
        observed=observed,
        complete=observed,
        between=event.observation.between if event.observation else (),
        requests=requests if observed else {},
    )


def _stands_for(observed: Claim, delivery: Claim) -> bool:
    """Whether a delivery tells of a change that reconcile has seen the outcome of."""
    reached = {*observed.tip, *observed.between}
    left = {observed.before, *observed.between}
    return not reached.isdisjoint(delivery.tip) or delivery.before in left


def _is_before(delivery: Claim, observed: Claim) -> bool:
    """Whether the host's clock tells that a change came before reconcile saw the ref."""
    times = delivery.time, observed.time
    return times[0] is not None and times[1] is not None and times[0] + CLOCKS_DIFFER <= times[1]
