"""Functions under `sam local`, and the local cloud that they call."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from tests.support.sam_commands import ROOT, Sam


class Running:
    """`names` are the physical names of the env file, `env_vars` its copy for this local cloud's port."""

    def __init__(self, sam: Sam, endpoint_url: str, env_vars: Path, names: dict[str, str], folder: Path) -> None:
        session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="eu-west-1")
        self.names = names
        self.amplify = session.client("amplify", endpoint_url=endpoint_url)
        self.dynamodb = session.client("dynamodb", endpoint_url=endpoint_url)
        self.sns = session.client("sns", endpoint_url=endpoint_url)
        self.sqs = session.client("sqs", endpoint_url=endpoint_url)
        self.stepfunctions = session.client("stepfunctions", endpoint_url=endpoint_url)
        self._endpoint_url = endpoint_url
        self._sam = sam
        self._env_vars = env_vars
        self._folder = folder

    def close(self) -> None:
        for client in (self.amplify, self.dynamodb, self.sns, self.sqs, self.stepfunctions):
            client.close()

    def invoke(self, function: str, file: str, change: Callable[[dict[str, Any]], None] | None = None) -> Any:
        """Give a function's answer to an event of the folder events/, as it is or changed."""
        path = ROOT / "events" / file
        if change is not None:
            event = json.loads(path.read_text())
            change(event)
            path = self._folder / file
            path.write_text(json.dumps(event))
        return self._sam.invoke(function, path, self._env_vars)

    def reports(self, name: str) -> list[dict[str, Any]]:
        """What a stand-in for a target of reports has received."""
        request = urllib.request.Request(f"{self._endpoint_url}/_local/reports", headers={"Accept": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return [one for one in json.load(answer)["received"] if one["name"] == name]

    def ended_executions(self) -> list[str]:
        """The outcomes of the executions that have ended, oldest first; none while one runs."""
        result = self.stepfunctions.list_executions(stateMachineArn=self.names["STATE_MACHINE_ARN"])["executions"]
        outcomes = [str(one["status"]) for one in sorted(result, key=lambda one: one["startDate"])]
        return [] if "RUNNING" in outcomes else outcomes
