"""AWS CodeCommit as a whole: calls of its API, and its git."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from local.permissions.authorization import Authorization
from local.server.protocol.match import raw_path
from local.server.service import answer
from local.services.codecommit.comments import Comments
from local.services.codecommit.git_http import GIT_PREFIX, GitHttp
from local.services.codecommit.pull_requests import PullRequests
from local.services.codecommit.repositories import Place, Repositories


class CodeCommitService:
    """The repositories of one account and Region; `emit` puts events on the default bus."""

    def __init__(
        self, place: Place, emit: Callable[[Mapping[str, object]], object], authorization: Authorization
    ) -> None:
        self._authorization = authorization
        self._emit_to_bus = emit
        self.repositories = Repositories(place, self._emit)
        self._pull_requests = PullRequests(self.repositories)
        self._comments = Comments(self.repositories, self._pull_requests)
        self._git = GitHttp(self.repositories, authorization)

    def handle(self, service: str, request: Request) -> Response:
        """Answer an AWS call, or one of git's; raises ServiceError."""
        if raw_path(request).startswith(GIT_PREFIX):
            return self._git.answer(request)
        caller = self._authorization.principal(self._authorization.session(request))
        operations = {
            **self.repositories.operations(caller),
            **self._pull_requests.operations(caller, self._emit_to_bus),
            **self._comments.operations(caller),
        }
        return answer(service, request, operations)

    def repository_of(self, parameters: Mapping[str, Any]) -> str | None:
        """The name of the repository that a call is about which names none itself; None if there is none."""
        match parameters:
            case {"commentId": str(comment_id)}:
                return self._comments.repository_of(comment_id)
            case {"pullRequestId": str(identity)}:
                return self._pull_requests.repository_of(identity)
            case {"targets": [{"repositoryName": str(name)}, *_]}:
                return name
        return None

    def _emit(self, event: Mapping[str, Any]) -> None:
        """Put an event of a repository on the bus, and what it means for pull requests."""
        self._emit_to_bus(event)
        for update in self._pull_requests.source_updates(event):
            self._emit_to_bus(update)

    def clone_address(self, address: str) -> str:
        """Where git finds the repository of an address: ours on disk, any other one where it is."""
        path = self.repositories.path_of(address)
        return address if path is None else str(path)
