"""GitLab (https://docs.gitlab.com/api/commits/#set-commit-pipeline-status)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from amplify_jobs.reporting.call import Accepted, Answer, Call, Refused, Retry, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials, token_of
from amplify_jobs.reporting.hosts import Status
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

API = "https://gitlab.com/api/v4"
DESCRIPTION_LIMIT = 255
_LINK_LIMIT = 255
# Another update of the same commit holds a lock for so long.
_LOCK_SECONDS = 10.0
_STATES = {
    ReportState.PENDING: "pending",
    ReportState.SUCCEEDED: "success",
    ReportState.FAILED: "failed",
    ReportState.ERROR: "failed",
    ReportState.CANCELLED: "canceled",
}


def status_call(target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None) -> Call:
    """Set a status. Without ref and pipeline GitLab takes any branch that has the commit: both are given if known."""
    content: dict[str, Any] = {
        "state": _STATES[status.state],
        "name": status.context,
        "description": status.description,
    }
    if status.link is not None and len(status.link) <= _LINK_LIMIT:
        content["target_url"] = status.link
    if status.branch is not None:
        content["ref"] = status.branch
    if remote is not None:
        content["pipeline_id"] = int(remote)
    project = quote(status.repository, safe="")
    address = f"{target.api or API}/projects/{project}/statuses/{status.commit}"
    return json_call("POST", address, content, {"PRIVATE-TOKEN": token_of(target, credentials)})


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    """400 says that the status has this state already, 409 that another update of the commit holds a lock."""
    text = str(answer.member("message") or answer.member("error") or "")
    if answer.status == 400 and "Cannot transition status" in text:
        return Accepted(remote)
    if answer.status == 409:
        return Retry("HTTP 409", _LOCK_SECONDS)
    if answer.status in {400, 403, 404, 422}:
        # Of this commit or its pipeline; other commits may be fine.
        return Refused(f"HTTP {answer.status}: {text[:200]}")
    pipeline = answer.member("pipeline_id")
    return judge_by_status(answer, now, str(pipeline) if isinstance(pipeline, int) else remote)
