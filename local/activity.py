"""What happens in the local cloud, one line each, for whoever runs it: deliveries, jobs, events of buses, reports."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from local.report_targets import PREFIX as REPORTS
from local.server.http_server import Application, DropConnectionError
from local.server.protocol.match import raw_path

Show = Callable[[str], None]
STATUS_CHANGE = "Amplify Deployment Status Change"
DEFAULT_BUS = "default"
# What most events that people define say of themselves; an event without them is shown by its kind.
_TELLING_MEMBERS = ("outcome", "requestId")
_KIND_WIDTH = 9


class Activity:
    """Shows it line by line, with the time."""

    def __init__(self, show: Show, now: Callable[[], datetime] = datetime.now) -> None:
        self._show = show
        self._now = now
        self._lock = threading.Lock()

    def of_api(self, application: Application) -> Application:
        """The HTTP API, with a line for each call that is no read."""
        return self._watched(application, "delivery", lambda path: path)

    def of_endpoint(self, application: Application) -> Application:
        """The AWS endpoint, with a line for each report that a stand-in of a target gets."""
        prefix = f"{REPORTS}/"
        return self._watched(
            application, "report", lambda path: path.removeprefix(prefix) if path.startswith(prefix) else None
        )

    def event(self, event: Mapping[str, Any], bus: str) -> None:
        """A line for a change of a job, or for an event on a bus of the stack."""
        if (line := event_line(event, bus)) is not None:
            self._put(*line)

    def _watched(self, application: Application, kind: str, name: Callable[[str], str | None]) -> Application:
        def answer(request: Request) -> Response:
            try:
                response = application(request)
            except DropConnectionError:
                self._call(kind, request, name, "no answer")
                raise
            self._call(kind, request, name, str(response.status_code))
            return response

        return answer

    def _call(self, kind: str, request: Request, name: Callable[[str], str | None], result: str) -> None:
        operation = name(raw_path(request))
        if operation is not None and request.method not in {"GET", "HEAD", "OPTIONS"}:
            self._put(kind, f"{request.method} {operation}: {result}")

    def _put(self, kind: str, text: str) -> None:
        # What a stranger sent shall not steer the terminal.
        printable = "".join(character if character.isprintable() else "?" for character in text)
        # Callers are threads of their own. Nobody may read the lines any more: no call may fail for that.
        with self._lock, suppress(OSError):
            self._show(f"{self._now():%H:%M:%S}  {kind:<{_KIND_WIDTH}} {printable}")


def event_line(event: Mapping[str, Any], bus: str) -> tuple[str, str] | None:
    """The kind and the text of an event's line; None for one that nobody has to see."""
    detail = event["detail"]
    if event["detail-type"] == STATUS_CHANGE:
        members = ("appId", "branchName", "jobId", "jobStatus")
        app, branch, job, status = (detail.get(member, "?") for member in members)
        return "job", f"{app} {branch} #{job}: {status}"
    if bus == DEFAULT_BUS:
        return None
    facts = [str(detail[member]) for member in _TELLING_MEMBERS if detail.get(member)]
    return "event", " ".join([event["detail-type"], *facts])
