"""git over smart HTTP, which git's own http-backend speaks. Source: gitprotocol-http(5), git-http-backend(1)."""

from __future__ import annotations

import logging
import os
import re
import subprocess
from pathlib import Path

from werkzeug.wrappers import Request, Response

log = logging.getLogger(__name__)

REQUESTS = r"(?P<request>info/refs|git-upload-pack|git-receive-pack)"
"""What follows the address of a repository in the path, as a regular expression."""

PULL, PUSH = "git-upload-pack", "git-receive-pack"
# The versions that git offers; whatever else the header has is none of git's business.
_PROTOCOL = re.compile(r"version=[0-9]+(?::[a-z0-9=-]+)*")


def environment() -> dict[str, str]:
    """git without the settings of whoever runs the local cloud."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def is_installed() -> bool:
    """Whether git is here with its http-backend, which some systems put into a package of its own."""
    try:
        process = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return (Path(process.stdout.strip()) / "git-http-backend").exists()


def service_of(git_request: str, request: Request) -> str | None:
    """Whether a request pulls or pushes; None if it is not one of smart HTTP."""
    asks_for_refs = git_request == "info/refs"
    service = request.args.get("service", "") if asks_for_refs else git_request
    is_smart = service in {PULL, PUSH} and request.method == ("GET" if asks_for_refs else "POST")
    return service if is_smart else None


def serve(repository: Path, git_request: str, request: Request) -> Response:
    """Answer a request for a bare repository, whoever sent it."""
    variables = {
        **environment(),
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.name}/{git_request}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string.decode("ascii", "replace"),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(request.get_data())),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        # http-backend takes pushes of somebody only.
        "REMOTE_USER": "git",
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
        log.error("git http-backend failed on %s: %s", git_request, why)
        return Response(f"git http-backend failed: {why}\n", 500, mimetype="text/plain")
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n"))
    headers = [(name, value) for name, _, value in lines]
    status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
    return Response(body, status, [(name, value) for name, value in headers if name != "Status"])
