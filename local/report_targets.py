"""Stand-ins for the targets of reports: APIs of git hosts and webhooks of chats, below /_local/reports/<name>/.

They keep what they got, and show it as a page and as JSON. Those of git hosts have their host's rules (report_hosts).
Nothing is stored on disk.

POST /_local/reports {"name": "github", "status": 503, "times": 3, "headers": {"retry-after": "60"}} has the next calls
of a stand-in answered so; without a status, they are done and their answers are lost. DELETE ends that, and forgets all
calls. report_apps.py answers what a GitHub App asks, report_reads.py what `reports check` reads.

POST /_local/reports/events/<owner>/<name> {"event": "push", "payload": {…}, "lost": true} lets something happen in a
repository at GitHub: its webhooks, made by GitHub's API, deliver it. What is lost can be asked for again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from itertools import count
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.wrappers import Request, Response

from local.report_apps import Apps
from local.report_hosts import HOSTS
from local.report_hosts.calls import HostAnswer, HostApi, HostCall
from local.report_hosts.github_webhooks import GitHubWebhooks, HostEvent
from local.report_reads import read_answer
from local.server.http_server import DropConnectionError
from local.server.protocol.match import raw_path

PREFIX = "/_local/reports"
MOST_KEPT = 500
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


class Failure(BaseModel):
    """How the next calls of a stand-in fail; without a status, their answers are lost.

    `method` picks those of one method, `path` those whose path has this part.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    method: str | None = None
    path: str = ""
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
    webhooks: GitHubWebhooks = field(default_factory=GitHubWebhooks)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _hosts: dict[str, HostApi] = field(default_factory=dict)
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
                self._hosts.clear()
                self._failures.clear()
                self.apps.clear()
                self.webhooks.clear()
            return Response(status=204)
        if path.rstrip("/") == PREFIX and request.method == "POST":
            return self._fail(request)
        name, _, rest = path.removeprefix(f"{PREFIX}/").partition("/")
        if not path.startswith(f"{PREFIX}/") or request.method not in _METHODS:
            return None
        if name == "apps" and request.method == "PUT":
            return self._register(rest, request.get_data())
        if name == "events" and request.method == "POST":
            return self._happen(rest, request.get_data())
        if name == "github" and self.webhooks.has(f"/{rest}"):
            return self._answer_webhooks(request, f"/{rest}")
        with self._lock:
            answer = self._answer_app(request, name, f"/{rest}")
        if answer is None and request.method in {"GET", "DELETE"} and name not in HOSTS:
            return None
        return answer or self._receive(request, name, f"/{rest}")

    def _register(self, app: str, public_key: bytes) -> Response:
        try:
            self.apps.register(app, public_key)
        except ValueError as error:
            return _json({"message": str(error)}, 400)
        return Response(status=204)

    def _happen(self, repository: str, body: bytes) -> Response:
        try:
            event = HostEvent.model_validate_json(body)
        except ValidationError as error:
            return _json({"message": _faults(error)}, 400)
        return _json({"deliveries": self.webhooks.happen(repository, event)}, 201)

    def _answer_webhooks(self, request: Request, path: str) -> Response:
        """Answer a call of the API of webhooks. It is no report, and has secrets, so it is not kept."""
        with self._lock:
            failure = self._failure("github", request.method, path)
        if failure is not None and failure.status is not None:
            return _failed(failure)
        try:
            content = json.loads(request.get_data() or b"{}")
        except ValueError:
            content = None
        answer = (
            self.webhooks.answer(self._call(request, "github", path, content))
            if isinstance(content, dict)
            else HostAnswer(400, {"message": "Problems parsing JSON"})
        )
        if failure is not None:
            raise DropConnectionError
        response = _json(answer.content, answer.status)
        response.headers.update(answer.headers)
        return response

    def _answer_app(self, request: Request, name: str, path: str) -> Response | None:
        """Answer what is asked before a report: of an App, and what `reports check` reads; None for a report.

        These calls hold tokens, and nothing that a person wants to see, so they are not kept.
        """
        authorization = request.headers.get("Authorization", "")
        headers: dict[str, str] = {}
        answer = self.apps.answer(request.method, path, authorization)
        if answer is None and name == "github":
            answer = self.apps.refusal(authorization)
        if answer is None and request.method == "GET":
            has_token = bool(authorization or request.headers.get("PRIVATE-TOKEN"))
            if (read := read_answer(name, path, has_token=has_token)) is not None:
                answer, headers = read[:2], read[2]
        if answer is not None and (failure := self._failure(name, request.method, path)) is not None:
            if failure.status is None:
                raise DropConnectionError
            answer, headers = (failure.status, {"message": "It fails, as it was told to."}), failure.headers
        if answer is None:
            return None
        response = _json(answer[1], answer[0])
        response.headers.update(headers)
        return response

    def _fail(self, request: Request) -> Response:
        try:
            failure = Failure.model_validate_json(request.get_data())
        except ValidationError as error:
            return _json({"message": _faults(error)}, 400)
        with self._lock:
            self._failures.append(failure)
        return _json(failure.model_dump(), 201)

    def _failure(self, name: str, method: str, path: str) -> Failure | None:
        fitting = (
            each for each in self._failures if each.name == name and each.method in {None, method} and each.path in path
        )
        failure = next(fitting, None)
        if failure is not None:
            failure.times -= 1
            if failure.times == 0:
                self._failures.remove(failure)
        return failure

    def _receive(self, request: Request, name: str, path: str) -> Response:
        try:
            content = json.loads(request.get_data() or b"null")
        except ValueError:
            return _json({"message": "the body is no JSON"}, 400)
        with self._lock:
            number = next(self._numbers)
            failure = self._failure(name, request.method, path)
            is_lost = failure is not None and failure.status is None
            if failure is not None and failure.status is not None:
                answer = HostAnswer(failure.status, {"message": "It fails, as it was told to."})
            else:
                answer = self._answer(request, name, path, content, number)
            shown = None if is_lost else answer.status
            report = Received(number, datetime.now(UTC), name, request.method, path, content, shown)
            self.received = [*self.received[-MOST_KEPT + 1 :], report]
        if is_lost:
            raise DropConnectionError
        response = (
            Response(answer.content or "", answer.status, content_type="text/plain")
            if answer.content is None or isinstance(answer.content, str)
            else _json(answer.content, answer.status)
        )
        response.headers.update({**answer.headers, **(failure.headers if failure is not None else {})})
        return response

    def _answer(self, request: Request, name: str, path: str, content: Any, number: int) -> HostAnswer:
        if name not in HOSTS:
            return HostAnswer(*_accepted(name, request.method, number))
        host = self._hosts.setdefault(name, HOSTS[name]())
        if request.method in {"POST", "PUT", "PATCH"} and not isinstance(content, dict):
            return HostAnswer(400, {"message": "the body is no object"})
        return host.answer(self._call(request, name, path, content))

    @staticmethod
    def _call(request: Request, name: str, path: str, content: Any) -> HostCall:
        headers = {key.lower(): value for key, value in request.headers.items()}
        address = f"{request.host_url.rstrip('/')}{PREFIX}/{name}"
        return HostCall(request.method, address, path, request.args.to_dict(), headers, content)

    def _list(self) -> Response:
        with self._lock:
            reports = list(self.received)
        members = [{**vars(each), "at": each.at.isoformat()} for each in reports]
        return _json({"received": members}, 200)

    def _page(self) -> str:
        with self._lock:
            reports = list(reversed(self.received))
        rows = "".join(
            f"<tr><td>{each.at:%H:%M:%S}<td>{escape(each.name)}<td>{each.status or 'lost'}"
            f"<td>{escape(headline(each.content))}"
            f"<td><details><summary>{escape(each.method)} {escape(each.path[:80])}</summary>"
            f"<pre>{escape(json.dumps(each.content, indent=2, ensure_ascii=False))}</pre></details>"
            for each in reports
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
                if reports
                else "<p>None yet. Give a target of <code>reports</code> in routes.yaml an address below "
                f"<code>{PREFIX}/&lt;name&gt;</code>.</p>"
            )
            + "</html>\n"
        )


def _faults(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


def _failed(failure: Failure) -> Response:
    response = _json({"message": "It fails, as it was told to."}, failure.status or 500)
    response.headers.update(failure.headers)
    return response


def headline(content: Any) -> str:
    """What a person wants to see of a report: its state and its first text."""
    if not isinstance(content, dict):
        return ""
    if content.get("Type") == "Notification":
        return headline(_notification(content))
    words = [content.get("state"), content.get("context") or content.get("name") or content.get("key")]
    words += [content.get("description"), content.get("text"), content.get("fallbackText"), content.get("body")]
    words += [content.get("environment")]
    words += [embed.get("title") for embed in content.get("embeds", []) if isinstance(embed, dict)]
    words += [content.get("type") if "data" in content else None, content.get("title")]
    texts = [word.get("name") if isinstance(word, dict) else word for word in words]
    return " · ".join(text.strip().splitlines()[0][:160] for text in texts if isinstance(text, str) and text.strip())


def _notification(delivery: dict[str, Any]) -> Any:
    """The content of a custom notification that a topic delivered; None if it is none."""
    try:
        notification = json.loads(str(delivery.get("Message")))
    except ValueError:
        return None
    return notification.get("content") if isinstance(notification, dict) else None


def _accepted(name: str, method: str, number: int) -> tuple[int, dict[str, Any] | str]:
    match name:
        case "slack":
            return 200, "ok"
        case "teams":
            return 202, ""
        case "slack_bot":
            return 200, {"ok": True, "channel": "C0123456789", "ts": f"{number}.000100"}
        case _:
            return (200 if method != "POST" else 201), {"id": str(number)}


def _json(document: Mapping[str, Any] | list[Any], status: int) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")
