"""What is known of a step beside its log, and what a job's logs tell."""

from __future__ import annotations

from dataclasses import dataclass

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.failure import Failure


class Diagnosis(GrowingModel):
    """What a job's logs tell: its failure, if there is one, and the commit that was really built."""

    failure: Failure | None = None
    commit_built: str | None = None


@dataclass(frozen=True)
class StepLog:
    """A step of a job: its name in GetJob's answer, its log, and what GetJob tells of it.

    `status` is the step's, or the job's; without it the log alone decides whether the step failed. `log` says where a
    copy is kept.
    """

    name: str
    text: str | bytes
    status: str | None = None
    status_reason: str | None = None
    duration_seconds: float | None = None
    log: str | None = None
