"""Following jobs that somebody else started: Amplify's own triggers, people in the console, the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from aws_lambda_powertools import Logger

from amplify_jobs.errors import NotSetUpError
from amplify_jobs.events.event import digest
from amplify_jobs.following.record import Owner
from amplify_jobs.following.status_change import StatusChangeEvent
from amplify_jobs.model.job import JobRef
from amplify_jobs.model.operations import FOLLOW_JOB
from amplify_jobs.model.request import FOLLOWED, LONGEST_MINUTES, Cause, JobRequest
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.routing.follow import follow_refusals

SOURCE = "amplify"
"""The source of the cause of a followed job: Amplify's events tell of it."""
# An event of a job's end may be sent after the poll that saw the end, but not by so much.
END_EVENT_DELAY = timedelta(minutes=10)

logger = Logger(child=True)


class Jobs(Protocol):
    """The jobs table, as aws.jobs_table provides it."""

    def owner(self, job: JobRef) -> Owner | None: ...


class Executions(Protocol):
    """Starts the execution of a request; aws.executions.Executions."""

    def start(self, request: JobRequest) -> bool: ...


@dataclass(frozen=True)
class Follower:
    """Starts executions that follow jobs of others.

    `follows_without_routes` decides before the first push of routes; `now` is the clock.
    """

    jobs: Jobs
    routes: CurrentRoutes
    executions: Executions
    follows_without_routes: bool
    now: Callable[[], datetime]

    def follow(self, event: StatusChangeEvent) -> bool:
        """Start to follow a job that nobody has, if it is wanted; say whether that was new. Safe to call again.

        A request of ours whose start is under way may have the job: the execution finds out. Raises ServiceTrouble.
        """
        owner = self.jobs.owner(event.job)
        if not is_new_job(event, owner):
            return False
        if reasons := self._refusals(event):
            logger.info("Not followed", extra={"reason": "; ".join(reasons)})
            return False
        return self.executions.start(follow_request(event, owner, self.now()))

    def _refusals(self, event: StatusChangeEvent) -> list[str]:
        try:
            follow = self.routes.current().follow
        except NotSetUpError:
            if self.follows_without_routes:
                return []
            return ["no routes were pushed, and the parameter FollowWithoutRoutes is false"]
        return follow_refusals(follow, event.detail.app_id, event.detail.branch_name)


def is_new_job(event: StatusChangeEvent, owner: Owner | None) -> bool:
    """Whether an event tells of a job that no request has.

    A branch that is deleted and made again counts its jobs anew: an event that came after the end of the job that had
    the id before tells of another one.
    """
    if owner is None:
        return True
    delay = END_EVENT_DELAY if event.tells_end else timedelta(0)
    return owner.ended_at is not None and event.time > owner.ended_at + delay


def follow_request(event: StatusChangeEvent, owner: Owner | None, now: datetime) -> JobRequest:
    """Make the request that follows a job: the same request id for all events of the job."""
    change = event.detail
    predecessor = owner.request_id if owner else None
    job_id = str(int(change.job_id))
    identity = (FOLLOW_JOB, event.region, change.app_id, change.branch_name, job_id, predecessor)
    parameters = {"appId": change.app_id, "branchName": change.branch_name, "jobId": job_id}
    if predecessor is not None:
        parameters["predecessor"] = predecessor
    return JobRequest(
        request_id=f"follow-{digest(identity)[:32]}",
        operation=FOLLOW_JOB,
        parameters=parameters,
        # Only Amplify's queue holds a job up that has started already.
        start_within_minutes=LONGEST_MINUTES,
        event_time=min(event.time, now),
        cause=Cause(source=SOURCE, kind=FOLLOWED, branch=change.branch_name),
        received_at=now,
    )
