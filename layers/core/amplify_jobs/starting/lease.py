"""The next step of a start whose call has no token, decided from the branch's lease and its list of jobs.

Amplify's StartJob has no idempotency token. So a lease of the branch (an attempt) is written before the call. If the
answer is lost, ListJobs is searched for the job until RESOLVED_AFTER. Only then is the start sent again.

Two cases look like another: a job that ListJobs first shows later than RESOLVED_AFTER, and a job that somebody else
starts on the branch with the same type and commit message (any message, where none was sent) during the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from amplify_jobs.model.job import Job
from amplify_jobs.model.s3_uri import bucket_and_key

# Longer than a function lives after it wrote the lease, and than Amplify takes to show a job it accepted.
RESOLVED_AFTER = timedelta(minutes=1)
# CreateDeployment has made the job, and StartDeployment has not started it.
_NOT_STARTED = (None, "CREATED")


@dataclass(frozen=True)
class Progress:
    """How far a start has come: its job, if it has one, and why it is to have none any more, if a person said so."""

    job: Job | None = None
    stop: str | None = None


@dataclass(frozen=True)
class ListedJob:
    """A job as ListJobs shows it (API: JobSummary)."""

    job_id: str
    job_type: str | None
    commit_message: str | None
    status: str | None = None
    source_url: str | None = None


@dataclass(frozen=True)
class Attempt:
    """A start that is about to be sent. It holds the lease of its branch until its outcome is known.

    `source_url` is what a deployment is made of, without what signs it; `deployment_id` is the job that
    CreateDeployment has made already, and that only has to be started.
    """

    request_id: str
    sent_at: datetime
    highest_job_id: int
    job_type: str
    commit_message: str | None
    source_url: str | None = None
    deployment_id: str | None = None


@dataclass(frozen=True)
class ModelsAttempt:
    """A start of a job that generates models, about to be sent, with the jobs that the environment had before."""

    sent_at: datetime
    jobs_before: tuple[str, ...]


@dataclass(frozen=True)
class Lease:
    """The lease of a branch: the attempt that holds it, if one does, and the highest job id that a start became.

    `highest_at` is when that start was sent; leases of older versions do not have it.
    """

    attempt: Attempt | None = None
    highest_job_id: int = 0
    highest_at: datetime | None = None

    def unlisted_job_id(self, now: datetime) -> int:
        """The highest job id that ListJobs need not show yet; 0 if it shows all.

        A branch that was deleted and made again counts its jobs from 1: a higher id that is kept for longer would hide
        them.
        """
        is_listed = self.highest_at is not None and now - self.highest_at >= RESOLVED_AFTER
        return 0 if is_listed else self.highest_job_id


@dataclass(frozen=True)
class Send:
    """No start is under way, or this start's own attempt came to nothing: acquire the lease and send."""

    highest_job_id: int


@dataclass(frozen=True)
class Adopt:
    """The attempt's job is in the list: its start worked."""

    attempt: Attempt
    job: ListedJob


@dataclass(frozen=True)
class Release:
    """The attempt came to nothing, and nothing is to be sent for it: release the lease."""

    attempt: Attempt


@dataclass(frozen=True)
class Wait:
    """It is too early to know the outcome of the attempt."""

    attempt: Attempt


Step = Send | Adopt | Release | Wait


def next_step(
    request_id: str, lease: Lease, listed: Sequence[ListedJob], listed_at: datetime, *, may_send: bool = True
) -> Step:
    """Decide what a start has to do next, given the branch's lease and the jobs that ListJobs showed at `listed_at`.

    Without `may_send` an attempt that came to nothing is not sent again.
    """
    attempt = lease.attempt
    # ListJobs may not show yet a job that another request has just started: this start must not adopt it later.
    highest = max([lease.unlisted_job_id(listed_at), *(int(job.job_id) for job in listed)])
    if attempt is None:
        return Send(highest)
    if (job := find_started_job(attempt, listed)) is not None:
        return Adopt(attempt, job)
    if listed_at - attempt.sent_at < RESOLVED_AFTER:
        return Wait(attempt)
    return Send(highest) if attempt.request_id == request_id and may_send else Release(attempt)


def find_started_job(attempt: Attempt, listed: Sequence[ListedJob]) -> ListedJob | None:
    """Find the job that an attempt started: the first newer one of the same type, commit message and source."""
    if attempt.deployment_id is not None:
        deployments = (job for job in listed if job.job_id == attempt.deployment_id)
        return next((job for job in deployments if job.status not in _NOT_STARTED), None)
    candidates = [
        job
        for job in listed
        if int(job.job_id) > attempt.highest_job_id
        and job.job_type in (attempt.job_type, None)
        and _same_message(attempt, job)
        and _same_source(attempt, job)
    ]
    return min(candidates, key=lambda job: int(job.job_id), default=None)


def _same_source(attempt: Attempt, job: ListedJob) -> bool:
    # ListJobs need not show it. Only the key of an object in S3 is sure to be in the address that was signed for it.
    if attempt.source_url is None or job.source_url is None:
        return True
    path = unquote(urlsplit(job.source_url).path)
    if attempt.source_url.startswith("s3://") and not job.source_url.startswith("s3://"):
        return path.endswith("/" + bucket_and_key(attempt.source_url)[1])
    return path == unquote(urlsplit(attempt.source_url).path)


def _same_message(attempt: Attempt, job: ListedJob) -> bool:
    # A retried job may show the message of the job that it retries, and one sent without a message that of its commit.
    if attempt.job_type == "RETRY" or not attempt.commit_message:
        return True
    return attempt.commit_message.strip() == (job.commit_message or "").strip()
