"""The claims of events on refs that are reconciled: each change of a ref asks for its jobs once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from amplify_jobs.clock import utc_now
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.events.event import Event
from amplify_jobs.intake.ref_record import Entry, RefRecord, claim_of

# A write fails only if another one succeeded meanwhile.
_TURNS = 10


@dataclass(frozen=True)
class RefName:
    """A ref of a repository, whose name is the same in upper and lower case."""

    source: str
    repository: str
    ref: str

    @classmethod
    def of(cls, source: str, event: Event) -> RefName:
        return cls(source, (event.repository or "").casefold(), event.ref or "")


class RefRecords(Protocol):
    """The records of refs; aws.ref_records.StoredRefRecords. Raises ServiceTrouble."""

    def ref_record(self, name: RefName) -> RefRecord: ...

    def write_ref_record(self, name: RefName, record: RefRecord, now: datetime) -> bool:
        """Write it as the version after the one that was read; False if that version was written meanwhile."""


class Claims:
    """Claims the changes of refs for events. Both methods raise ServiceTrouble."""

    def __init__(self, records: RefRecords, now: Callable[[], datetime] = utc_now) -> None:
        self._records = records
        self._now = now

    def enter(self, source: str, event: Event, requests: Mapping[str, str]) -> Entry:
        """Let an event in; `requests` are the ids of those that it would make, by their routes."""
        now = self._now()
        claim = claim_of(event, now, requests)
        asked_since = event.observation.asked_since if event.observation else now
        entries: list[Entry] = []

        def change(record: RefRecord) -> RefRecord:
            entry, changed = record.enter(claim, asked_since)
            entries.append(entry)
            return changed

        self._change(RefName.of(source, event), change)
        return entries[-1]

    def complete(self, source: str, event: Event, requests: Mapping[str, str]) -> None:
        """Write down that the event's requests were made."""
        identity = claim_of(event, self._now(), {}).identity
        self._change(RefName.of(source, event), lambda record: record.with_requests(identity, requests))

    def _change(self, name: RefName, change: Callable[[RefRecord], RefRecord]) -> None:
        for _ in range(_TURNS):
            record = self._records.ref_record(name)
            changed = change(record)
            if changed is record or self._records.write_ref_record(name, changed, self._now()):
                return
        raise ServiceTrouble(f"other events keep changing what is known of {name.ref} of {name.repository}")
