"""What is reported: an announcement, with what all kinds of targets need to say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from amplify_jobs.announcing.announcement import (
    DETAILS,
    Announcement,
    DetailType,
    JobFinished,
    JobRejected,
    JobStarted,
    Outcome,
)
from amplify_jobs.announcing.text import is_other_commit
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.operations import REMOVE_PREVIEW
from amplify_jobs.model.request import Cause

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class ReportState(StrEnum):
    """The state that a report tells, in the words that most targets have."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ERROR = "error"
    CANCELLED = "cancelled"


_STATES = {
    Outcome.SUCCEEDED: ReportState.SUCCEEDED,
    Outcome.FAILED: ReportState.FAILED,
    Outcome.CANCELLED: ReportState.CANCELLED,
    Outcome.TIMED_OUT: ReportState.ERROR,
    Outcome.UNKNOWN: ReportState.ERROR,
}


@dataclass(frozen=True, order=True)
class Version:
    """Which of two reports about one subject is newer: that of the newer request, then the later one of a request."""

    requested_at: datetime
    request_id: str
    sequence: int


@dataclass(frozen=True)
class Report:
    """An announcement to be delivered."""

    detail_type: DetailType
    detail: Announcement

    @classmethod
    def from_event(cls, detail_type: str, detail: Mapping[str, Any]) -> Report:
        """Read an event of the stack's bus. Raises ValueError for any other, pydantic's ValidationError among them."""
        kind = DetailType(detail_type)
        return cls(kind, DETAILS[kind].model_validate(detail))

    @property
    def request_id(self) -> str:
        return self.detail.request_id

    @property
    def version(self) -> Version:
        """UNKNOWN may be followed by an outcome, when its execution is redriven; nothing follows an outcome."""
        match self.detail:
            case JobStarted():
                sequence = 1
            case JobFinished(outcome=Outcome.UNKNOWN):
                sequence = 2
            case _:
                sequence = 3
        return Version(self.detail.requested_at or _LONG_AGO, self.request_id, sequence)

    @property
    def state(self) -> ReportState:
        match self.detail:
            case JobFinished(outcome=outcome):
                return _STATES[outcome]
            case JobRejected(outcome="CANCELLED"):
                return ReportState.CANCELLED
            case JobRejected():
                return ReportState.ERROR
            case _:
                return ReportState.PENDING

    @property
    def outcome(self) -> str | None:
        """The outcome in the words of announcements; None while the job runs."""
        return str(self.detail.outcome) if isinstance(self.detail, JobFinished | JobRejected) else None

    @property
    def phase(self) -> str:
        """The phase in the words of routes.yaml."""
        return {
            DetailType.JOB_STARTED: "started",
            DetailType.JOB_FINISHED: "finished",
            DetailType.JOB_REJECTED: "rejected",
        }[self.detail_type]

    @property
    def cause(self) -> Cause:
        return self.detail.cause or Cause(source="unknown", kind="unknown")

    @property
    def app_id(self) -> str | None:
        return self._of_job("app_id")

    @property
    def app_name(self) -> str:
        return self._of_job("app_name") or self.app_id or self.detail.route or self.request_id

    @property
    def branch(self) -> str | None:
        """The branch of Amplify's, or the backend environment."""
        return self._of_job("branch_name") or self._of_job("environment_name")

    @property
    def job_id(self) -> str | None:
        return None if isinstance(self.detail, JobRejected) else self._of_job("job_id")

    @property
    def duration_seconds(self) -> int | None:
        return self.detail.duration_seconds if isinstance(self.detail, JobFinished) else None

    @property
    def reason(self) -> str | None:
        return self.detail.reason if isinstance(self.detail, JobFinished | JobRejected) else None

    @property
    def failure(self) -> Failure | None:
        return self.detail.failure if isinstance(self.detail, JobFinished) else None

    @property
    def commit_built(self) -> str | None:
        """The commit that was built, where it is not the one that was asked for."""
        detail = self.detail
        return detail.commit_built if isinstance(detail, JobFinished) and is_other_commit(detail) else None

    @property
    def site(self) -> str | None:
        return self.detail.links.site if isinstance(self.detail, JobFinished | JobStarted) else None

    @property
    def console(self) -> str | None:
        return self.detail.links.console if isinstance(self.detail, JobFinished | JobStarted) else None

    @property
    def link(self) -> str | None:
        """Where the report leads: to the site that was built, else to the job."""
        return (self.site if self.state is ReportState.SUCCEEDED else None) or self.console or self.site

    @property
    def is_of_removal(self) -> bool:
        """Whether a preview could not be taken away: that says nothing of a commit."""
        return isinstance(self.detail, JobRejected) and self.detail.operation == REMOVE_PREVIEW

    def log_keys(self) -> dict[str, str | None]:
        """The keys of every log line about this report, as in the lines about its request."""
        return {
            "request_id": self.request_id,
            "delivery_id": self.cause.delivery_id,
            "app_id": self.app_id,
            "branch_name": self._of_job("branch_name"),
        }

    def _of_job(self, name: str) -> str | None:
        value = getattr(getattr(self.detail, "job", self.detail), name, None)
        return value if isinstance(value, str) else None
