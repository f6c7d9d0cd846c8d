"""What GitHub is asked, and what its answers mean, without the wire."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast

import pytest

from amplify_jobs.aws.github_deliveries import SECONDS_OF_A_REPOSITORY, SECONDS_SILENT, GitHubDeliveries
from amplify_jobs.aws.outgoing_http import OutgoingHttp
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.errors import NotSetUpError, ServiceTrouble
from amplify_jobs.reconciling.redelivery import MOST_PAGES
from amplify_jobs.reporting.call import Answer, Call
from amplify_jobs.routing.mirrors import Git
from amplify_jobs.routing.reconciled import ReconciledRepository
from tests.support.intake_fakes import FixedSecrets
from tests.support.reconciled import NOON

WEBHOOKS = "https://api.example.com/webhooks"
HOOKS = "https://api.github.com/repos/acme/web/hooks"
TOKEN = "/amplify-jobs/secrets/github-token"
URL = "https://github.com/{repository}.git"
FAILED = {"id": 7, "guid": "a", "delivered_at": "2026-11-28T12:01:00Z", "status_code": 502, "event": "push"}


class Host:
    """Answers by method and address; anything else is 404."""

    def __init__(self, **more: Answer) -> None:
        self.calls: list[str] = []
        self.authorizations: set[str] = set()
        self.trouble: ServiceTrouble | None = None
        self.answers = {
            f"GET {HOOKS}?per_page=100": [{"id": 5, "config": {"url": f"{WEBHOOKS}/github"}}],
            f"GET {HOOKS}/5/deliveries?per_page=100": [FAILED],
        }
        self.links: dict[str, str] = {}
        self.attempt = more.get("attempt", Answer(202))

    def send(self, call: Call) -> Answer:
        if self.trouble is not None:
            raise self.trouble
        self.calls.append(f"{call.method} {call.url}")
        self.authorizations.add(call.headers["Authorization"])
        if call.method == "POST":
            return self.attempt
        content: Any = self.answers.get(self.calls[-1])
        headers = {"link": self.links[call.url]} if call.url in self.links else {}
        return Answer(404) if content is None else Answer(200, headers, json.dumps(content).encode())


def ask(host: Host, secrets: FixedSecrets | None = None, *, provider: str = "github", **git: str) -> int:
    repository = ReconciledRepository("github", provider, "acme/web", Git(url=URL, **({"token": TOKEN} | git)), ())
    deliveries = GitHubDeliveries(cast(OutgoingHttp, host), cast(Secrets, secrets or FixedSecrets(["t0ken"])), WEBHOOKS)
    return deliveries.ask_again(repository, NOON - timedelta(hours=1))


def test_a_failed_delivery_of_our_webhook_is_asked_for_again() -> None:
    host = Host()
    assert ask(host) == 1
    assert host.calls[-1] == f"POST {HOOKS}/5/deliveries/7/attempts"
    assert host.authorizations == {"Bearer t0ken"}


def test_deliveries_are_read_page_by_page_and_at_the_host_alone() -> None:
    host, page = Host(), f"{HOOKS}/5/deliveries?per_page=100"
    other = {**FAILED, "id": 9, "guid": "b", "delivered_at": "2026-11-28T12:09:00Z"}
    host.answers |= {f"GET {page}": [other], f"GET {page}&cursor=v1%2F7": [FAILED]}
    host.links[page] = '<https://elsewhere.example/x?cursor=v1%2F7>; rel="next"'
    assert ask(host) == 2
    assert [call.rpartition("/deliveries")[2] for call in host.calls[-2:]] == ["/7/attempts", "/9/attempts"]


def test_of_very_many_deliveries_the_newest_are_looked_at() -> None:
    host, page = Host(), f"{HOOKS}/5/deliveries?per_page=100"
    for url in (page, f"{page}&cursor=v1"):
        host.answers[f"GET {url}"] = [FAILED]
        host.links[url] = '<https://api.github.com/x?cursor=v1>; rel="next"'
    assert ask(host) == 1
    assert len(host.calls) == 1 + MOST_PAGES + 1


class Clock:
    """Tells how much time has gone by; each answer of a slow host takes some."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class SlowHost(Host):
    """Answers after so many seconds."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    def send(self, call: Call) -> Answer:
        self._clock.now += self._seconds
        return super().send(call)


def test_a_slow_host_takes_little_time_of_a_look() -> None:
    clock = Clock()
    host = SlowHost(clock, SECONDS_OF_A_REPOSITORY * 0.6)
    host.trouble = None
    repository = ReconciledRepository("github", "github", "acme/web", Git(url=URL, token=TOKEN), ())
    secrets = cast(Secrets, FixedSecrets(["t0ken"]))
    deliveries = GitHubDeliveries(cast(OutgoingHttp, host), secrets, WEBHOOKS, clock)
    since = NOON - timedelta(hours=1)
    assert deliveries.ask_again(repository, since) == 0
    assert len(host.calls) == 2
    # Other repositories of the host are not even tried, until the next look.
    assert deliveries.ask_again(repository, since) == 0
    assert len(host.calls) == 2
    clock.now += SECONDS_SILENT
    host.trouble = ServiceTrouble("api.github.com did not answer")
    assert deliveries.ask_again(repository, since) == 0
    host.trouble = None
    elsewhere = ReconciledRepository(
        "github", "github", "acme/web", Git(url="https://git.example.com/{repository}", token=TOKEN), ()
    )
    assert deliveries.ask_again(elsewhere, since) == 0
    assert host.calls[-1].startswith("GET https://git.example.com/api/v3/")


def test_one_that_github_does_not_repeat_is_not_counted() -> None:
    assert ask(Host(attempt=Answer(422))) == 0


def test_the_webhook_of_somebody_else_is_left_alone() -> None:
    host = Host()
    host.answers[f"GET {HOOKS}?per_page=100"] = []
    assert ask(host) == 0
    assert len(host.calls) == 1


def test_a_token_that_may_not_see_webhooks_asks_for_nothing() -> None:
    host = Host()
    host.answers.clear()
    assert ask(host) == 0


def test_a_host_that_does_not_answer_asks_for_nothing() -> None:
    host = Host()
    host.trouble = ServiceTrouble("api.github.com did not answer")
    assert ask(host) == 0


def test_a_token_that_is_not_stored_asks_for_nothing() -> None:
    secrets = FixedSecrets([])
    secrets.trouble = NotSetUpError("no secret is stored")
    assert ask(Host(), secrets) == 0


@pytest.mark.parametrize("provider", ["gitea", "gitlab"])
def test_other_hosts_are_not_asked(provider: str) -> None:
    host = Host()
    assert ask(host, provider=provider) == 0
    assert host.calls == []
