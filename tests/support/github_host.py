"""GitHub as the team has it: the stand-in's API of webhooks, and what happens in its repositories."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.support.team import SECRET, Team


@dataclass
class GitHubRepository:
    """The repository acme/<name>, with a webhook to the team's stack."""

    team: Team
    name: str
    hook: int = 0

    @classmethod
    def made(cls, team: Team, name: str) -> GitHubRepository:
        """Make the webhook, which is pinged."""
        made = cls(team, name)
        config = {"url": team.url, "content_type": "json", "secret": SECRET}
        made.hook = int(
            made._call("POST", f"github/repos/acme/{name}/hooks", {"config": config, "events": ["*"]})["id"]
        )
        made.team.until(lambda: made.deliveries() or None, "the webhook is not pinged")
        return made

    def lose(self, body: bytes, event: str = "push") -> str:
        """Let something happen while the stack can't be reached, and give the id of its delivery."""
        content = {"event": event, "payload": json.loads(body), "lost": True}
        (guid,) = self._call("POST", f"events/acme/{self.name}", content)["deliveries"]
        return str(guid)

    def deliveries(self) -> list[dict[str, Any]]:
        """The newest attempts at deliveries first."""
        listed: list[dict[str, Any]] = self._call(
            "GET", f"github/repos/acme/{self.name}/hooks/{self.hook}/deliveries?per_page=100"
        )
        return listed

    def fail(self, status: int | None, times: int) -> None:
        """Let the next calls of the API of webhooks fail; without a status, their answers are lost."""
        self._call("POST", "", {"name": "github", "path": "/hooks", "status": status, "times": times})

    def delivered_again(self, guid: str) -> dict[str, Any]:
        """Wait for the second attempt at a delivery."""
        return self.team.until(
            lambda: next((one for one in self.deliveries() if one["guid"] == guid and one["redelivery"]), None),
            "it is not delivered again",
        )

    def _call(self, method: str, path: str, content: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.team.cloud.endpoint_url}/_local/reports/{path}".rstrip("/"),
            None if content is None else json.dumps(content).encode(),
            {"Authorization": f"Bearer {SECRET}", "User-Agent": "tests"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
