"""GitHub's failed deliveries, asked for again with the token by which the repository is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from aws_lambda_powertools import Logger

from amplify_jobs.aws.outgoing_http import OutgoingHttp
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reconciling.redelivery import (
    MOST_PAGES,
    PROVIDER,
    failed_pushes,
    hook_of,
    hooks_address,
    next_cursor,
)
from amplify_jobs.reporting.call import USER_AGENT, Answer, Call
from amplify_jobs.routing.reconciled import ReconciledRepository

logger = Logger(child=True)

SECONDS_OF_A_REPOSITORY = 10.0
SECONDS_SILENT = 300.0
_ACCEPTED = 202


class GitHubDeliveries:
    """Asks GitHub to deliver again; `webhooks` is the address of the stack's webhooks without the source.

    A host that was slow is left alone for SECONDS_SILENT, so that it does not take the time of the other repositories.
    """

    def __init__(
        self, http: OutgoingHttp, secrets: Secrets, webhooks: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._http = http
        self._secrets = secrets
        self._webhooks = webhooks
        self._clock = clock
        self._silent_until: dict[str, float] = {}

    def ask_again(self, repository: ReconciledRepository, since: datetime) -> int:
        """Ask for the pushes since then whose deliveries failed, and give their number.

        It is 0 where the token may not see webhooks, or the host does not answer: what was missed is asked for anyway.
        """
        git = repository.git
        if repository.provider != PROVIDER or git is None or git.token is None:
            return 0
        hooks, began = hooks_address(git, repository.repository), self._clock()
        host = urlsplit(hooks).netloc
        if began < self._silent_until.get(host, 0.0):
            return 0
        try:
            token = self._secrets.values((git.token,))[0]
            api = _Api(self._http, token, began + SECONDS_OF_A_REPOSITORY, self._clock)
            return _ask_again(api, hooks, f"{self._webhooks}/{repository.source}", since)
        except ServiceTrouble as trouble:
            logger.info("Deliveries can't be asked for again", extra={"reason": str(trouble)})
            return 0
        finally:
            now = self._clock()
            if now - began > SECONDS_OF_A_REPOSITORY:
                self._silent_until[host] = now + SECONDS_SILENT


@dataclass(frozen=True)
class _Api:
    """GitHub's API with a token; all calls have to begin when the clock says `until`."""

    http: OutgoingHttp
    token: str
    until: float
    clock: Callable[[], float]

    def get(self, url: str) -> Answer:
        answer = self.call("GET", url)
        if answer.status != 200:
            raise ServiceTrouble(f"GitHub answered HTTP {answer.status}; the token may not see the webhooks")
        return answer

    def call(self, method: str, url: str) -> Answer:
        if self.clock() > self.until:
            raise ServiceTrouble(f"{urlsplit(url).hostname} takes too long")
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "User-Agent": USER_AGENT,
            "X-GitHub-Api-Version": "2022-11-28",
        }
        return self.http.send(Call(method, url, headers, b""))


def _ask_again(api: _Api, hooks: str, webhook: str, since: datetime) -> int:
    hook = hook_of(api.get(f"{hooks}?per_page=100").elements(), webhook)
    if hook is None:
        return 0
    address = f"{hooks}/{hook}/deliveries"
    numbers = failed_pushes(_deliveries(api, f"{address}?per_page=100", since), since)
    answers = [api.call("POST", f"{address}/{number}/attempts") for number in numbers]
    return sum(answer.status == _ACCEPTED for answer in answers)


def _deliveries(api: _Api, address: str, since: datetime) -> list[dict[str, Any]]:
    """The deliveries since then, and some before; the newest ones where there are very many."""
    deliveries: list[dict[str, Any]] = []
    url = address
    for _ in range(MOST_PAGES):
        answer = api.get(url)
        page = answer.elements()
        deliveries += page
        cursor = next_cursor(page, answer.headers.get("link", ""), since)
        if cursor is None:
            break
        url = f"{address}&cursor={quote(cursor, safe='')}"
    return deliveries
