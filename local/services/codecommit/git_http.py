"""The git of CodeCommit's repositories over smart HTTP, which git's own http-backend speaks.

Source: gitprotocol-http(5), git-http-backend(1).
"""

from __future__ import annotations

import logging
import re
import subprocess
from contextlib import nullcontext
from datetime import UTC, datetime

from werkzeug.wrappers import Request, Response

from local.permissions.authorization import Authorization
from local.permissions.roles import RoleSession
from local.server.protocol.errors import ServiceError
from local.server.protocol.match import raw_path
from local.services.codecommit.git import environment
from local.services.codecommit.logins import Address, LoginError, check_login, parse_login
from local.services.codecommit.repositories import Repositories, Repository

log = logging.getLogger(__name__)

GIT_PREFIX = "/v1/repos/"
_PATH = re.compile(
    rf"(?P<repository>{GIT_PREFIX}(?P<name>[\w.-]+))/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)
PULL, PUSH = "GitPull", "GitPush"
_ACTIONS = {"git-upload-pack": PULL, "git-receive-pack": PUSH}
_LOGIN_WANTED = {"WWW-Authenticate": 'Basic realm="AWS CodeCommit"'}
# The versions that git offers; whatever else the header has is none of git's business.
_PROTOCOL = re.compile(r"version=[0-9]+(?::[a-z0-9=-]+)*")


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
        asks_for_refs = match["rest"] == "info/refs"
        action = _ACTIONS.get(request.args.get("service", "") if asks_for_refs else match["rest"])
        if action is None or request.method != ("GET" if asks_for_refs else "POST"):
            return _refused("git must speak smart HTTP here; use version 1.6.6 or newer")
        if "Authorization" not in request.headers:
            return Response("", 401, _LOGIN_WANTED)
        try:
            session = self._session(request, match["repository"])
            if session is not None:
                self._authorization.check(session, "codecommit", action, {"repositoryName": match["name"]})
        except LoginError as error:
            return _refused(str(error))
        except ServiceError as error:
            return _refused(error.message)
        try:
            repository = self._repositories.get(match["name"])
        except ServiceError as error:
            return Response(f"{error.message}\n", 404, mimetype="text/plain")
        is_push = action == PUSH and not asks_for_refs
        caller = self._authorization.principal(session)
        with self._repositories.changing(repository, caller) if is_push else nullcontext():
            return _run_backend(repository, match["rest"], request)

    def _session(self, request: Request, path: str) -> RoleSession | None:
        """Whose session of a role logged in; None if it is anybody's. Raises LoginError."""
        login = parse_login(request.headers["Authorization"])
        roles, place = self._authorization.roles, self._repositories.place
        # Clients sign the host with its port, without it, or as AWS calls it: git may be led here by `insteadOf`.
        hosts = (request.host, request.host.partition(":")[0], place.aws_host)
        address = Address(hosts, path, place.region)
        check_login(login, roles.credentials(login.access_key_id), address, datetime.now(UTC))
        return roles.session(login.access_key_id)


def _run_backend(repository: Repository, rest: str, request: Request) -> Response:
    path = repository.git.path
    variables = {
        **environment(),
        "GIT_PROJECT_ROOT": str(path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{path.name}/{rest}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string.decode("ascii", "replace"),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(request.get_data())),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "REMOTE_USER": "codecommit",
    }
    protocol = request.headers.get("Git-Protocol", "")
    if _PROTOCOL.fullmatch(protocol):
        variables["GIT_PROTOCOL"] = protocol
    run = subprocess.run(
        ["git", "http-backend"], env=variables, input=request.get_data(), capture_output=True, check=False
    )
    head, separator, body = run.stdout.partition(b"\r\n\r\n")
    if not separator:
        why = run.stderr.decode("utf-8", "replace").strip()
        log.error("git http-backend failed on %s: %s", rest, why)
        return Response(f"git http-backend failed in the local cloud: {why}\n", 500, mimetype="text/plain")
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n"))
    headers = [(name, value) for name, _, value in lines]
    status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
    return Response(body, status, [(name, value) for name, value in headers if name != "Status"])


def _refused(message: str) -> Response:
    """AWS answers 403 for every login that it does not take; git shows a text."""
    return Response(f"{message}\n", 403, mimetype="text/plain")
