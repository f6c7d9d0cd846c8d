"""Calls of Amplify's API that end jobs, as CloudTrail tells of them (EventBridge: "AWS API Call via CloudTrail").

Amplify documents no event of its own for a job that somebody cancels or deletes. An account that has a trail with
management events gets these. Source: EventBridge user guide, "AWS service events delivered via AWS CloudTrail".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pydantic import ValidationError

from amplify_jobs.following.status_change import NotUnderstoodError
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.identifiers import AppId, BranchName, JobId
from amplify_jobs.model.validation import faults

DETAIL_TYPE = "AWS API Call via CloudTrail"
ENDING_CALLS = ("StopJob", "DeleteJob", "DeleteBranch", "DeleteApp")


class _Parameters(GrowingModel):
    app_id: AppId
    branch_name: BranchName | None = None
    job_id: JobId | None = None


class _Detail(GrowingModel):
    request_parameters: _Parameters


@dataclass(frozen=True)
class EndingCall:
    """Which jobs a call has ended: one, all of a branch, or all of an app.

    `branch_names` has what the branch may be called: CloudTrail records parameters of the path as they were sent.
    """

    app_id: str
    branch_names: tuple[str, ...] = ()
    job_id: str | None = None


def ending_call(event: dict[str, Any]) -> EndingCall:
    """Read the event. Raises NotUnderstoodError naming every fault, so that the event ends in the dead-letter queue."""
    try:
        given = _Detail.model_validate(event.get("detail")).request_parameters
    except ValidationError as error:
        raise NotUnderstoodError("; ".join(faults(error, "detail"))) from None
    names = () if given.branch_name is None else (given.branch_name, unquote(given.branch_name))
    return EndingCall(given.app_id, tuple(dict.fromkeys(names)), given.job_id)
