"""The recorded deliveries that lie beside the repository, and how each host would sign one."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from amplify_jobs.events import codecommit
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.webhooks import PROVIDERS, module_of, provider, standard_signature

SHARED = Path(__file__).parents[3] / "shared" / "webhooks"
NOT_HERE = "the recorded payloads are not beside the repository (../shared/webhooks)"
# The recordings' names of hosts -> ours, where they differ.
NAMES = {"bitbucket_cloud": "bitbucket", "bitbucket_server": "bitbucket-server", "azure_devops": "azure-devops"}
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def rows() -> list[dict[str, Any]]:
    index = SHARED / "corpus" / "index.jsonl"
    result = [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []
    return [{**row, "provider": NAMES.get(row["provider"], row["provider"])} for row in result]


def recorded(**members: str) -> list[Any]:
    """Parameters of a test: the rows of the index whose members are as wanted."""
    if not SHARED.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=NOT_HERE))]
    return [pytest.param(row, id=row["file"]) for row in rows() if members.items() <= row.items()]


def vectors() -> list[Any]:
    if not SHARED.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=NOT_HERE))]
    document = json.loads((SHARED / "vectors.json").read_text())
    return [
        pytest.param({**one, "provider": NAMES.get(one["provider"], one["provider"])}, id=one["id"]) for one in document
    ]


def corpus_body(file: str) -> bytes:
    return SHARED.joinpath("corpus", file).read_bytes()


def parse(host: str, headers: dict[str, str], body: bytes) -> Delivery:
    """What our module for a host makes of a delivery; CodeCommit's come parsed, from EventBridge."""
    if host == "codecommit":
        return codecommit.parse(json.loads(body))
    return provider(host).parse(headers, body)


def secret_of(host: str, word: str) -> str:
    """A secret as the host would take it, made of a word."""
    if host == "azure-devops":
        return f"user:{word}"
    if host in {"standard", "gitlab"}:
        return "whsec_" + base64.b64encode(word.encode()).decode()
    return word


def signed(host: str, secret: str, body: bytes, *, now: datetime = NOW, message_id: str = "msg_1") -> dict[str, str]:
    """The headers with which a host proves a JSON body, made with a secret of secret_of."""
    if host == "azure-devops":
        return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    if host in {"standard", "gitlab"}:
        seconds = int(now.timestamp())
        signature = standard_signature.sign(secret, message_id, seconds, body)
        return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": signature}
    module: Any = import_module(module_of(host))
    return {module.SIGNATURE_HEADER: module.sign(secret, body)}


HOSTS = sorted(PROVIDERS)
PARSERS = [*HOSTS, "codecommit"]
