"""The stand-in for GitHub's webhooks: its rules, its pages, and what is delivered again."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from local.report_targets import PREFIX, ReportTargets
from local.server.http_server import DropConnectionError

HOOKS = "/github/repos/acme/web/hooks"


@dataclass
class Receiver:
    """The address of a webhook; `status` is what it answers."""

    status: int = 202
    address: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    arrival: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, number: int) -> list[tuple[dict[str, str], bytes]]:
        with self.arrival:
            assert self.arrival.wait_for(lambda: len(self.received) >= number, 60)
            return list(self.received)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(state.status)
            self.end_headers()
            with state.arrival:
                state.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                state.arrival.notify_all()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.address = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield state
        server.shutdown()


def call(targets: ReportTargets, method: str, path: str, content: Any = None, token: str | None = "t0ken") -> Response:
    headers = [("User-Agent", "tests"), *([("Authorization", f"Bearer {token}")] if token else [])]
    path, _, query = path.partition("?")
    data = b"" if content is None else json.dumps(content).encode()
    builder = EnvironBuilder(f"{PREFIX}{path}", method=method, query_string=query, data=data, headers=headers)
    answer = targets.answer(Request(builder.get_environ()))
    assert answer is not None
    return answer


def create_hook(targets: ReportTargets, url: str, *events: str) -> int:
    config = {"url": url, "content_type": "json", "secret": "s3cret"}
    answer = call(targets, "POST", HOOKS, {"config": config, "events": [*events] or ["push"]})
    assert answer.status_code == 201
    assert "s3cret" not in answer.get_data(as_text=True)
    return int(answer.get_json()["id"])


def happen(targets: ReportTargets, *, event: str = "push", lost: bool = False) -> list[str]:
    content = {"event": event, "payload": {"ref": "refs/heads/main"}, "lost": lost}
    answer = call(targets, "POST", "/events/Acme/web", content)
    assert answer.status_code == 201
    guids: list[str] = answer.get_json()["deliveries"]
    return guids


def recorded(targets: ReportTargets, hook: int, number: int) -> list[dict[str, Any]]:
    """The attempts, the newest first, once there are as many: they are recorded after their answers."""
    pause = threading.Event()
    for _ in range(1200):
        attempts: list[dict[str, Any]] = call(targets, "GET", f"{HOOKS}/{hook}/deliveries?per_page=100").get_json()
        if len(attempts) >= number:
            return attempts
        pause.wait(0.05)
    raise AssertionError(attempts)


def test_a_webhook_is_pinged_and_gets_what_it_waits_for_signed(receiver: Receiver) -> None:
    targets = ReportTargets()
    hook = create_hook(targets, receiver.address, "push")
    receiver.wait_for(1)
    assert happen(targets, event="issues") == []
    (guid,) = happen(targets)
    (ping, _), (headers, body) = receiver.wait_for(2)
    assert (ping["x-github-event"], headers["x-github-event"], headers["x-github-delivery"]) == ("ping", "push", guid)
    signature = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["x-hub-signature-256"] == f"sha256={signature}"
    attempts = recorded(targets, hook, 2)
    assert [(each["event"], each["status"], each["status_code"]) for each in attempts] == [
        ("push", "OK", 202),
        ("ping", "OK", 202),
    ]


def test_what_was_lost_comes_once_more_with_its_id_and_body_when_it_is_asked_for(receiver: Receiver) -> None:
    targets = ReportTargets()
    hook = create_hook(targets, receiver.address)
    recorded(targets, hook, 1)
    (guid,) = happen(targets, lost=True)
    (lost, _) = recorded(targets, hook, 2)
    assert (lost["guid"], lost["status_code"], lost["redelivery"]) == (guid, 502, False)
    receiver.status = 500
    answer = call(targets, "POST", f"{HOOKS}/{hook}/deliveries/{lost['id']}/attempts")
    assert (answer.status_code, answer.get_json()) == (202, {})
    headers, body = receiver.wait_for(2)[1]
    assert (headers["x-github-delivery"], json.loads(body)) == (guid, {"ref": "refs/heads/main"})
    again = recorded(targets, hook, 3)[0]
    assert (again["guid"], again["status"], again["redelivery"]) == (guid, "Invalid HTTP Response: 500", True)
    assert again["id"] != lost["id"]


def test_an_address_at_which_nobody_is_gets_nothing() -> None:
    targets = ReportTargets()
    hook = create_hook(targets, "http://127.0.0.1:1/hook")
    assert recorded(targets, hook, 1)[0]["status"] == "failed to connect to host"


def test_deliveries_have_pages_with_cursors(receiver: Receiver) -> None:
    targets = ReportTargets()
    hook = create_hook(targets, receiver.address)
    recorded(targets, hook, 1)
    guids = [happen(targets, lost=True)[0] for _ in range(4)]
    address = f"{HOOKS}/{hook}/deliveries?per_page=2"
    first = call(targets, "GET", address)
    cursor = first.headers["link"].partition("cursor=")[2].partition(">")[0]
    second = call(targets, "GET", f"{address}&cursor={cursor}")
    assert [each["guid"] for each in first.get_json() + second.get_json()] == guids[::-1]
    last = call(targets, "GET", f"{address}&cursor={second.headers['link'].partition('cursor=')[2].partition('>')[0]}")
    assert ([each["event"] for each in last.get_json()], last.headers.get("link")) == (["ping"], None)
    assert call(targets, "GET", f"{address}&cursor=v1_7").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", HOOKS, {"config": {}}, 422),
        ("POST", HOOKS, {"config": {"url": "https://ci.example.com", "content_type": "form"}}, 422),
        ("POST", HOOKS, {"config": {"url": "https://ci.example.com", "content_type": "json"}, "events": "push"}, 422),
        ("POST", HOOKS, [], 400),
        ("GET", f"{HOOKS}/1/deliveries", None, 404),
        ("POST", f"{HOOKS}/1/deliveries/1/attempts", None, 404),
        ("DELETE", HOOKS, None, 404),
        ("POST", "/events/acme/web", {"event": "push"}, 400),
    ],
)
def test_what_github_refuses_is_refused(method: str, path: str, content: Any, status: int) -> None:
    assert call(ReportTargets(), method, path, content).status_code == status


def test_a_webhook_is_there_once_and_in_its_repository_alone(receiver: Receiver) -> None:
    targets = ReportTargets()
    hook = create_hook(targets, receiver.address)
    config = {"url": receiver.address, "content_type": "json"}
    assert call(targets, "POST", HOOKS, {"config": config}).status_code == 422
    assert [each["id"] for each in call(targets, "GET", f"{HOOKS}?per_page=100").get_json()] == [hook]
    elsewhere = "/github/repos/acme/docs/hooks"
    assert call(targets, "GET", elsewhere).get_json() == []
    assert call(targets, "GET", f"{elsewhere}/{hook}/deliveries").status_code == 404


def test_nobody_is_told_without_a_token() -> None:
    assert call(ReportTargets(), "GET", HOOKS, token=None).status_code == 401


def test_the_api_of_webhooks_fails_as_it_was_told_and_keeps_no_call(receiver: Receiver) -> None:
    targets = ReportTargets()
    create_hook(targets, receiver.address)
    call(targets, "POST", "", {"name": "github", "path": "/hooks", "status": 503})
    call(targets, "POST", "", {"name": "github", "path": "/hooks"})
    assert call(targets, "GET", HOOKS).status_code == 503
    with pytest.raises(DropConnectionError):
        call(targets, "GET", HOOKS)
    assert call(targets, "GET", HOOKS).status_code == 200
    assert targets.received == []
    call(targets, "DELETE", "")
    assert call(targets, "GET", HOOKS).get_json() == []
