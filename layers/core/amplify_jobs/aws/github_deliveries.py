"""GitHub's failed deliveries, asked for again with the token by which the repository is read."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

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

_ACCEPTED = 202


class GitHubDeliveries:
    """Asks GitHub to deliver again; `webhooks` is the address of the stack's webhooks without the source."""

    def __init__(self, http: OutgoingHttp, secrets: Secrets, webhooks: str) -> None:
        self._http = http
        self._secrets = secrets
        self._webhooks = webhooks

    def ask_again(self, repository: ReconciledRepository, since: datetime) -> int:
        """Ask for the pushes since then whose deliveries failed, and give their number.

        It is 0 where the token may not see webhooks, or the host does not answer: what was missed is asked for anyway.
        """
        git = repository.git
        if repository.provider != PROVIDER or git is None or git.token is None:
            return 0
        try:
            token = self._secrets.values((git.token,))[0]
            hooks = hooks_address(git, repository.repository)
            return self._ask_again(hooks, f"{self._webhooks}/{repository.source}", token, since)
        except ServiceTrouble as trouble:
            logger.info("Deliveries can't be asked for again", extra={"reason": str(trouble)})
            return 0

    def _ask_again(self, hooks: str, webhook: str, token: str, since: datetime) -> int:
        hook = hook_of(self._get(f"{hooks}?per_page=100", token).elements(), webhook)
        if hook is None:
            return 0
        numbers = failed_pushes(self._deliveries(f"{hooks}/{hook}/deliveries?per_page=100", token, since), since)
        answers = [self._call("POST", f"{hooks}/{hook}/deliveries/{number}/attempts", token) for number in numbers]
        return sum(answer.status == _ACCEPTED for answer in answers)

    def _deliveries(self, address: str, token: str, since: datetime) -> list[dict[str, Any]]:
        """The deliveries since then, and some before; the newest ones where there are very many."""
        deliveries: list[dict[str, Any]] = []
        url = address
        for _ in range(MOST_PAGES):
            answer = self._get(url, token)
            page = answer.elements()
            deliveries += page
            cursor = next_cursor(page, answer.headers.get("link", ""), since)
            if cursor is None:
                break
            url = f"{address}&cursor={quote(cursor, safe='')}"
        return deliveries

    def _get(self, url: str, token: str) -> Answer:
        answer = self._call("GET", url, token)
        if answer.status != 200:
            raise ServiceTrouble(f"GitHub answered HTTP {answer.status}; the token may not see the webhooks")
        return answer

    def _call(self, method: str, url: str, token: str) -> Answer:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "User-Agent": USER_AGENT,
            "X-GitHub-Api-Version": "2022-11-28",
        }
        return self._http.send(Call(method, url, headers, b""))
