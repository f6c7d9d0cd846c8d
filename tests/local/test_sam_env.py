"""The env file of `sam local` names what the local cloud has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.cloud import CloudSettings, LocalCloud

PROJECT = Path(__file__).parents[2]
# The same wherever the functions run; sam reads these from the template.
CONSTANT = {"LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "ROUTES_KEY"}


def test_the_env_file_of_sam_local_is_what_functions_get_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    env_file = (PROJECT / "local" / "sam-env.json").read_text(encoding="utf-8")
    with LocalCloud(PROJECT / "template.yaml", CloudSettings(aws_port=0, http_port=0)) as cloud:
        port = cloud.endpoint_url.rpartition(":")[2]
        env_file = env_file.replace("http://127.0.0.1:3000", cloud.api_url)
        document = json.loads(env_file.replace(":4566", f":{port}").replace("host.docker.internal", "127.0.0.1"))
        variables: dict[str, str] = {}
        for name in cloud.functions.names():
            variables |= cloud.functions.function(name).variables
    assert document["Parameters"] == {name: variables[name] for name in variables.keys() - CONSTANT}
