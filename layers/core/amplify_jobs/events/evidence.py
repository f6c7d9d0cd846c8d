"""Evidence: what makes an event new, beside its content. Each host's module lists it, kind by kind.

An event whose content and evidence equal an earlier one's is that event again: a retry, or the same delivery sent anew.
Evidence is the host's own time where the body has one, since most hosts do not sign the delivery's id. Where it has
none, it is the id that stays the same over the retries of one delivery. docs/git-hosts.md shows all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from amplify_jobs.events.deliveries import Delivery, Headers, first_id
from amplify_jobs.events.event import Event, EventKind, PullRequestAction
from amplify_jobs.events.payload import LONGEST_NAME, Payload


@dataclass(frozen=True)
class Member:
    """A member of the body, by its path; one with `words` counts only where message.text has them."""

    path: str
    words: str | None = None


@dataclass(frozen=True)
class Time(Member):
    """A member that is the host's own time of the event."""


@dataclass(frozen=True)
class Header:
    """The id of a delivery: the first of these headers that it has."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """What tells an event of these kinds from others of the same content.

    The first of `choices` of which the delivery has anything counts, with all that it has of it. Where it has nothing
    of any and `else_delivery` is set, each delivery is an event of its own. `actions` are those of a pull request, and
    `comments` says that it is evidence of comments alone.
    """

    kinds: tuple[EventKind, ...]
    choices: tuple[tuple[Member | Header, ...], ...]
    actions: tuple[PullRequestAction, ...] = ()
    else_delivery: bool = False
    comments: bool = False

    def is_of(self, event: Event) -> bool:
        """Whether it is evidence for such an event."""
        pull = event.pull_request
        action = pull.identity_action if pull else None
        is_comment = pull is not None and pull.approval is not None and pull.approval.comment is not None
        return (
            event.kind in self.kinds
            and (not self.actions or action in self.actions)
            and (not self.comments or is_comment)
        )


REFS = (EventKind.PUSH, EventKind.TAG)
REFS_AND_NOTICES = (*REFS, EventKind.REF_CREATE, EventKind.REF_DELETE)
PULL_REQUEST = (EventKind.PULL_REQUEST,)
RELEASE = (EventKind.RELEASE,)

# Of every host. A pull request is merged once; what changes neither its code nor its state asks for nothing new, unless
# it is an approval.
EVERYWHERE = Evidence(PULL_REQUEST, (), (PullRequestAction.MERGED, PullRequestAction.OTHER))


@dataclass(frozen=True)
class Origin:
    """Where events were read from: a delivery's headers and payload, and the evidence that its host gives.

    Of the evidence the first that is of an event counts, unless EVERYWHERE says that it needs none.
    """

    evidence: Sequence[Evidence]
    headers: Headers
    payload: Payload

    def add_evidence(self, event: Event) -> Event:
        """The event with its evidence, and with the first time in its host's as the time at which it happened.

        The evidence is None where the delivery itself is to be it: `add_delivery_evidence` fills that in.
        """
        evidence = next((evidence for evidence in self.evidence if evidence.is_of(event)), None)
        if evidence is None:
            return event
        values = next(filter(None, (dict(self._values(choice)) for choice in evidence.choices)), {})
        times = [value for source, value in values.items() if isinstance(source, Time)]
        own = None if evidence.else_delivery and not values else tuple(values.values())
        is_approval = event.pull_request is not None and event.pull_request.is_approval
        is_known = EVERYWHERE.is_of(event) and not is_approval
        update = {"evidence": () if is_known else own, "event_time": next(iter(times), None)}
        return event.model_copy(update=update)

    def _values(self, choice: Sequence[Member | Header]) -> Iterator[tuple[Member | Header, str]]:
        for source in choice:
            value = first_id(self.headers, source.names) if isinstance(source, Header) else self._member(source)
            if value:
                yield source, value

    def _member(self, source: Member) -> str | None:
        if source.words and source.words not in (self.payload.text("message", "text") or ""):
            return None
        member = self.payload.at(*source.path.split("."))
        text = str(member.value) if isinstance(member.value, int) else member.text()
        return text and text[:LONGEST_NAME]


def add_delivery_evidence(delivery: Delivery, identity: str) -> Delivery:
    """The delivery, with its own identity as the evidence of events that have no other."""
    events = (
        event.model_copy(update={"evidence": (identity,)}) if event.evidence is None else event
        for event in delivery.events
    )
    return replace(delivery, events=tuple(events))
