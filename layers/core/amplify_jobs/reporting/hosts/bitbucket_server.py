"""Bitbucket Data Center (https://developer.atlassian.com/server/bitbucket/rest: builds of a commit)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from amplify_jobs.reporting.call import Answer, Call, Refused, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials
from amplify_jobs.reporting.hosts import Status, bearer_or_basic
from amplify_jobs.reporting.hosts.bitbucket import STATES
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

DESCRIPTION_LIMIT = 255


def status_call(target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None) -> Call:
    """Set a build status: the same key replaces it. `api` is the address of the server."""
    project, _, slug = status.repository.rpartition("/")
    place = f"{target.api}/rest/api/latest/projects/{quote(project, safe='')}/repos/{quote(slug, safe='')}"
    content: dict[str, Any] = {
        "key": status.context,
        "state": "CANCELLED" if status.state is ReportState.CANCELLED else STATES[status.state],
        "name": status.context,
        "description": status.description,
        "url": status.link or f"{target.api}/projects/{quote(project)}/repos/{quote(slug)}/commits/{status.commit}",
    }
    if status.branch is not None:
        content["ref"] = f"refs/heads/{status.branch}"
    headers = bearer_or_basic(target, credentials)
    return json_call("POST", f"{place}/commits/{status.commit}/builds", content, headers)


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    """404 is of the commit or of one repository."""
    if answer.status in {400, 404}:
        return Refused(f"HTTP {answer.status}")
    return judge_by_status(answer, now)
