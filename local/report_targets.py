"""Stand-ins for the targets of reports: APIs of git hosts and webhooks of chats, below /_local/reports/<name>/.

They keep what they got, show it as a page and as JSON, and refuse what the real ones refuse: descriptions and keys that
are too long, a state that a status has already at GitLab, a commit that was made up. Nothing is stored on disk.

POST /_local/reports {"name": "github", "status": 503, "times": 3, "headers": {"retry-after": "60"}} has the next calls
of a stand-in answered so; without a status, they are done and their answers are lost. DELETE ends that, and forgets all
calls. report_apps.py answers what a GitHub App asks, report_reads.py what `reports check` reads.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from itertools import count
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.wrappers import Request, Response

from local.report_apps import Apps
from local.report_reads import read_answer
from local.server.http_server import DropConnectionError
from local.server.protocol.match import raw_path

PREFIX = "/_local/reports"
MOST_KEPT = 500
_STATUS = re.compile(r"/statuses/([0-9a-f]{40})$|/commits?/([0-9a-f]{40})/(?:statuses/build|statuses|builds)$")


class Failure(BaseModel):
    """How the next calls of a stand-in fail; without a status, their answers are lost."""

    model_config = ConfigDict(extra="forbid")

    name: str
    status: int | None = Field(default=None, ge=200, le=599)
    times: int = Field(default=1, ge=1)
    headers: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """One call: which stand-in it was for, and what was sent and answered. Headers, which hold tokens, are not kept.

    `status` is None if the answer was lost.
    """

    number: int
    at: datetime
    name: str
    method: str
    path: str
    content: Any
    status: int | None


@dataclass
class ReportTargets:
    """Answers what is below /_local/reports."""

    received: list[Received] = field(default_factory=list)
    apps: Apps = field(default_factory=Apps)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _states: dict[str, str] = field(default_factory=dict)
    _failures: list[Failure] = field(default_factory=list)

    def answer(self, request: Request) -> Response | None:
        """Answer an address; None if it is not below /_local/reports."""
        path = raw_path(request)
        if path.rstrip("/") == PREFIX and request.method == "GET":
            wants_json = request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
            return self._list() if wants_json else Response(self._page(), content_type="text/html; charset=utf-8")
        if path.rstrip("/") == PREFIX and request.method == "DELETE":
            with self._lock:
                self.received.clear()
                self._states.clear()
                self._failures.clear()
                self.apps.clear()
            return Response(status=204)
        if path.rstrip("/") == PREFIX and request.method == "POST":
            return self._fail(request)
        if not path.startswith(f"{PREFIX}/") or request.method not in {"GET", "POST", "PUT", "PATCH"}:
            return None
        name, _, rest = path.removeprefix(f"{PREFIX}/").partition("/")
        if name == "apps" and request.method == "PUT":
            return self._register(rest, request.get_data())
        with self._lock:
            answer = self._answer_app(request, name, f"/{rest}")
        return answer or (None if request.method == "GET" else self._receive(request, name, f"/{rest}"))

    def _register(self, app: str, public_key: bytes) -> Response:
        try:
            self.apps.register(app, public_key)
        except ValueError as error:
            return _json({"message": str(error)}, 400)
        return Response(status=204)

    def _answer_app(self, request: Request, name: str, path: str) -> Response | None:
        """Answer what is asked before a report: of an App, and what `reports check` reads; None for a report.

        These calls hold tokens, and nothing that a person wants to see, so they are not kept.
        """
        authorization = request.headers.get("Authorization", "")
        headers: dict[str, str] = {}
        asked = self.apps.answer(request.method, path, authorization)
        if asked is None and name == "github":
            asked = self.apps.refusal(authorization)
        if asked is None and request.method == "GET":
            has_token = bool(authorization or request.headers.get("PRIVATE-TOKEN"))
            if (read := read_answer(name, path, has_token=has_token)) is not None:
                asked, headers = read[:2], read[2]
        if asked is not None and (failure := self._failure(name)) is not None and failure.status is not None:
            asked, headers = (failure.status, {"message": "It fails, as it was told to."}), failure.headers
        if asked is None:
            return None
        response = _json(asked[1], asked[0])
        response.headers.update(headers)
        return response

    def _fail(self, request: Request) -> Response:
        try:
            failure = Failure.model_validate_json(request.get_data())
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            return _json({"message": faults}, 400)
        with self._lock:
            self._failures.append(failure)
        return _json(failure.model_dump(), 201)

    def _failure(self, name: str) -> Failure | None:
        failure = next((one for one in self._failures if one.name == name), None)
        if failure is not None:
            failure.times -= 1
            if failure.times == 0:
                self._failures.remove(failure)
        return failure

    def _receive(self, request: Request, name: str, path: str) -> Response:
        try:
            content = json.loads(request.get_data())
        except ValueError:
            return _json({"message": "the body is no JSON"}, 400)
        with self._lock:
            number = next(self._numbers)
            failure = self._failure(name)
            is_lost = failure is not None and failure.status is None
            answer: dict[str, Any] | str
            if failure is not None and failure.status is not None:
                status, answer = failure.status, {"message": "It fails, as it was told to."}
            else:
                refuse = _RULES.get(name)
                refusal = refuse(self._states, path, content) if refuse else None
                status, answer = refusal or _accepted(name, request.method, number)
            shown = None if is_lost else status
            one = Received(number, datetime.now(UTC), name, request.method, path, content, shown)
            self.received = [*self.received[-MOST_KEPT + 1 :], one]
        if is_lost:
            raise DropConnectionError
        response = (
            Response(answer, status, content_type="text/plain") if isinstance(answer, str) else _json(answer, status)
        )
        response.headers.update(failure.headers if failure is not None else {})
        return response

    def _list(self) -> Response:
        with self._lock:
            kept = list(self.received)
        members = [{**vars(one), "at": one.at.isoformat()} for one in kept]
        return _json({"received": members}, 200)

    def _page(self) -> str:
        with self._lock:
            kept = list(reversed(self.received))
        rows = "".join(
            f"<tr><td>{one.at:%H:%M:%S}<td>{escape(one.name)}<td>{one.status or 'lost'}"
            f"<td>{escape(headline(one.content))}"
            f"<td><details><summary>{escape(one.method)} {escape(one.path[:80])}</summary>"
            f"<pre>{escape(json.dumps(one.content, indent=2, ensure_ascii=False))}</pre></details>"
            for one in kept
        )
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Reports</title>'
            "<style>body{font:16px/1.5 system-ui;margin:2rem}table{border-collapse:collapse;width:100%}"
            "td,th{text-align:left;vertical-align:top;padding:.3rem .8rem;border-bottom:1px solid #ccc}"
            "pre{white-space:pre-wrap;overflow-wrap:anywhere;max-width:60rem}</style>"
            "<h1>Reports that targets received</h1>"
            + (
                f"<table><tr><th>Time<th>Target<th>Answer<th>Report<th>Call</tr>{rows}</table>"
                if kept
                else "<p>None yet. Give a target of <code>reports</code> in routes.yaml an address below "
                f"<code>{PREFIX}/&lt;name&gt;</code>.</p>"
            )
            + "</html>\n"
        )


def headline(content: Any) -> str:
    """What a person wants to see of a report: its state and its first text."""
    if not isinstance(content, dict):
        return ""
    words = [content.get("state"), content.get("context") or content.get("name") or content.get("key")]
    words += [content.get("description"), content.get("text"), content.get("fallbackText"), content.get("body")]
    words += [embed.get("title") for embed in content.get("embeds", []) if isinstance(embed, dict)]
    words += [content.get("type") if "data" in content else None]
    texts = [word.get("name") if isinstance(word, dict) else word for word in words]
    return " · ".join(text.strip().splitlines()[0][:160] for text in texts if isinstance(text, str) and text.strip())


Refusal = tuple[int, dict[str, Any]]


def _github(_: dict[str, str], path: str, content: Mapping[str, Any]) -> Refusal | None:
    if not _STATUS.search(path):
        return None
    if content.get("state") not in {"error", "failure", "pending", "success"}:
        return 422, {"message": "Validation Failed: state"}
    if len(str(content.get("description", ""))) > 140:
        return 422, {"message": "Validation Failed: description is too long (maximum is 140 characters)"}
    return _made_up(path, 422, "No commit found for SHA")


def _gitlab(states: dict[str, str], path: str, content: Mapping[str, Any]) -> Refusal | None:
    if not _STATUS.search(path):
        return None
    state = str(content.get("state"))
    if state not in {"pending", "running", "success", "failed", "canceled", "skipped"}:
        return 400, {"error": "state does not have a valid value"}
    if any(len(str(content.get(name, ""))) > 255 for name in ("description", "target_url", "ref")):
        return 400, {"message": "is too long (maximum is 255 characters)"}
    subject = f"gitlab {path} {content.get('name')}"
    if states.get(subject) == state and state in {"pending", "running"}:
        return 400, {"message": f"Cannot transition status via :enqueue from :{state}"}
    states[subject] = state
    return _made_up(path, 404, "404 Commit Not Found")


def _bitbucket(_: dict[str, str], path: str, content: Mapping[str, Any]) -> Refusal | None:
    if not _STATUS.search(path):
        return None
    if len(str(content.get("key", ""))) > 40 or not content.get("url"):
        return 400, {"error": {"message": "key: at most 40 characters, url: required"}}
    if content.get("state") not in {"INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"}:
        return 400, {"error": {"message": "state"}}
    return _made_up(path, 404, "Commit not found")


def _made_up(path: str, status: int, message: str) -> Refusal | None:
    """A commit of zeros is at no host."""
    return (status, {"message": message}) if "0" * 40 in path else None


_RULES: Mapping[str, Callable[[dict[str, str], str, Mapping[str, Any]], Refusal | None]] = {
    "github": _github,
    "gitlab": _gitlab,
    "bitbucket": _bitbucket,
}


def _accepted(name: str, method: str, number: int) -> tuple[int, dict[str, Any] | str]:
    match name:
        case "slack":
            return 200, "ok"
        case "teams":
            return 202, ""
        case "slack_bot":
            return 200, {"ok": True, "channel": "C0123456789", "ts": f"{number}.000100"}
        case "gitlab":
            return 201, {"id": number, "pipeline_id": 4711}
        case _:
            return (200 if method != "POST" else 201), {"id": str(number)}


def _json(document: Mapping[str, Any], status: int) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")
