"""Deliveries that a source's secret signs and that ask for nothing: of a kind that no host has."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from amplify_jobs.events.http_request import LARGEST_BODY
from amplify_jobs.events.webhooks import gitlab, module_of, standard, standard_signature

KIND = "amplify-jobs-smoke"
_HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")


@dataclass(frozen=True)
class Harmless:
    """A delivery, and the status that shows that its signature was taken."""

    headers: Mapping[str, str]
    body: bytes
    expected: int = 200


def harmless(provider: str, secrets: Sequence[str], message_id: str, now: int) -> list[Harmless]:
    """One delivery for each secret that can sign one; `now` is in seconds since 1970.

    Raises ValueError, without the secret, for a secret that no delivery of this provider can be signed with.
    """
    signer = _SIGNERS.get(provider)
    return signer(secrets, message_id, now) if signer else _signed_by_host(import_module(module_of(provider)), secrets)


def large_body() -> bytes:
    """JSON one byte larger than what is taken."""
    return b'"' + b"a" * (LARGEST_BODY - 1) + b'"'


def _signed_by_host(host: Any, secrets: Sequence[str]) -> list[Harmless]:
    """Of a host that signs the body alone: its module has the headers' names, and signs as the host does."""
    body = b"{}"
    return [
        Harmless({host.EVENT_HEADER: KIND, host.SIGNATURE_HEADER: host.sign(secret, body)}, body)
        for secret in _not_empty(secrets)
    ]


def _gitlab(secrets: Sequence[str], message_id: str, now: int) -> list[Harmless]:
    body = json.dumps({"object_kind": KIND}).encode()
    # With one signing token among them, plain tokens are not taken.
    tokens = [secret for secret in _not_empty(secrets) if secret.startswith(standard_signature.SECRET_PREFIX)]
    if not tokens:
        if not all(_HEADER_VALUE.fullmatch(secret) for secret in secrets):
            raise ValueError("a secret is not a valid header value: it has a line break or the like")
        return [Harmless({gitlab.TOKEN_HEADER: secret}, body) for secret in secrets]
    return [_message(token, message_id, now, body, 200) for token in tokens]


def _azure_devops(secrets: Sequence[str], _id: str, _now: int) -> list[Harmless]:
    body = json.dumps({"eventType": KIND}).encode()
    if not all(all(secret.partition(":")) for secret in secrets):
        raise ValueError("a secret is not user:password")
    return [
        Harmless({"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}, body) for secret in secrets
    ]


def _standard(secrets: Sequence[str], message_id: str, now: int) -> list[Harmless]:
    # Every message that can be read asks for a job. One that is authentic and can't be read is answered 400.
    shared = [secret for secret in _not_empty(secrets) if not secret.startswith(standard.PUBLIC_KEY_PREFIX)]
    return [_message(secret, message_id, now, b"[]", 400) for secret in shared]


def _message(secret: str, message_id: str, now: int, body: bytes, expected: int) -> Harmless:
    if not standard_signature.keys_of([secret]):
        raise ValueError("a secret is not base64")
    headers = {
        standard_signature.ID_HEADER: message_id,
        standard_signature.TIMESTAMP_HEADER: str(now),
        standard_signature.SIGNATURE_HEADER: standard_signature.sign(secret, message_id, now, body),
    }
    return Harmless(headers, body, expected)


def _not_empty(secrets: Sequence[str]) -> Sequence[str]:
    if not all(secrets):
        raise ValueError("a secret is empty")
    return secrets


# Of providers that prove a delivery in another way than by signing the body.
_SIGNERS: Mapping[str, Callable[[Sequence[str], str, int], list[Harmless]]] = {
    "gitlab": _gitlab,
    "azure-devops": _azure_devops,
    "standard": _standard,
}
