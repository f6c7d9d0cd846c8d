"""Pull requests between branches of one repository, and their events.

Source: CodeCommit's API reference; user guide, "Monitoring CodeCommit events in Amazon EventBridge". They are opened
and updated; approval, merging and closing are left out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from local.server.protocol.errors import ServiceError
from local.server.service import Operation, Parameters, Result
from local.services.codecommit.git import BRANCHES, TAGS
from local.services.codecommit.repositories import Repositories, Repository

DETAIL_TYPE = "CodeCommit Pull Request State Change"


@dataclass
class PullRequest:
    """A pull request; `source` and `destination` are full names of branches."""

    id: str
    title: str
    description: str | None
    author: str
    repository: Repository
    source: str
    destination: str
    source_commit: str
    destination_commit: str
    created: datetime
    modified: datetime
    revision: str


class PullRequests:
    """All pull requests of an account and Region by id."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._pull_requests: dict[str, PullRequest] = {}

    def operations(self, caller: str, emit: Any) -> Mapping[str, Operation]:
        """The operations by the API's names, for somebody of this ARN; `emit` puts events on the default bus."""
        return {
            "CreatePullRequest": lambda p: self._create(p, caller, emit),
            "GetPullRequest": lambda p: {"pullRequest": _described(self.get(p["pullRequestId"]))},
        }

    def get(self, identity: str) -> PullRequest:
        """A pull request; raises ServiceError."""
        if not identity.isdecimal():
            raise ServiceError("InvalidPullRequestIdException", "The pull request ID is not valid: it is a number")
        with self._lock:
            pull_request = self._pull_requests.get(identity)
        if pull_request is None:
            raise ServiceError("PullRequestDoesNotExistException", f"Pull request {identity} does not exist")
        return pull_request

    def repository_of(self, identity: str) -> str | None:
        """The name of a pull request's repository, None if there is no such pull request."""
        pull_request = self._pull_requests.get(identity)
        return pull_request.repository.identity.name if pull_request else None

    def source_updates(self, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The events of pull requests whose source branch an event of a repository tells to have moved."""
        detail = event["detail"]
        if detail["event"] != "referenceUpdated":
            return
        with self._lock:
            pull_requests = list(self._pull_requests.values())
        for pull_request in pull_requests:
            place = (pull_request.repository.identity.id, pull_request.source)
            if place == (detail["repositoryId"], detail["referenceFullName"]):
                pull_request.source_commit, pull_request.modified, pull_request.revision = (
                    detail["commitId"],
                    datetime.now(UTC),
                    uuid4().hex,
                )
                yield _event(pull_request, "pullRequestSourceBranchUpdated", detail["callerUserArn"])

    def _create(self, parameters: Parameters, caller: str, emit: Any) -> Result:
        targets = parameters["targets"]
        if len(targets) != 1:
            message = "A pull request is of one repository"
            raise ServiceError("MultipleRepositoriesInPullRequestException", message)
        (target,) = targets
        repository = self._repositories.get(target["repositoryName"])
        refs = repository.git.refs()
        source = _full_name(target["sourceReference"])
        destination = _full_name(target.get("destinationReference") or repository.git.default_branch() or "")
        if source == destination:
            raise ServiceError("SourceAndDestinationAreSameException", f"{source} is source and destination")
        for ref in (source, destination):
            if ref not in refs:
                raise ServiceError("ReferenceDoesNotExistException", f"{ref} does not exist")
        now = datetime.now(UTC)
        with self._lock:
            pull_request = PullRequest(
                id=str(next(self._numbers)),
                title=parameters["title"],
                description=parameters.get("description"),
                author=caller,
                repository=repository,
                source=source,
                destination=destination,
                source_commit=refs[source],
                destination_commit=refs[destination],
                created=now,
                modified=now,
                revision=uuid4().hex,
            )
            self._pull_requests[pull_request.id] = pull_request
        emit(_event(pull_request, "pullRequestCreated", caller))
        return {"pullRequest": _described(pull_request)}


def _full_name(reference: str) -> str:
    return reference if reference.startswith((BRANCHES, TAGS)) else BRANCHES + reference


def _described(pull_request: PullRequest) -> dict[str, Any]:
    target = {
        "repositoryName": pull_request.repository.identity.name,
        "sourceReference": pull_request.source,
        "destinationReference": pull_request.destination,
        "sourceCommit": pull_request.source_commit,
        "destinationCommit": pull_request.destination_commit,
        "mergeMetadata": {"isMerged": False},
    }
    return {
        "pullRequestId": pull_request.id,
        "title": pull_request.title,
        "description": pull_request.description,
        "authorArn": pull_request.author,
        "creationDate": pull_request.created,
        "lastActivityDate": pull_request.modified,
        "pullRequestStatus": "OPEN",
        "pullRequestTargets": [target],
        "revisionId": pull_request.revision,
    }


def _event(pull_request: PullRequest, action: str, caller: str) -> dict[str, Any]:
    date = "%a %b %d %H:%M:%S UTC %Y"
    return {
        "source": "aws.codecommit",
        "detail-type": DETAIL_TYPE,
        "resources": [pull_request.repository.identity.arn],
        "detail": {
            "event": action,
            "pullRequestId": pull_request.id,
            "pullRequestStatus": "Open",
            "isMerged": "False",
            "repositoryNames": [pull_request.repository.identity.name],
            "title": pull_request.title,
            **({"description": pull_request.description} if pull_request.description is not None else {}),
            "author": pull_request.author,
            "callerUserArn": caller,
            "creationDate": pull_request.created.strftime(date),
            "lastModifiedDate": pull_request.modified.strftime(date),
            "revisionId": pull_request.revision,
            "sourceReference": pull_request.source,
            "sourceCommit": pull_request.source_commit,
            "destinationReference": pull_request.destination,
            "destinationCommit": pull_request.destination_commit,
        },
    }
