"""What people look at: deployed sites, a page for each job, logs and artifacts.

Sites are served as they were built: customRules, customHeaders and basic authentication of an app have no effect here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from urllib.parse import quote, unquote

from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join
from werkzeug.utils import redirect, send_from_directory
from werkzeug.wrappers import Request, Response

from local.amplify.addresses import Addresses
from local.amplify.hosting import Hosting
from local.amplify.job_page import job_page
from local.amplify.state import Branch
from local.server.callers import SITE_HOST
from local.server.protocol.errors import ServiceError
from local.server.protocol.match import raw_path


class Sites:
    """Answers /_local/sites, /_local/jobs, /_local/files and the hosts `<displayName>.<appId>.localhost`."""

    def __init__(self, *, lock: RLock, addresses: Addresses, hosting: Hosting) -> None:
        self._lock = lock
        self._addresses = addresses
        self._hosting = hosting

    def answer(self, request: Request) -> Response | None:
        """None for an address that is none of ours. Branch names are one segment of a path, their slashes as %2F."""
        host = SITE_HOST.fullmatch(request.host)
        path = raw_path(request)
        segments = [unquote(segment) for segment in path.split("/")[1:]]
        match segments:
            case _ if host is not None:
                with self._lock:
                    branch = self._hosting.branch_by_host(host[1], host[2].lower())
                return _read_only(request) or self._site(branch, "/".join(segments), request)
            case ["_local", "sites", app_id, branch_name]:
                return redirect(f"/_local/sites/{quote(app_id)}/{quote(branch_name, safe='')}/", 308)
            case ["_local", "sites", app_id, branch_name, *rest]:
                return _read_only(request) or self._site(self._branch(app_id, branch_name), "/".join(rest), request)
            case ["_local", "jobs", app_id, branch_name, job_id]:
                return _read_only(request) or self._job_page(self._branch(app_id, branch_name), job_id)
            case ["_local", "files", key, *rest]:
                return _read_only(request) or self._file(key, "/".join(rest), request)
        return None

    def _branch(self, app_id: str, name: str) -> Branch | None:
        try:
            with self._lock:
                return self._hosting.branch(app_id, name)
        except ServiceError:
            return None

    def _site(self, branch: Branch | None, path: str, request: Request) -> Response:
        if branch is None or branch.site is None:
            return _text("nothing is deployed here\n", 404)
        site = branch.site
        place = safe_join(str(site), path)
        if place is not None and Path(place).is_dir():
            if path and not path.endswith("/"):
                return redirect(f"{quote(path.rpartition('/')[2])}/", 302)
            path += "index.html"
        try:
            return send_from_directory(site, path, request.environ)
        except NotFound:
            if (site / "404.html").is_file():
                return Response((site / "404.html").read_bytes(), 404, mimetype="text/html")
            return _text(f"the site has no {path}\n", 404)

    def _file(self, key: str, name: str, request: Request) -> Response:
        refused = self._addresses.refusal(f"/_local/files/{key}/{name}", request.args, datetime.now(UTC))
        if refused is not None:
            return _text(refused + "\n", 403)
        with self._lock:
            job = self._hosting.job_by_key(key)
        if job is None:
            return _text("the job is deleted, and its files are too\n", 404)
        try:
            kind = "text/plain; charset=utf-8" if name.endswith(".log") else None
            return send_from_directory(job.directory, name, request.environ, mimetype=kind)
        except NotFound:
            return _text(f"the job left no {name}\n", 404)

    def _job_page(self, branch: Branch | None, job_id: str) -> Response:
        with self._lock:
            job = branch.jobs.get(int(job_id)) if branch and re.fullmatch(r"[0-9]{1,18}", job_id, re.ASCII) else None
            if branch is None or job is None:
                return _text("there is no such job\n", 404)
            app_name = self._hosting.app(branch.app_id).settings["name"]
            return Response(job_page(app_name, branch, job, self._addresses), mimetype="text/html")


def _read_only(request: Request) -> Response | None:
    return None if request.method in {"GET", "HEAD"} else _text("only GET and HEAD are answered here\n", 405)


def _text(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
