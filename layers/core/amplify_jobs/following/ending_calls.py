"""Calls of Amplify's API that end jobs, as CloudTrail records them (EventBridge: "AWS API Call via CloudTrail").

Amplify documents no event of its own for a job that somebody cancels or deletes. An account that has a trail with
management events gets these. Source: EventBridge user guide, "AWS service events delivered via AWS CloudTrail".
"""

from __future__ import annotations

from urllib.parse import unquote

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.identifiers import AppId, BranchName, JobId

DETAIL_TYPE = "AWS API Call via CloudTrail"
ENDING_CALLS = ("StopJob", "DeleteJob", "DeleteBranch", "DeleteApp")


class EndingCall(GrowingModel):
    """The parameters of a call: it ended one job, all jobs of a branch, or all jobs of an app."""

    app_id: AppId
    branch_name: BranchName | None = None
    job_id: JobId | None = None

    @property
    def branch_names(self) -> tuple[str, ...]:
        """The names that the branch may have: CloudTrail records parameters of the path as they were sent."""
        if self.branch_name is None:
            return ()
        return tuple(dict.fromkeys((self.branch_name, unquote(self.branch_name))))


class EndingCallDetail(GrowingModel):
    """CloudTrail's record of a call."""

    request_parameters: EndingCall


class EndingCallEvent(GrowingModel):
    """The event, with the Region of the call."""

    detail: EndingCallDetail
    region: str

    @property
    def call(self) -> EndingCall:
        return self.detail.request_parameters

    def log_keys(self) -> dict[str, str | None]:
        """The keys of every log line about this event."""
        return {"app_id": self.call.app_id, "branch_name": self.call.branch_name, "job_id": self.call.job_id}
