"""Bitbucket Cloud (https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from amplify_jobs.reporting.call import Answer, Call, Refused, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials
from amplify_jobs.reporting.hosts import Status, bearer_or_basic
from amplify_jobs.reporting.hosts.names import distinct_name
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

API = "https://api.bitbucket.org/2.0"
DESCRIPTION_LIMIT = 255
KEY_LIMIT = 40
STATES = {
    ReportState.PENDING: "INPROGRESS",
    ReportState.SUCCEEDED: "SUCCESSFUL",
    ReportState.FAILED: "FAILED",
    ReportState.ERROR: "FAILED",
    ReportState.CANCELLED: "STOPPED",
}


def status_call(target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None) -> Call:
    """Set a build status: the same key replaces it. An address is required; the commit's serves without another."""
    repository = quote(status.repository, safe="/")
    content: dict[str, Any] = {
        "key": distinct_name(status.context, KEY_LIMIT),
        "state": STATES[status.state],
        "name": status.context,
        "description": status.description,
        "url": status.link or f"https://bitbucket.org/{repository}/commits/{status.commit}",
    }
    if status.branch is not None:
        content["refname"] = status.branch
    address = f"{target.api or API}/repositories/{repository}/commit/{status.commit}/statuses/build"
    return json_call("POST", address, content, bearer_or_basic(target, credentials))


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    """404 is of the commit or of one repository."""
    if answer.status in {400, 404}:
        return Refused(f"HTTP {answer.status}: {str(answer.member('error', 'message') or '')[:200]}")
    return judge_by_status(answer, now)
