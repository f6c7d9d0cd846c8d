"""What the stand-ins for targets of reports received on the local cloud, and failures that they are told."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.team import Team


@dataclass(frozen=True)
class HeldBuild:
    """A build that waits for a file, so that the job does not end before a test wants it to.

    EventBridge may bring the end of a short job before its start, and the start is then not reported any more.
    """

    file: Path

    @property
    def commands(self) -> list[str]:
        """The commands of the build."""
        return [f'until [ -e "{self.file}" ]; do sleep 0.1; done', "echo built > index.html"]

    def hold(self) -> None:
        """Let the next build wait again."""
        self.file.unlink(missing_ok=True)

    def release(self) -> None:
        """Let the build end, and those that come after it."""
        self.file.touch()


def received(team: Team, name: str | None) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{team.cloud.endpoint_url}/_local/reports", headers={"Accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return [one for one in json.load(answer)["received"] if name in (None, one["name"])]


def of_request(calls: list[dict[str, Any]], request_id: str) -> list[dict[str, Any]]:
    """The calls of a webhook or chat that are about a request; Markdown escapes the hyphen of its id."""
    return [one for one in calls if request_id in json.dumps(one["content"]).replace("\\", "")]


def until_reported(team: Team, request_id: str, *names: str) -> None:
    """Wait until each of these webhooks or chats got a report about a request, whatever it answered."""

    def find(name: str) -> list[dict[str, Any]] | None:
        return of_request(received(team, name), request_id) or None

    for name in names:
        team.until(partial(find, name), f"{name} got nothing about {request_id}")


def fail_next(team: Team, name: str, **failure: Any) -> None:
    """Have the next calls of a stand-in fail."""
    body = json.dumps({"name": name, **failure}).encode()
    urllib.request.urlopen(
        urllib.request.Request(f"{team.cloud.endpoint_url}/_local/reports", body, method="POST"), timeout=10
    ).close()


def until_all_are_handled(team: Team) -> None:
    """Wait until no report waits any more; those of an announcement are planned before their job is looked at here."""
    team.until_empty("ReportQueue")


def wait_for(team: Team, name: str, count: int) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = team.until(
        lambda: calls if len(calls := received(team, name)) >= count else None, f"{name} did not get {count} reports"
    )
    return calls
