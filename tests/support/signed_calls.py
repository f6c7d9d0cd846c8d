"""Calls of a team's jobs API with AWS's signature."""

from __future__ import annotations

import json
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.team import Team


def call(team: Team, method: str, path: str, body: Any = None, tag: str | None = None) -> tuple[int, Any, Any]:
    """Call the API with a signature; gives status, content and headers."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"If-None-Match": tag} if tag else {})
    request = AWSRequest(method, f"{team.cloud.api_url}{path}", data=data, headers=headers)
    SigV4Auth(Credentials("local", "local"), "execute-api", team.cloud.region).add_auth(request)
    answer = urllib3.request(method, request.prepare().url, body=data, headers=dict(request.headers))
    return answer.status, json.loads(answer.data) if answer.data else None, answer.headers
