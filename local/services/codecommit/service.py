"""AWS CodeCommit as a whole: calls of its API, and its git."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from werkzeug.wrappers import Request, Response

from local.permissions.authorization import Authorization
from local.server.protocol.match import raw_path
from local.server.service import answer
from local.services.codecommit.git_http import GIT_PREFIX, GitHttp
from local.services.codecommit.repositories import Place, Repositories


class CodeCommitService:
    """The repositories of one account and Region; `emit` puts events on the default bus."""

    def __init__(
        self, place: Place, emit: Callable[[Mapping[str, object]], object], authorization: Authorization
    ) -> None:
        self._authorization = authorization
        self.repositories = Repositories(place, emit)
        self._git = GitHttp(self.repositories, authorization)

    def handle(self, service: str, request: Request) -> Response:
        """Answer an AWS call, or one of git's; raises ServiceError."""
        if raw_path(request).startswith(GIT_PREFIX):
            return self._git.answer(request)
        caller = self._authorization.principal(self._authorization.session(request))
        return answer(service, request, self.repositories.operations(caller))

    def clone_address(self, address: str) -> str:
        """Where git finds the repository of an address: ours on disk, any other one where it is."""
        path = self.repositories.path_of(address)
        return address if path is None else str(path)
