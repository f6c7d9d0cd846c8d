"""Amplify's own events about its jobs (EventBridge: "Amplify Deployment Status Change")."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.identifiers import AppId, BranchName, JobId
from amplify_jobs.model.validation import faults


class NotUnderstoodError(AmplifyJobsError):
    """An event that is not of the form it should have."""


class StatusChange(GrowingModel):
    """The detail of the event. Source: Amplify Hosting user guide, "Monitoring an application"; captured events.

    `jobStatus` may be one that the API does not know (STARTED).
    """

    app_id: AppId
    branch_name: BranchName
    job_id: JobId
    job_status: str


def status_change(event: dict[str, Any]) -> StatusChange:
    """Read the event. Raises NotUnderstoodError naming every fault, so that the event ends in the dead-letter queue."""
    try:
        return StatusChange.model_validate(event.get("detail"))
    except ValidationError as error:
        raise NotUnderstoodError("; ".join(faults(error, "detail"))) from None
