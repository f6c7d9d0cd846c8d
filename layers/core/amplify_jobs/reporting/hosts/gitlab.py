"""GitLab (https://docs.gitlab.com/api: commits, notes)."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import quote, urlencode

from amplify_jobs.reporting.call import (
    Accepted,
    Answer,
    Call,
    Continued,
    Refused,
    Retry,
    Verdict,
    json_call,
    judge_by_status,
)
from amplify_jobs.reporting.destination import Credentials, token_of
from amplify_jobs.reporting.hosts import Comment, DeploymentStatus, Repository, Status
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

API = "https://gitlab.com/api/v4"
DESCRIPTION_LIMIT = 255
_LINK_LIMIT = 255
COMMENT_LIMIT = 1_000_000
IS_OLDEST_FIRST = True
PAGE_SIZE = 100
# Another update of the same commit holds a lock for so long.
_LOCK_SECONDS = 10.0
_STATES = {
    ReportState.PENDING: "pending",
    ReportState.SUCCEEDED: "success",
    ReportState.FAILED: "failed",
    ReportState.ERROR: "failed",
    ReportState.CANCELLED: "canceled",
}
_DEPLOYMENT_STATES = {**_STATES, ReportState.PENDING: "running"}


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
    return _call(Repository(target, credentials, status.repository), "POST", f"statuses/{status.commit}", content)


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    """400 says that the status has this state already, 409 that another update of the commit holds a lock."""
    if answer.status == 400 and "Cannot transition status" in failure_text(answer):
        return Accepted(remote)
    verdict = judge(answer, now)
    return Accepted(answer.identity("pipeline_id") or remote) if isinstance(verdict, Accepted) else verdict


def judge(answer: Answer, now: float) -> Verdict:
    """409 says that another update holds a lock; what is refused concerns one project, commit or merge request."""
    if answer.status == 409:
        return Retry("HTTP 409", _LOCK_SECONDS)
    if answer.status in {400, 403, 404, 422}:
        return Refused(f"HTTP {answer.status}: {failure_text(answer)[:200]}")
    return judge_by_status(answer, now)


def failure_text(answer: Answer) -> str:
    """What GitLab says of a failure: a text, or an object of texts."""
    return str(answer.member("message") or answer.member("error") or "")


def list_comments(place: Repository, comment: Comment, page: int) -> Call:
    path = f"{_notes(comment)}?sort=asc&order_by=created_at&per_page={PAGE_SIZE}&page={page}"
    return _call(place, "GET", path)


def create_comment(place: Repository, comment: Comment) -> Call:
    return _call(place, "POST", _notes(comment), {"body": comment.text})


def change_comment(place: Repository, comment: Comment, identity: str) -> Call:
    path = f"{_notes(comment)}/{identity}"
    return _call(place, "PUT", path, {"body": comment.text})


def comments(answer: Answer) -> list[tuple[str, str]]:
    """GitLab's own notes, on what became of the merge request, are left out."""
    return [
        (str(element["id"]), str(element.get("body")))
        for element in answer.elements()
        if "id" in element and not element.get("system")
    ]


def has_more(answer: Answer) -> bool:
    return answer.headers.get("x-next-page", "") != ""


def next_change(identity: str, answer: Answer) -> str | None:
    return None


def deployment_call(place: Repository, status: DeploymentStatus, remote: str | None) -> Call:
    """Look for the deployment, make it, change it, or give its environment the address of the site."""
    step, *numbers = (remote or "search").split()
    content: dict[str, Any] = {"status": _DEPLOYMENT_STATES[status.state]}
    match step:
        case "at":
            return _call(place, "PUT", f"deployments/{numbers[0]}", content)
        case "address":
            return _call(place, "PUT", f"environments/{numbers[1]}", {"external_url": status.site})
        case "new":
            # Running whatever is to come: where the answer is lost, one that has ended would not be found again.
            content = {"environment": _environment(status), "sha": status.commit, "ref": status.ref}
            return _call(place, "POST", "deployments", {**content, "tag": status.is_tag, "status": "running"})
        case _:
            query = {"environment": _environment(status), "order_by": "id", "sort": "desc", "per_page": PAGE_SIZE}
            return _call(place, "GET", f"deployments?{urlencode(query)}")


def judge_deployment(status: DeploymentStatus, answer: Answer, remote: str | None, now: float) -> Verdict:
    """A deployment has no place for a mark of ours: one of the same commit that still runs is ours.

    400 says that the deployment has this state already.
    """
    step, *numbers = (remote or "search").split()
    if step == "at" and answer.status == 404:
        return Continued("search")
    verdict = judge(answer, now)
    if step == "at" and answer.status == 400 and "Cannot transition status" in failure_text(answer):
        verdict = Accepted()
    if not isinstance(verdict, Accepted):
        return verdict
    match step:
        case "search":
            own_deployments = [element for element in answer.elements() if _runs(element, status)]
            return Continued(f"at {_numbers(own_deployments[0])}") if own_deployments else Continued("new", kept=False)
        case "address":
            return Accepted(f"at {' '.join(numbers)}")
        case "new" if status.state is not ReportState.PENDING:
            return Continued(f"at {_numbers(answer.json)}")
        case "new":
            return Accepted(f"at {_numbers(answer.json)}")
        case _:
            is_known = answer.member("environment", "external_url") == status.site
            if status.site is None or len(status.site) > _LINK_LIMIT or is_known:
                return Accepted(remote)
            return Continued(f"address {' '.join(numbers)}", kept=False)


def _runs(deployment: dict[str, Any], status: DeploymentStatus) -> bool:
    is_ours = (deployment.get("sha"), deployment.get("ref")) == (status.commit, status.ref)
    return is_ours and deployment.get("status") in {"created", "running"}


def _numbers(deployment: Any) -> str:
    """The numbers of a deployment and of its environment."""
    return f"{deployment['id']} {deployment['environment']['id']}"


def _environment(status: DeploymentStatus) -> str:
    """GitLab takes few characters in names of environments; a name with others is told from its like by a digest."""
    clean = re.sub(r"[^A-Za-z0-9_\-${}. /]", "-", status.environment).strip("/ ")
    if clean == status.environment:
        return clean
    return f"{clean[:200]}-{hashlib.sha256(status.environment.encode()).hexdigest()[:16]}"


def _notes(comment: Comment) -> str:
    return f"merge_requests/{comment.pull_request}/notes"


def _call(place: Repository, method: str, path: str, content: dict[str, Any] | None = None) -> Call:
    """A call of the API of a project, which is named by its path."""
    address = f"{place.target.api or API}/projects/{quote(place.name, safe='')}/{path}"
    return json_call(method, address, content, {"PRIVATE-TOKEN": token_of(place.target, place.credentials)})
