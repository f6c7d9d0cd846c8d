"""GitHub's webhooks of repositories: each event is delivered once, and again when somebody asks for it.

Source: https://docs.github.com/rest/repos/webhooks; GitHub Docs, "Handling failed webhook deliveries": GitHub never
delivers again by itself, and waits ten seconds for an answer.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import urllib3
from pydantic import BaseModel, ConfigDict

from local.report_hosts.calls import HostAnswer, HostCall, apply, rules
from local.report_hosts.github import NOT_FOUND, invalid, refusal

SECONDS_TO_ANSWER = 10
MOST_WEBHOOKS = 20
_HOOKS = r"/repos/([^/]+/[^/]+)/hooks"
_DELIVERIES = rf"{_HOOKS}/(\d+)/deliveries"
# What GitHub says of deliveries that got no answer.
_NOT_CONNECTED, _TIMED_OUT = ("failed to connect to host", 502), ("timed out", 504)


class HostEvent(BaseModel):
    """Something that happens at the host. With `lost`, no webhook can be reached at that moment."""

    model_config = ConfigDict(extra="forbid")

    event: str
    payload: dict[str, Any]
    lost: bool = False


@dataclass(frozen=True)
class Webhook:
    """A webhook of a repository, with the secret that signs its deliveries."""

    number: int
    repository: str
    url: str
    secret: str
    events: tuple[str, ...]

    def shown(self) -> dict[str, Any]:
        """As the API shows it, without the secret."""
        config = {"url": self.url, "content_type": "json", "insecure_ssl": "0", "secret": "********"}
        members = {"type": "Repository", "id": self.number, "name": "web", "active": True}
        return {**members, "events": [*self.events], "config": config}


@dataclass(frozen=True)
class Message:
    """What is delivered; all attempts at it have the same id and body."""

    webhook: Webhook
    event: str
    body: bytes
    guid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def post(self) -> tuple[str, int]:
        """Make an attempt, and give what GitHub says of it: a status in words, and the code."""
        signature = hmac.new(self.webhook.secret.encode(), self.body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/local",
            "X-GitHub-Delivery": self.guid,
            "X-GitHub-Event": self.event,
            "X-GitHub-Hook-ID": str(self.webhook.number),
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        url, timeout = self.webhook.url, SECONDS_TO_ANSWER
        try:
            with urllib3.PoolManager() as pool:
                answer = pool.request("POST", url, body=self.body, headers=headers, retries=False, timeout=timeout)
        except urllib3.exceptions.ReadTimeoutError:
            return _TIMED_OUT
        except (urllib3.exceptions.HTTPError, OSError):
            return _NOT_CONNECTED
        is_ok = 200 <= answer.status < 300
        return "OK" if is_ok else f"Invalid HTTP Response: {answer.status}", answer.status


@dataclass(frozen=True)
class Attempt:
    """One attempt at a delivery, and what GitHub says of it."""

    number: int
    message: Message
    is_redelivery: bool
    at: datetime
    status: tuple[str, int] = _TIMED_OUT

    def shown(self) -> dict[str, Any]:
        """As the API lists it."""
        return {
            "id": self.number,
            "guid": self.message.guid,
            "delivered_at": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "redelivery": self.is_redelivery,
            "duration": 0.1,
            "status": self.status[0],
            "status_code": self.status[1],
            "event": self.message.event,
            "action": None,
            "installation_id": None,
            "repository_id": 1,
            "throttled_at": None,
        }


class GitHubWebhooks:
    """The webhooks of all repositories, and the attempts at their deliveries that have ended."""

    def __init__(self) -> None:
        self._webhooks: dict[int, Webhook] = {}
        self._attempts: list[Attempt] = []
        self._numbers = count(12_001)
        self._lock = threading.Lock()
        self._rules = rules(
            ("GET", _HOOKS, self._list),
            ("POST", _HOOKS, self._create),
            ("GET", _DELIVERIES, self._list_deliveries),
            ("POST", rf"{_DELIVERIES}/(\d+)/attempts", self._deliver_again),
        )

    @staticmethod
    def has(path: str) -> bool:
        """Whether a path of GitHub's API is of webhooks."""
        return "/hooks" in path

    def answer(self, call: HostCall) -> HostAnswer:
        """Answer a call of the API."""
        return refusal(call) or apply(self._rules, call, NOT_FOUND)

    def happen(self, repository: str, event: HostEvent) -> list[str]:
        """Deliver an event to the webhooks that wait for it, and give the ids of its deliveries."""
        body = json.dumps(event.payload).encode()
        messages = [
            Message(webhook, event.event, body)
            for webhook in self._of(repository)
            if not {event.event, "*"}.isdisjoint(webhook.events)
        ]
        for message in messages:
            attempt = self._attempt(message)
            if event.lost:
                self._record(attempt, _NOT_CONNECTED)
            else:
                self._deliver(attempt)
        return [message.guid for message in messages]

    def clear(self) -> None:
        """Forget all webhooks and deliveries."""
        with self._lock:
            self._webhooks.clear()
            self._attempts.clear()

    # ------------------------------------------------------------ the API

    def _list(self, call: HostCall, repository: str) -> HostAnswer:
        webhooks, _ = call.page(self._of(repository), "per_page", 30)
        return HostAnswer(200, [webhook.shown() for webhook in webhooks])

    def _create(self, call: HostCall, repository: str) -> HostAnswer:
        url, events = call.text("config", "url"), call.content.get("events", ["push"])
        if not url.startswith(("https://", "http://")):
            return invalid("url is missing or no address")
        if call.text("config", "content_type") != "json":
            return invalid("content_type: this stand-in delivers json")
        if not isinstance(events, list) or not all(isinstance(each, str) for each in events):
            return invalid("events")
        webhooks = self._of(repository)
        if any(webhook.url == url for webhook in webhooks):
            return invalid("Hook already exists on this repository")
        if len(webhooks) >= MOST_WEBHOOKS:
            return invalid("The event cannot have more than 20 hooks")
        with self._lock:
            secret = call.text("config", "secret")
            webhook = Webhook(next(self._numbers), repository, url, secret, tuple(events))
            self._webhooks[webhook.number] = webhook
        ping = {"zen": "Keep it logically awesome.", "hook_id": webhook.number}
        self._deliver(self._attempt(Message(webhook, "ping", json.dumps(ping).encode())))
        return HostAnswer(201, webhook.shown())

    def _list_deliveries(self, call: HostCall, repository: str, number: str) -> HostAnswer:
        if self._webhook(repository, number) is None:
            return NOT_FOUND
        attempts = list(reversed(self._attempts_of(number)))
        if "cursor" in call.query:
            places = {_cursor(attempt): place for place, attempt in enumerate(attempts)}
            place = places.get(call.query["cursor"])
            if place is None:
                return HostAnswer(400, {"message": "Bad Request: invalid cursor"})
            attempts = attempts[place:]
        size = min(call.number("per_page", 30), 100)
        shown, following = attempts[:size], attempts[size : size + 1]
        address = f"{call.address}{call.path}?per_page={size}"
        more = {"link": f'<{address}&cursor={_cursor(following[0])}>; rel="next"'} if following else {}
        return HostAnswer(200, [attempt.shown() for attempt in shown], more)

    def _deliver_again(self, call: HostCall, repository: str, number: str, delivery: str) -> HostAnswer:
        webhook = self._webhook(repository, number)
        attempts = [] if webhook is None else self._attempts_of(number)
        attempt = next((each for each in attempts if each.number == int(delivery)), None)
        if attempt is None:
            return NOT_FOUND
        self._deliver(self._attempt(attempt.message, is_redelivery=True))
        return HostAnswer(202, {})

    # ------------------------------------------------------------ deliveries

    def _attempt(self, message: Message, *, is_redelivery: bool = False) -> Attempt:
        return Attempt(next(self._numbers), message, is_redelivery, datetime.now(UTC))

    def _deliver(self, attempt: Attempt) -> None:
        """Make an attempt, while the caller goes on."""

        def make() -> None:
            self._record(attempt, attempt.message.post())

        threading.Thread(target=make, daemon=True).start()

    def _record(self, attempt: Attempt, status: tuple[str, int]) -> None:
        with self._lock:
            self._attempts.append(replace(attempt, status=status))

    def _of(self, repository: str) -> list[Webhook]:
        with self._lock:
            return [each for each in self._webhooks.values() if each.repository.casefold() == repository.casefold()]

    def _webhook(self, repository: str, number: str) -> Webhook | None:
        return next((webhook for webhook in self._of(repository) if webhook.number == int(number)), None)

    def _attempts_of(self, number: str) -> list[Attempt]:
        with self._lock:
            attempts = [each for each in self._attempts if each.message.webhook.number == int(number)]
        return sorted(attempts, key=lambda attempt: attempt.number)


def _cursor(attempt: Attempt) -> str:
    return f"v1_{attempt.number}"
