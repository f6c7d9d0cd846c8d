"""The user names and passwords with which git comes to CodeCommit, which are signatures of version 4.

git-remote-codecommit and `aws codecommit credential-helper` make them. The user name is the access key, and `%` with
the session token where there is one. The password is the time and the signature of a request `GIT` for the path of the
repository. Source: git-remote-codecommit 1.17, awscli/customizations/codecommit.py.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from local.permissions.roles import Credentials

VALID_FOR = timedelta(minutes=15)
_TIME_FORMAT = "%Y%m%dT%H%M%S"
_PASSWORD = re.compile(r"(\d{8}T\d{6})Z([0-9a-f]{64})")


class LoginError(Exception):
    """A login that CodeCommit refuses; the message says why, without any part of it."""


@dataclass(frozen=True)
class Login:
    """A login as it was sent; `time` is as the signature has it."""

    access_key_id: str
    session_token: str | None = field(repr=False)
    time: str
    signature: str = field(repr=False)


def parse_login(authorization: str) -> Login:
    """Read the header Authorization. Raises LoginError."""
    kind, _, encoded = authorization.partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        user = colon = password = ""
    match = _PASSWORD.fullmatch(password)
    if kind.lower() != "basic" or not colon or match is None:
        raise LoginError(
            "the user name must be an access key, and the password the time and signature that "
            "`aws codecommit credential-helper get` prints"
        )
    key, percent, token = user.partition("%")
    return Login(key, token if percent else None, match[1], match[2])


@dataclass(frozen=True)
class Address:
    """What a login is for. `hosts` are the names by which the repository may have been called."""

    hosts: Collection[str]
    path: str
    region: str


def check_login(login: Login, credentials: Credentials | None, address: Address, now: datetime) -> None:
    """Raise LoginError for a login that has expired, or that these credentials did not make.

    Without `credentials`, only the time is checked: the local cloud gave out no such access key, and knows no secret.
    """
    try:
        signed_at = datetime.strptime(login.time, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise LoginError("the time in the password is none") from None
    if abs(now - signed_at) > VALID_FOR:
        raise LoginError(f"the signature is of {signed_at.isoformat()}; signatures are valid for 15 minutes")
    if credentials is None:
        return
    if not hmac.compare_digest((login.session_token or "").encode(), credentials.session_token.encode()):
        raise LoginError("the session token in the user name is not the one of the access key")
    path, region = address.path, address.region
    signatures = [_signature(credentials.secret_access_key, host, path, region, login.time) for host in address.hosts]
    if not any(hmac.compare_digest(login.signature, signature) for signature in signatures):
        hosts = ", ".join(address.hosts)
        raise LoginError(f"the signature does not match; it must be of GIT {path} at {hosts} in {region}")


def _signature(secret: str, host: str, path: str, region: str, time: str) -> str:
    canonical = f"GIT\n{path}\n\nhost:{host}\n\nhost\n"
    scope = f"{time[:8]}/{region}/codecommit/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()
