"""The jobs API as a client meets it: answers in its models, in memory for decisions and at the wire for commands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from amplify_jobs.indexing.answers import BranchState, LogText, RequestState, RequestStory
from amplify_jobs.indexing.deliveries import DeliveryStory, RoutesInEffect, ScheduleState
from amplify_jobs_cli.api import ApiRefusedError
from local.server.http_server import HttpServer

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
COMMIT = "4f2c1e0d5b6a7988776655443322110099aabbcc"


def story(request_id: str, **members: Any) -> RequestStory:
    """A push to acme/web that was built, unless the members say otherwise."""
    members_of_story = {
        "state": RequestState.FINISHED,
        "outcome": "SUCCEEDED",
        "operation": "start_job",
        "route": "web",
        "app_id": "d1a2b3c4d5e6",
        "app_name": "web",
        "branch_name": "main",
        "job_id": "17",
        "requested_at": NOW,
        "repository": "acme/web",
        "ref": "refs/heads/main",
        "commit": COMMIT,
        "commit_message": "Say hello",
        "author": "Ada",
        "trigger": "push",
        "as_of": NOW,
        **members,
    }
    return RequestStory(request_id=request_id, **members_of_story)


def running(request_id: str, **members: Any) -> RequestStory:
    """The same while it runs."""
    return story(request_id, **{"state": RequestState.STARTED, "outcome": None, **members})


def delivery(delivery_id: str, **members: Any) -> DeliveryStory:
    """A push to acme/web that no route was asked about, unless the members say otherwise."""
    members_of_story = {
        "source": "github",
        "provider": "github",
        "received_at": NOW,
        "kind": "push",
        "repository": "acme/web",
        "ref": "refs/heads/main",
        "commit": COMMIT,
        "summary": "no route wants it",
        **members,
    }
    return DeliveryStory(delivery_id=delivery_id, **members_of_story)


@dataclass
class FakeJobsApi:
    """Lists newest first. `before_call` is called with method and path before each answer, and may change anything."""

    stories: list[RequestStory] = field(default_factory=list)
    deliveries: list[DeliveryStory] = field(default_factory=list)
    branches: list[BranchState] = field(default_factory=list)
    schedules: list[ScheduleState] = field(default_factory=list)
    routes: RoutesInEffect | None = None
    # Parts of a log, in their order.
    log: list[LogText] = field(default_factory=list)
    orders: list[tuple[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    before_call: Callable[[str], None] = lambda path: None

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        self.calls.append(path)
        self.before_call(path)
        match [unquote(part) for part in path.split("/")[1:]]:
            case ["requests"]:
                return _page([one for one in self.stories if _fits(one, parameters)], parameters)
            case ["requests", request_id]:
                return _one((one for one in self.stories if one.request_id == request_id), request_id)
            case ["requests", _, "log"]:
                return self.log[min(int(parameters["offset"]), len(self.log) - 1)].model_dump(
                    mode="json", by_alias=True
                )
            case ["deliveries"]:
                entries = [
                    one for one in self.deliveries if one.repository == parameters.get("repository", one.repository)
                ]
                return _page(entries, parameters)
            case ["deliveries", delivery_id]:
                return _one((one for one in self.deliveries if one.delivery_id == delivery_id), delivery_id)
            case ["branches"]:
                return _page([one for one in self.branches if _is_asked_for(one, parameters)], parameters)
            case ["schedules"]:
                return _page(self.schedules, parameters)
            case ["routes"] if self.routes is not None:
                return self.routes.model_dump(mode="json", by_alias=True)
        raise ApiRefusedError(f"there is nothing at {path}", 404)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        self.before_call(path)
        self.orders.append((path, dict(body)))
        parts = path.split("/")
        return {"requestId": parts[2] if len(parts) > 3 and parts[3] == "stop" else "web-new"}


def _page(items: list[Any], parameters: Mapping[str, Any]) -> Any:
    begin = int(parameters.get("next", 0))
    end = begin + int(parameters["limit"])
    shown = [item.model_dump(mode="json", by_alias=True) for item in items[begin:end]]
    return {"items": shown, "next": str(end) if end < len(items) else None, "asOf": NOW.isoformat()}


def _one(entries: Iterator[Any], name: str) -> Any:
    if (item := next(entries, None)) is None:
        raise ApiRefusedError(f"there is no {name}", 404)
    return item.model_dump(mode="json", by_alias=True)


def _is_asked_for(branch: BranchState, parameters: Mapping[str, Any]) -> bool:
    app, name = parameters.get("app"), parameters.get("branch")
    return app in (None, branch.app_id, branch.app_name) and name in (None, branch.branch_name)


def _fits(request: RequestStory, parameters: Mapping[str, Any]) -> bool:
    states = {RequestState.STARTED: "running", RequestState.RECEIVED: "waiting"}
    values: dict[str, set[str | None]] = {
        "app": {request.app_id, request.app_name},
        "branch": {request.branch_name},
        "repository": {request.repository},
        "commit": {request.commit},
        "route": {request.route},
        "state": {states.get(request.state, "finished")},
    }
    return all(parameters[name] in accepted for name, accepted in values.items() if name in parameters)


@dataclass
class JobsApiStandIn:
    """The API behind a port; `answer`, if set, is what every call gets instead."""

    api: FakeJobsApi = field(default_factory=FakeJobsApi)
    answer: Response | None = None
    # Method, path with query, and the Authorization header of each call.
    received: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""

    def __call__(self, request: Request) -> Response:
        self.received.append((request.method, request.full_path.rstrip("?"), request.headers.get("Authorization", "")))
        if self.answer is not None:
            return self.answer
        try:
            if request.method == "POST":
                return _json(self.api.post(request.path, request.get_json()), 202)
            document = self.api.get(request.path, request.args.to_dict())
        except ApiRefusedError as error:
            problem = {"type": "about:blank", "title": "Not Found", "status": error.status, "detail": str(error)}
            return _json(problem, error.status)
        tag = hashlib.sha256(json.dumps(document).encode()).hexdigest()
        if request.headers.get("If-None-Match") == tag:
            return Response(status=304)
        answer = _json(document, 200)
        answer.headers["ETag"] = tag
        return answer


def _json(document: Any, status: int) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")


@contextmanager
def serving_jobs_api() -> Iterator[JobsApiStandIn]:
    """Serve on a free port."""
    stand_in = JobsApiStandIn()
    server = HttpServer("jobs-api")
    stand_in.url = server.url
    server.start(stand_in)
    try:
        yield stand_in
    finally:
        server.close()
