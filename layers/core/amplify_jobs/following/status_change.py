"""Amplify's own events about its jobs (EventBridge: "Amplify Deployment Status Change")."""

from __future__ import annotations

from pydantic import AwareDatetime

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.identifiers import AppId, BranchName, JobId
from amplify_jobs.model.job import BranchRef, JobRef, hosting_state

STATUS_CHANGE = "Amplify Deployment Status Change"
"""The detail-type of the event."""


class StatusChange(GrowingModel):
    """The detail of the event. Source: Amplify Hosting user guide, "Monitoring an application"; captured events.

    `jobStatus` may be one that the API does not know (STARTED).
    """

    app_id: AppId
    branch_name: BranchName
    job_id: JobId
    job_status: str


class StatusChangeEvent(GrowingModel):
    """The event, with the Region of its job and the time at which Amplify sent it."""

    detail: StatusChange
    region: str
    time: AwareDatetime

    @property
    def job(self) -> JobRef:
        """The job that the event tells of."""
        return JobRef(BranchRef(self.region, self.detail.app_id, self.detail.branch_name), self.detail.job_id)

    @property
    def tells_end(self) -> bool:
        """Whether the job has ended."""
        return hosting_state(self.detail.job_status).is_outcome

    def log_keys(self) -> dict[str, str | None]:
        """The keys of every log line about this event."""
        job = self.detail
        return {"app_id": job.app_id, "branch_name": job.branch_name, "job_id": job.job_id}
