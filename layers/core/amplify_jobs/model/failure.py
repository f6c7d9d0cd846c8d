"""What is told about a failure of a job."""

from __future__ import annotations

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
