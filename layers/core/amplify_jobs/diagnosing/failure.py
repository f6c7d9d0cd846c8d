"""What is told about a failure, and what is known of a step beside its log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from amplify_jobs.model.base import GrowingModel

UNKNOWN = "unknown"
"""The cause where no rule fits."""


class Who(StrEnum):
    """Who can mend a failure: the commit's author, the app's operator, Amplify, or a service that the build uses."""

    AUTHOR = "author"
    OPERATOR = "operator"
    AMPLIFY = "amplify"
    UPSTREAM = "upstream"


class Failure(GrowingModel):
    """Why a step failed.

    `cause` is the id of a rule's cause, or "unknown". `phase` and `command` are where it failed. `excerpt` is at most
    1,500 characters of the log, without secrets. `log` says where a copy of the log is kept.
    """

    cause: str
    summary: str
    advice: str | None = None
    phase: str | None = None
    command: str | None = None
    excerpt: str | None = None
    who: Who | None = None
    retry_helps: bool = False
    log: str | None = None


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
