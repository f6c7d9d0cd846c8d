"""The campaign's targets of reports: stand-ins of GitHub's statuses and deployments, and what they have at the end."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from moto.sqs.models import sqs_backends

from amplify_jobs.routing.report_targets import CommitStatus, Deployment
from benchmarks.team import Team
from campaign.plan import APPS
from local.cloud import LocalCloud
from local.report_targets import PREFIX
from local.services.moto import ACCOUNT

TOKEN, TOKEN_NAME = "t0ken-of-nobody", "/amplify-jobs/secrets/reports/token"
HOST = "github"
_STATUS_PATH = re.compile(r"/repos/.+/statuses/([0-9a-f]{40})")


class ReportTargets:
    """The targets of one campaign. Reports that wait are brought forward once the storm is over."""

    def __init__(self, cloud: LocalCloud, team: Team) -> None:
        self._cloud = cloud
        self._team = team
        self._address = f"{cloud.endpoint_url}{PREFIX}"
        self._statuses: dict[int, tuple[str, str]] = {}
        self._failed: set[int] = set()
        team.ssm.put_parameter(Name=TOKEN_NAME, Type="SecureString", Value=TOKEN, Overwrite=True)
        api = f"{self._address}/{HOST}"
        team.report("statuses", CommitStatus(kind="commit_status", source="github", api=api, token=TOKEN_NAME))
        team.report("deployments", Deployment(kind="deployment", source="github", api=api, token=TOKEN_NAME))

    def fail(self, failure: Mapping[str, Any]) -> None:
        """Have the next calls fail that change something: what is read at the end is no report's."""
        body = json.dumps({"name": HOST, "method": "POST", **failure}).encode()
        urllib.request.urlopen(urllib.request.Request(self._address, body, method="POST")).close()

    def collect(self) -> None:
        """Take in the statuses that were set since the last time: the stand-ins keep the last calls only."""
        for call in self._team.received_reports():
            if call["status"] is None or call["status"] >= 400:
                self._failed.add(call["number"])
            path = _STATUS_PATH.fullmatch(call["path"])
            # A call whose answer was lost was done.
            if path and (call["status"] is None or call["status"] < 300):
                self._statuses[call["number"]] = (path[1], call["content"]["state"])

    def let_time_pass(self) -> None:
        """Let the reports that wait come again now: their pauses are minutes and hours."""
        queue: Any = sqs_backends[ACCOUNT][self._cloud.region].get_queue(
            self._cloud.physical_id("ReportQueue").rpartition("/")[2]
        )
        for message in list(queue.pending_messages):
            message.visible_at = 0

    def statuses(self) -> Mapping[str, Sequence[str]]:
        """The states that each commit had, in their order."""
        states: dict[str, list[str]] = {}
        for _, (commit, state) in sorted(self._statuses.items()):
            states.setdefault(commit, []).append(state)
        return states

    def failed_calls(self) -> int:
        """How many calls were refused, or had no answer."""
        return len(self._failed)

    def ended_commits(self) -> set[str]:
        """The commits whose status tells of an end."""
        return {commit for commit, states in self.statuses().items() if states[-1] != "pending"}

    def deployments(self) -> Mapping[str, Sequence[Sequence[str]]]:
        """The states of each deployment that was made for a request; those that a newer one ended are left out."""
        states_by_request: dict[str, list[list[str]]] = {}
        for app in range(APPS):
            for deployment in self._all(f"/repos/acme/site-{app}/deployments"):
                statuses = self._get(f"/repos/acme/site-{app}/deployments/{deployment['id']}/statuses")
                states = [status["state"] for status in reversed(statuses) if status["state"] != "inactive"]
                states_by_request.setdefault(deployment["payload"]["requestId"], []).append(states)
        return states_by_request

    def _all(self, path: str) -> list[Any]:
        entries: list[Any] = []
        while page := self._get(f"{path}?per_page=100&page={len(entries) // 100 + 1}"):
            entries += page
            if len(page) < 100:
                break
        return entries

    def _get(self, path: str) -> list[Any]:
        headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "campaign"}
        with urllib.request.urlopen(urllib.request.Request(f"{self._address}/{HOST}{path}", headers=headers)) as answer:
            return list(json.load(answer))
