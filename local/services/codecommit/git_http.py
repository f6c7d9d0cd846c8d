"""The git of CodeCommit's repositories: who may pull and push, and the events of pushes."""

from __future__ import annotations

import re
from contextlib import nullcontext
from datetime import UTC, datetime

from werkzeug.wrappers import Request, Response

from local.permissions.authorization import Authorization
from local.permissions.roles import RoleSession
from local.server.git_backend import PULL, PUSH, REQUESTS, serve, service_of
from local.server.protocol.errors import ServiceError
from local.server.protocol.match import raw_path
from local.services.codecommit.logins import Address, LoginError, check_login, parse_login
from local.services.codecommit.repositories import Repositories

GIT_PREFIX = "/v1/repos/"
_PATH = re.compile(rf"(?P<repository>{GIT_PREFIX}(?P<name>[\w.-]+))/{REQUESTS}")
_ACTIONS = {PULL: "GitPull", PUSH: "GitPush"}
_LOGIN_WANTED = {"WWW-Authenticate": 'Basic realm="AWS CodeCommit"'}


class GitHttp:
    """Answers git below /v1/repos/. Calls of role sessions need what their policies allow."""

    def __init__(self, repositories: Repositories, authorization: Authorization) -> None:
        self._repositories = repositories
        self._authorization = authorization

    def answer(self, request: Request) -> Response:
        """Answer one request of git."""
        match = _PATH.fullmatch(raw_path(request))
        if match is None:
            return Response("no repository has such an address\n", 404, mimetype="text/plain")
        service = service_of(match["request"], request)
        if service is None:
            return _refused("git must speak smart HTTP here; use version 1.6.6 or newer")
        if "Authorization" not in request.headers:
            return Response("", 401, _LOGIN_WANTED)
        try:
            session = self._session(request, match["repository"])
            if session is not None:
                parameters = {"repositoryName": match["name"]}
                self._authorization.check(session, "codecommit", _ACTIONS[service], parameters)
        except LoginError as error:
            return _refused(str(error))
        except ServiceError as error:
            return _refused(error.message)
        try:
            repository = self._repositories.get(match["name"])
        except ServiceError as error:
            return Response(f"{error.message}\n", 404, mimetype="text/plain")
        is_push = match["request"] == PUSH
        caller = self._authorization.principal(session)
        with self._repositories.changing(repository, caller) if is_push else nullcontext():
            return serve(repository.git.path, match["request"], request)

    def _session(self, request: Request, path: str) -> RoleSession | None:
        """Whose session of a role logged in; None if it is anybody's. Raises LoginError."""
        login = parse_login(request.headers["Authorization"])
        roles, place = self._authorization.roles, self._repositories.place
        # Clients sign the host with its port, without it, or as AWS calls it: git may be led here by `insteadOf`.
        hosts = (request.host, request.host.partition(":")[0], place.aws_host)
        address = Address(hosts, path, place.region)
        check_login(login, roles.credentials(login.access_key_id), address, datetime.now(UTC))
        return roles.session(login.access_key_id)


def _refused(message: str) -> Response:
    """AWS answers 403 for every login that it does not take; git shows a text."""
    return Response(f"{message}\n", 403, mimetype="text/plain")
