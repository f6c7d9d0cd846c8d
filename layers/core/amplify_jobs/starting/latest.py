"""Starts a job as the latest of its app, branch and kind of event: older ones are stopped, a newer one prevails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from amplify_jobs.errors import BranchBusy, RequestRejected, Superseded
from amplify_jobs.model.job import BranchRef, Job, JobRef
from amplify_jobs.starting.superseding import (
    Latest,
    StartedJob,
    SupersedingRequest,
    taken_by,
    with_all_stopped,
    with_job,
)

# A write fails only if another one succeeded meanwhile.
_TURNS = 10


class Stops(Protocol):
    """What is asked of Amplify; amplify.Amplify does it."""

    def stop_job(self, job: Job) -> None: ...


class Places(Protocol):
    """What is asked of the jobs table; aws.jobs_table does it."""

    def latest_of_kind(self, branch: BranchRef, kind: str) -> Latest | None: ...

    def write_latest(self, branch: BranchRef, kind: str, latest: Latest, now: datetime) -> bool: ...

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None: ...

    def has_ended(self, job: JobRef) -> bool: ...

    def record_status_change(self, job: JobRef, now: datetime) -> str | None: ...


@dataclass(frozen=True)
class SupersedeScope:
    """What requests supersede one another for: a kind of event on a branch of an app."""

    region: str
    operation: str
    app_id: str
    branch_name: str
    kind: str

    @property
    def branch(self) -> BranchRef:
        return BranchRef(self.region, self.app_id, self.branch_name)


def start_latest(
    asked: SupersedingRequest,
    place: SupersedeScope,
    start: Callable[[str | None], Job],
    *,
    amplify: Stops,
    store: Places,
    wake: Callable[[str], object],
    now: Callable[[], datetime],
) -> Job:
    """Stop the jobs of older requests and start this one's, unless a newer request is there.

    `start` starts the job once, or, given the id of a newer request, only finds out whether it was started before
    (start_once.start_once). A job that was started although a newer request came meanwhile is stopped, and given all
    the same: it is followed to its end. `wake` completes the task of an execution that waits for a job. Safe to call
    again after any failure. Raises Superseded, and what `start`, `amplify` and `store` raise.
    """

    def stop(older: StartedJob, newer: str) -> None:
        ref = JobRef(place.branch, older.job_id)
        if store.has_ended(ref):
            return
        # Marked first: its execution may see the cancelled job as soon as it is stopped.
        store.mark_superseded(older.request_id, newer, now())
        job = Job(operation=place.operation, app_id=place.app_id, branch_name=place.branch_name, job_id=older.job_id)
        # Refused for a job that has ended; whatever the reason, its own execution tells what becomes of it.
        with suppress(RequestRejected):
            amplify.stop_job(job)
        # Amplify documents no event for CANCELLED: without this, the next poll would find it.
        if (token := store.record_status_change(ref, now())) is not None:
            wake(token)

    def claim() -> str | None:
        for _ in range(_TURNS):
            found = store.latest_of_kind(place.branch, place.kind)
            if found is not None and found.asked.is_newer_than(asked):
                return found.asked.request_id
            ours = taken_by(asked, found)
            if ours == found or store.write_latest(place.branch, place.kind, ours, now()):
                for older in ours.to_stop:
                    stop(older, asked.request_id)
                if ours.to_stop:
                    # Where this fails, whoever writes next stops them once more, which does nothing.
                    store.write_latest(place.branch, place.kind, with_all_stopped(ours), now())
                return None
        raise BranchBusy("Other requests keep superseding one another on this branch.")

    def settle(job: Job) -> None:
        for _ in range(_TURNS):
            found = store.latest_of_kind(place.branch, place.kind)
            if found is None or found.job_id == job.job_id:
                return
            if found.asked != asked:
                stop(StartedJob(asked.request_id, job.job_id), found.asked.request_id)
                return
            if store.write_latest(place.branch, place.kind, with_job(found, job.job_id), now()):
                return
        raise BranchBusy("Other requests keep superseding one another on this branch.")

    newer = claim()
    try:
        job = start(newer)
    except Superseded:
        if newer is not None:
            store.mark_superseded(asked.request_id, newer, now())
        raise
    settle(job)
    return job
