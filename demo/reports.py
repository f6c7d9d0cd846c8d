"""The demonstration's targets of reports: a commit status and a chat message, for the local cloud's stand-ins."""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import boto3

from local.report_targets import PREFIX

TOKEN = "/amplify-jobs/secrets/reports/github"  # noqa: S105 -- a name, not a secret
CHAT = "/amplify-jobs/secrets/reports/chat"
STATUSES = """\
  status-{host}: {{kind: commit_status, source: {host}, api: "{page}/{host}", token: {token}}}
"""
ROUTES = """\
reports:
{statuses}  chat: {{kind: slack, webhook: {chat}, when: {{phases: [finished, rejected]}}}}
"""
HOSTS = ("github", "gitea")
TIMEOUT_SECONDS = 10


class Reports:
    """What the stand-ins got; `page` shows it to a browser."""

    def __init__(self, endpoint_url: str) -> None:
        self.page = f"{endpoint_url}{PREFIX}"

    def routes(self, *hosts: str) -> str:
        """The member `reports` of routes.yaml, with statuses on the hosts of these sources."""
        statuses = "".join(STATUSES.format(page=self.page, token=TOKEN, host=host) for host in hosts)
        return ROUTES.format(statuses=statuses, chat=CHAT)

    def store_secrets(self, session: boto3.Session) -> None:
        """Store the token of the statuses, and the address of the chat's webhook."""
        for name, value in ((TOKEN, secrets.token_hex(20)), (CHAT, f"{self.page}/slack/demo")):
            session.client("ssm").put_parameter(Name=name, Type="SecureString", Value=value, Overwrite=True)

    def status(self, commit: str) -> str | None:
        """The last status of a commit in one line; None while there is none, or its job has not ended."""
        texts = [
            None
            if content["state"] == "pending"
            else f"{content['context']}: {content['state']}, {content['description']}"
            for host in HOSTS
            for path, content in self._accepted(host)
            if path.endswith(f"/statuses/{commit}")
        ]
        return texts[-1] if texts else None

    def chat(self, request_id: str) -> str | None:
        """The first line of the message about the end of a request; None while there is none."""
        messages = (content for _, content in self._accepted("slack") if request_id in json.dumps(content))
        return next((str(content["text"]) for content in messages), None)

    def _accepted(self, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Path and content of each call that a stand-in accepted."""
        request = urllib.request.Request(self.page, headers={"Accept": "application/json"})  # noqa: S310 -- our own address
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                received = json.load(answer)["received"]
        except OSError:
            return
        for call in received:
            if call["name"] == name and call["status"] < 300:
                yield call["path"], call["content"]
