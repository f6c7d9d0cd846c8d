"""A stand-in for what GitHub answers an App: itself, the installation of a repository, and tokens of an installation.

PUT /_local/reports/apps/<client id> with the App's public key in PEM registers an App. Then GET <name>/app, GET
<name>/repos/<repository>/installation and POST <name>/app/installations/<id>/access_tokens answer as GitHub does: to a
JSON Web Token that the App signed with RS256, that is not from the future, and that ends within ten minutes
(https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app). A token that was made here is
taken for an hour; one of this form that was not is refused.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

Reply = tuple[int, dict[str, Any]]

LONGEST_SECONDS = 600
# GitHub's own clock may be so far behind.
_SKEW_SECONDS = 60
_TOKEN_SECONDS = 3_600
_INSTALLATION = 4711
_PERMISSIONS = {"metadata": "read", "statuses": "write", "deployments": "write", "pull_requests": "write"}
_OWN_TOKEN = re.compile(r"ghs_[A-Za-z0-9]+")
_INSTALLATION_PATH = re.compile(r"/repos/[^/]+/[^/]+/installation")
_TOKEN_PATH = re.compile(r"/app/installations/(\d+)/access_tokens")


class _RefusedError(Exception):
    """GitHub does not take the JSON Web Token; the message is its own."""


@dataclass
class Apps:
    """The Apps that were registered, and the tokens that were made; `clock` is in seconds since 1970."""

    clock: Callable[[], float] = time.time
    _keys: dict[str, RSAPublicKey] = field(default_factory=dict)
    _tokens: dict[str, float] = field(default_factory=dict)

    def register(self, app: str, pem: bytes) -> None:
        """Take an App's public key. Raises ValueError for what is none."""
        key = load_pem_public_key(pem)
        if not isinstance(key, RSAPublicKey):
            raise ValueError("the public key of an App is one of RSA")  # noqa: TRY004 -- of what a caller wrote
        self._keys[app] = key

    def clear(self) -> None:
        """Forget all Apps and tokens."""
        self._keys.clear()
        self._tokens.clear()

    def answer(self, method: str, path: str, authorization: str) -> Reply | None:
        """Answer a call of an App; None for any other call."""
        token = _TOKEN_PATH.fullmatch(path)
        is_token_call = method == "POST" and token is not None
        is_installation_call = method == "GET" and _INSTALLATION_PATH.fullmatch(path) is not None
        if not (is_token_call or is_installation_call or (method == "GET" and path == "/app")):
            return None
        try:
            app = self._verify(authorization.removeprefix("Bearer "))
        except _RefusedError as refusal:
            return 401, {"message": str(refusal)}
        if is_installation_call:
            return 200, {"id": _INSTALLATION, "permissions": _PERMISSIONS, "suspended_at": None}
        if token is None:
            return 200, {"id": 1, "client_id": app, "slug": "amplify-jobs", "permissions": _PERMISSIONS}
        return self._new_token() if int(token[1]) == _INSTALLATION else (404, {"message": "Not Found"})

    def refusal(self, authorization: str) -> Reply | None:
        """Refuse a token of the form of an installation's that was not made here, or that has ended."""
        token = authorization.partition(" ")[2]
        if not _OWN_TOKEN.fullmatch(token) or self._tokens.get(token, 0.0) > self.clock():
            return None
        return 401, {"message": "Bad credentials"}

    def _new_token(self) -> Reply:
        token = f"ghs_{secrets.token_hex(18)}"
        end = int(self.clock()) + _TOKEN_SECONDS
        self._tokens[token] = end
        expires = datetime.fromtimestamp(end, UTC).isoformat().replace("+00:00", "Z")
        return 201, {"token": token, "expires_at": expires, "permissions": _PERMISSIONS, "repository_selection": "all"}

    def _verify(self, jwt: str) -> str:
        """The App that a JSON Web Token is of."""
        try:
            header, claims, signature = (_decoded(part) for part in jwt.split("."))
            head, payload = json.loads(header), json.loads(claims)
            algorithm, app = head["alg"], payload["iss"]
            issued, end = payload["iat"], payload["exp"]
        except (ValueError, KeyError, TypeError):
            raise _RefusedError("A JSON web token could not be decoded") from None
        key = self._keys.get(str(app))
        if algorithm != "RS256" or key is None:
            raise _RefusedError("A JSON web token could not be decoded")
        try:
            key.verify(signature, jwt.rpartition(".")[0].encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            raise _RefusedError("A JSON web token could not be decoded") from None
        now = self.clock()
        if type(issued) is not int or issued > now:
            raise _RefusedError("'Issued at' claim ('iat') must be an Integer representing the time that it was issued")
        if type(end) is not int or end < now - _SKEW_SECONDS:
            raise _RefusedError("'Expiration time' claim ('exp') must be a numeric value in the future")
        if end > now + LONGEST_SECONDS or end - issued > LONGEST_SECONDS:
            raise _RefusedError("'Expiration time' claim ('exp') is too far in the future")
        return str(app)


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
