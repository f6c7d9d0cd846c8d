"""Comments on commits and pull requests, as wholes: on lines of files, replies and reactions are left out.

Source: CodeCommit's API reference; user guide, "Quotas".
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.server.protocol.errors import ServiceError, not_implemented
from local.server.service import Operation, Parameters, Result
from local.services.codecommit.pull_requests import PullRequests
from local.services.codecommit.repositories import Repositories

CONTENT_LIMIT = 10_240
MOST_RESULTS = 500
_DEFAULT_RESULTS = 100
_COMMIT_ID = re.compile(r"[0-9a-f]{40}")
_COMMENT_ID = re.compile(r"[0-9a-f]{32}:[0-9a-f-]{36}")


@dataclass(frozen=True)
class Subject:
    """What a comment is on: the comparison of two commits, or a pull request at that comparison."""

    repository: str
    before: str | None
    after: str
    pull_request: str | None = None

    def members(self) -> dict[str, str]:
        values = {
            "repositoryName": self.repository,
            "pullRequestId": self.pull_request,
            "beforeCommitId": self.before,
            "afterCommitId": self.after,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass
class Comment:
    """A comment; without content it was deleted."""

    id: str
    subject: Subject
    author: str
    token: str
    content: str | None
    created: datetime
    modified: datetime

    def described(self) -> dict[str, Any]:
        return {
            "commentId": self.id,
            "content": self.content,
            "authorArn": self.author,
            "clientRequestToken": self.token,
            "creationDate": self.created,
            "lastModifiedDate": self.modified,
            "deleted": self.content is None,
        }


class Comments:
    """All comments of an account and Region, oldest first."""

    def __init__(self, repositories: Repositories, pull_requests: PullRequests) -> None:
        self._repositories = repositories
        self._pull_requests = pull_requests
        self._lock = threading.Lock()
        self._comments: dict[str, Comment] = {}
        # What was first sent with a client request token, and the comment that it made.
        self._tokens: dict[str, tuple[Subject, str, Comment]] = {}

    def operations(self, caller: str) -> Mapping[str, Operation]:
        """The operations by the API's names, for somebody of this ARN."""
        return {
            "PostCommentForComparedCommit": lambda p: self._post(p, self._comparison(p), caller),
            "PostCommentForPullRequest": lambda p: self._post(p, self._of_pull_request(p), caller),
            "GetCommentsForComparedCommit": self._of_commit,
            "GetCommentsForPullRequest": self._list_of_pull_request,
            "GetComment": lambda p: {"comment": self._get(p["commentId"]).described()},
            "UpdateComment": lambda p: self._update(p, caller),
            "DeleteCommentContent": self._delete,
        }

    def repository_of(self, comment_id: str) -> str | None:
        """The name of a comment's repository, None if there is no such comment."""
        comment = self._comments.get(comment_id)
        return comment.subject.repository if comment else None

    # --- Write -------------------------------------------------------------------------------------------------------

    def _post(self, parameters: Parameters, subject: Subject, caller: str) -> Result:
        content, token = _content(parameters), parameters.get("clientRequestToken")
        if not token:
            raise ServiceError("ClientRequestTokenRequiredException", "A client request token is required")
        if "location" in parameters:
            raise not_implemented("codecommit", "a comment on a line of a file", "leave location out")
        now = datetime.now(UTC)
        with self._lock:
            if (earlier := self._tokens.get(token)) is not None:
                if earlier[:2] != (subject, content):
                    message = "The client request token was used with other parameters"
                    raise ServiceError("IdempotencyParameterMismatchException", message)
                return {**subject.members(), "comment": earlier[2].described()}
            comment = Comment(f"{uuid4().hex}:{uuid4()}", subject, caller, token, content, now, now)
            self._comments[comment.id] = comment
            self._tokens[token] = (subject, content, comment)
            return {**subject.members(), "comment": comment.described()}

    def _update(self, parameters: Parameters, caller: str) -> Result:
        content = _content(parameters)
        with self._lock:
            comment = self._get(parameters["commentId"])
            if comment.content is None:
                raise ServiceError("CommentDeletedException", "The comment was deleted")
            if comment.author != caller:
                message = "Only the author of a comment can change it"
                raise ServiceError("CommentNotCreatedByCallerException", message)
            comment.content, comment.modified = content, datetime.now(UTC)
            return {"comment": comment.described()}

    def _delete(self, parameters: Parameters) -> Result:
        with self._lock:
            comment = self._get(parameters["commentId"])
            if comment.content is None:
                raise ServiceError("CommentDeletedException", "The comment was deleted")
            comment.content, comment.modified = None, datetime.now(UTC)
            return {"comment": comment.described()}

    # --- Read --------------------------------------------------------------------------------------------------------

    def _get(self, comment_id: str) -> Comment:
        if _COMMENT_ID.fullmatch(comment_id) is None:
            raise ServiceError("InvalidCommentIdException", "The comment ID is not valid")
        comment = self._comments.get(comment_id)
        if comment is None:
            raise ServiceError("CommentDoesNotExistException", f"{comment_id} does not exist")
        return comment

    def _of_commit(self, parameters: Parameters) -> Result:
        repository, before = parameters["repositoryName"], parameters.get("beforeCommitId")
        self._check_commits(repository, before, parameters["afterCommitId"])
        comments = [
            comment
            for comment in list(self._comments.values())
            if comment.subject.pull_request is None
            and (comment.subject.repository, comment.subject.after) == (repository, parameters["afterCommitId"])
            and before in {None, comment.subject.before}
        ]
        return _page("commentsForComparedCommitData", comments, parameters)

    def _list_of_pull_request(self, parameters: Parameters) -> Result:
        pull_request = self._pull_requests.get(parameters["pullRequestId"])
        name = pull_request.repository.identity.name
        if parameters.get("repositoryName", name) != name:
            raise _not_associated(parameters)
        pairs = {"beforeCommitId": "before", "afterCommitId": "after"}
        attributes = {attribute: parameters[member] for member, attribute in pairs.items() if member in parameters}
        comments = [
            comment
            for comment in list(self._comments.values())
            if comment.subject.pull_request == pull_request.id
            and all(getattr(comment.subject, attribute) == value for attribute, value in attributes.items())
        ]
        return _page("commentsForPullRequestData", comments, parameters)

    # --- What a comment is on ----------------------------------------------------------------------------------------

    def _comparison(self, parameters: Parameters) -> Subject:
        repository, after = parameters["repositoryName"], parameters["afterCommitId"]
        before = parameters.get("beforeCommitId")
        self._check_commits(repository, before, after)
        commit = self._repositories.get(repository).git.commit(after)
        if before is None and commit is not None and commit["parents"]:
            message = "beforeCommitId is required for every commit but the first"
            raise ServiceError("CommitIdRequiredException", message)
        return Subject(repository, before, after)

    def _of_pull_request(self, parameters: Parameters) -> Subject:
        pull_request = self._pull_requests.get(parameters["pullRequestId"])
        name, before, after = (parameters[key] for key in ("repositoryName", "beforeCommitId", "afterCommitId"))
        self._check_commits(name, before, after)
        if name != pull_request.repository.identity.name:
            raise _not_associated(parameters)
        return Subject(name, before, after, pull_request.id)

    def _check_commits(self, repository: str, before: str | None, after: str) -> None:
        git = self._repositories.get(repository).git
        for commit in filter(None, (before, after)):
            if _COMMIT_ID.fullmatch(commit) is None:
                raise ServiceError("InvalidCommitIdException", "The commit ID is not valid: it must be the whole SHA-1")
            if git.commit(commit) is None:
                raise ServiceError("CommitDoesNotExistException", f"{commit} does not exist")
        if before == after:
            message = "The commits before and after must differ"
            raise ServiceError("BeforeCommitIdAndAfterCommitIdAreSameException", message)


def _content(parameters: Parameters) -> str:
    content: str = parameters["content"]
    if not content.strip():
        raise ServiceError("CommentContentRequiredException", "A comment needs content")
    if len(content) > CONTENT_LIMIT:
        message = f"Comments are limited to {CONTENT_LIMIT:,} characters"
        raise ServiceError("CommentContentSizeLimitExceededException", message)
    return content


def _not_associated(parameters: Parameters) -> ServiceError:
    message = f"{parameters['repositoryName']} is not the repository of pull request {parameters['pullRequestId']}"
    return ServiceError("RepositoryNotAssociatedWithPullRequestException", message)


def _page(member: str, comments: list[Comment], parameters: Parameters) -> Result:
    size, token = parameters.get("maxResults", _DEFAULT_RESULTS), parameters.get("nextToken", "0")
    if not 1 <= size <= MOST_RESULTS:
        raise ServiceError("InvalidMaxResultsException", f"maxResults must be 1 to {MOST_RESULTS}")
    if not token.isdecimal():
        raise ServiceError("InvalidContinuationTokenException", "The continuation token is not valid")
    begin = int(token)
    following = {"nextToken": str(begin + size)} if len(comments) > begin + size else {}
    return {member: _groups(comments[begin : begin + size]), **following}


def _groups(comments: Iterable[Comment]) -> list[dict[str, Any]]:
    groups: dict[Subject, list[dict[str, Any]]] = {}
    for comment in comments:
        groups.setdefault(comment.subject, []).append(comment.described())
    return [{**subject.members(), "comments": described} for subject, described in groups.items()]
