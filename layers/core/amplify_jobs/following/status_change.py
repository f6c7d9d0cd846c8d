"""Amplify's own events about its jobs (EventBridge: "Amplify Deployment Status Change")."""

from __future__ import annotations

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.identifiers import AppId, BranchName, JobId


class StatusChange(GrowingModel):
    """The detail of the event. Source: Amplify Hosting user guide, "Monitoring an application"; captured events.

    `jobStatus` may be one that the API does not know (STARTED).
    """

    app_id: AppId
    branch_name: BranchName
    job_id: JobId
    job_status: str


class StatusChangeEvent(GrowingModel):
    """The event, with the Region of its job."""

    detail: StatusChange
    region: str

    def log_keys(self) -> dict[str, str | None]:
        """The keys of every log line about this event."""
        job = self.detail
        return {"app_id": job.app_id, "branch_name": job.branch_name, "job_id": job.job_id}
