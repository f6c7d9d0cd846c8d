"""Which request a command is about: by its id, by app, branch and job, or by repository and commit."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.indexing.answers import RequestSummary
from amplify_jobs_cli.jobs.client import JobsClient

# So many requests of a branch are looked through for a job.
_MOST_LOOKED_THROUGH = 500
_SHORTEST_COMMIT = 7


class NoSuchRequestError(AmplifyJobsError):
    """Nothing fits the selection; the message says what was looked for."""


@dataclass(frozen=True)
class Selection:
    """What a person or a CI job knows of the request that it means."""

    request_id: str | None = None
    app: str | None = None
    branch: str | None = None
    job: str | None = None
    repository: str | None = None
    commit: str | None = None
    route: str | None = None

    def fault(self) -> str | None:
        """What is wrong with the selection as a call of the command line; None if it can be looked for."""
        if not any(getattr(self, field.name) for field in fields(self)):
            return "say which: REQUEST_ID, or --app and --branch, or --repository and --commit"
        if self.request_id and any(getattr(self, field.name) for field in fields(self)[1:]):
            return "REQUEST_ID says all: leave the other options out"
        if self.branch and not self.app:
            return "--branch needs --app: branches of several apps can have one name"
        if self.job and not (self.app and self.branch):
            return "--job needs --app and --branch: each branch counts its jobs from 1"
        if self.commit and not re.fullmatch(rf"[0-9a-fA-F]{{{_SHORTEST_COMMIT},64}}", self.commit):
            return f"--commit {self.commit!r} is no commit; use at least {_SHORTEST_COMMIT} hexadecimal digits"
        return None

    def filters(self) -> dict[str, str | None]:
        """The query of the jobs API."""
        commit = self.commit.lower() if self.commit and len(self.commit) >= 40 else None
        return {
            "app": self.app,
            "branch": self.branch,
            "repository": self.repository,
            "commit": commit,
            "route": self.route,
        }

    def fits(self, request: RequestSummary) -> bool:
        """Whether a request that the filters let through is one that is meant."""
        if self.job and (request.job_id or "").lstrip("0") != self.job.lstrip("#0"):
            return False
        commits = (request.commit or "", request.commit_built or "")
        return not self.commit or any(commit.startswith(self.commit.lower()) for commit in commits)

    @property
    def description(self) -> str:
        """Name it in a sentence: "request web-1", "job of app web, branch main"."""
        if self.request_id:
            return f"request {self.request_id}"
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return "job of " + ", ".join(f"{name} {value}" for name, value in values if value)


def find_request(client: JobsClient, selection: Selection, *, is_open: bool = False) -> str:
    """The id of the newest request that is meant, or of the newest that has not ended. Raises NoSuchRequestError."""
    if selection.request_id:
        return selection.request_id
    for request in client.each_request(selection.filters(), _MOST_LOOKED_THROUGH):
        if selection.fits(request) and not (is_open and request.state.is_end):
            return request.request_id
    has_not_ended = " that has not ended" if is_open else ""
    raise NoSuchRequestError(
        f"there is no {selection.description}{has_not_ended}; amplify-jobs jobs lists what there is"
    )


def find_requests(client: JobsClient, selection: Selection) -> list[RequestSummary]:
    """The requests that are meant: the newest alone, or all of a commit. Empty if there are none yet."""
    if selection.request_id:
        return [client.request(selection.request_id)]
    matches = (
        request for request in client.each_request(selection.filters(), _MOST_LOOKED_THROUGH) if selection.fits(request)
    )
    if selection.commit:
        return list(matches)
    newest = next(matches, None)
    return [] if newest is None else [newest]
