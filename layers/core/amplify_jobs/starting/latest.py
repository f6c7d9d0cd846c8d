"""Starts a job as the latest of its branch and kind of event: stops older requests' jobs, gives way to a newer one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from amplify_jobs.errors import BranchBusy, RequestRejected, Superseded
from amplify_jobs.model.job import Job, JobRef
from amplify_jobs.starting.once import BranchStart, OnceStarter
from amplify_jobs.starting.protocols import LatestRequests, StopsOfHosting
from amplify_jobs.starting.superseding import StartedJob, SupersedingRequest, claim

# A write fails only if another one succeeded meanwhile.
_TURNS = 10
_CONTENDED = "Other requests keep superseding one another on this branch."


@dataclass(frozen=True)
class LatestStarter:
    """Starts jobs of requests that supersede older ones of the same branch and kind of event.

    `wake` completes the task of an execution that waits for a job, by its token.
    """

    once: OnceStarter
    hosting: StopsOfHosting
    jobs: LatestRequests
    wake: Callable[[str], object]
    now: Callable[[], datetime]

    def start(self, start: BranchStart, request: SupersedingRequest, kind: str) -> Job:
        """Stop the jobs of older requests and start this one's, unless there is a newer request.

        A job that was started although a newer request came meanwhile is stopped, and returned all the same: its
        execution follows it to its end. Safe to call again after any failure. Raises as Starter.start.
        """
        newer = self._claim(start, request, kind)
        try:
            job = self.once.start(start, _way_to(newer) if newer is not None else None)
        except Superseded:
            if newer is not None:
                self.jobs.mark_superseded(request.request_id, newer, self.now())
            raise
        self._record(start, request, kind, job)
        return job

    def _claim(self, start: BranchStart, request: SupersedingRequest, kind: str) -> str | None:
        """Make the request the latest and stop the jobs of older ones; or give the id of a newer request."""
        for _ in range(_TURNS):
            current = self.jobs.latest_of_kind(start.branch, kind)
            if current is not None and current.request.is_newer_than(request):
                return current.request.request_id
            latest = claim(request, current)
            if latest == current or self.jobs.write_latest(start.branch, kind, latest, self.now()):
                for job in latest.to_stop:
                    self._stop(start, job, request.request_id)
                if latest.to_stop:
                    # If this write fails, the next writer stops them once more, which does nothing.
                    self.jobs.write_latest(start.branch, kind, latest.with_all_stopped(), self.now())
                return None
        raise BranchBusy(_CONTENDED)

    def _record(self, start: BranchStart, request: SupersedingRequest, kind: str, job: Job) -> None:
        """Record the job with the latest request; or stop the job, if a newer request has come meanwhile."""
        for _ in range(_TURNS):
            latest = self.jobs.latest_of_kind(start.branch, kind)
            if latest is None or latest.job_id == job.job_id:
                return
            if latest.request != request:
                self._stop(start, StartedJob(request.request_id, job.job_id), latest.request.request_id)
                return
            if self.jobs.write_latest(start.branch, kind, latest.with_job(job.job_id), self.now()):
                return
        raise BranchBusy(_CONTENDED)

    def _stop(self, start: BranchStart, older: StartedJob, newer: str) -> None:
        ref = JobRef(start.branch, older.job_id)
        if self.jobs.has_ended(ref):
            return
        # Marked first: its execution may see the cancelled job as soon as it is stopped.
        self.jobs.mark_superseded(older.request_id, newer, self.now())
        job = Job(
            operation=start.operation,
            app_id=start.branch.app_id,
            branch_name=start.branch.name,
            job_id=older.job_id,
        )
        # Refused for a job that has ended; whatever the reason, the job's own execution finds its outcome.
        with suppress(RequestRejected):
            self.hosting.stop_job(job)
        # Amplify documents no event for CANCELLED: without this, the next poll would find it.
        if (token := self.jobs.record_status_change(ref, self.now())) is not None:
            self.wake(token)


def _way_to(newer: str) -> Superseded:
    return Superseded(f"Superseded by request {newer}, whose event is newer.")
