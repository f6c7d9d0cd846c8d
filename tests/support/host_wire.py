"""The stand-ins of git hosts without a wire: calls of reports are handed to them as they would arrive."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.call import Answer, AwsCall, Call
from local.report_hosts import HOSTS
from local.report_hosts.calls import HostAnswer, HostApi, HostCall

BASE = "https://git.example.com/api"
"""The address of every stand-in's API."""

Fault = Callable[[], HostAnswer | None]
"""What happens to a call: an answer in place of the host's, or None where the call is done and its answer is lost."""


def lost() -> HostAnswer | None:
    return None


def answers(status: int, message: str = "", **headers: str) -> Fault:
    return lambda: HostAnswer(status, {"message": message}, headers)


@dataclass
class HostWire:
    """The way to one host. `faults` happen to the calls in turn; a call that none is left for is done.

    The answer to the first call of each method in `lost_methods` is lost.
    """

    provider: str
    faults: list[Fault | None] = field(default_factory=list)
    lost_methods: list[str] = field(default_factory=list)
    calls: list[HostCall] = field(default_factory=list)
    host: HostApi = field(init=False)

    def __post_init__(self) -> None:
        self.host = HOSTS[self.provider]()

    def send(self, call: Call | AwsCall) -> Answer:
        """Make a call. Raises ServiceTrouble where its answer is lost."""
        assert isinstance(call, Call)
        parts = urlsplit(call.url)
        assert call.url.startswith(f"{BASE}/")
        headers = {name.lower(): value for name, value in call.headers.items()}
        content = json.loads(call.body) if call.body else None
        path = parts.path.removeprefix(urlsplit(BASE).path)
        host_call = HostCall(call.method, BASE, path, dict(parse_qsl(parts.query)), headers, content)
        self.calls.append(host_call)
        fault = self.faults.pop(0) if self.faults else None
        if call.method in self.lost_methods:
            self.lost_methods.remove(call.method)
            fault = lost
        if fault is not None and (failure := fault()) is not None:
            return self._answer(failure)
        answer = self._answer(self.host.answer(host_call))
        if fault is not None:
            raise ServiceTrouble("git.example.com did not answer")
        return answer

    def ask(self, method: str, path: str, content: Any = None, token: str | None = None, **query: str) -> Any:
        """Call the host as somebody else does, and give the content of the answer."""
        headers = {"authorization": f"Bearer {token or 'another'}", "user-agent": "tests"}
        answer = self.host.answer(HostCall(method, BASE, path, query, headers, content))
        assert answer.status < 300, answer
        return answer.content

    @staticmethod
    def _answer(answer: HostAnswer) -> Answer:
        body = b"" if answer.content is None else json.dumps(answer.content).encode()
        return Answer(answer.status, dict(answer.headers), body)
