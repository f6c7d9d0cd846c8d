"""A GitHub App in place of a token: its JSON Web Token, and the token of an installation, without a call of its own.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app: the JWT is signed with RS256, issued
by the App, dated a minute back for clocks that differ, and lasts for ten minutes in all. POST
/app/installations/{id}/access_tokens answers a token for one hour.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from amplify_jobs.reporting.call import USER_AGENT, Accepted, Answer, Call, Refused, Retry, Verdict, judge_by_status
from amplify_jobs.reporting.hosts.github import limit

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_SECONDS_BACK = 60
_SECONDS_AHEAD = 540
# A token that ends within so many seconds is not used any more: a call and its clock have time enough.
SECONDS_LEFT = 300.0
# GitHub signs with keys of 2,048 bits.
_LEAST_BITS = 2_048
_KEYS_IN_MEMORY = 32


@dataclass(frozen=True, repr=False)
class InstallationToken:
    """A token and when it ends, in seconds since 1970. It has no representation that a log could show."""

    value: str
    ends_at: float

    def is_fresh(self, now: float) -> bool:
        """Whether it lasts long enough for a call."""
        return now < self.ends_at - SECONDS_LEFT


# Reading a key takes 35 ms, and each report of an App needs it. It stays in the process as its secret does.
@lru_cache(_KEYS_IN_MEMORY)
def load_private_key(pem: str) -> RSAPrivateKey:
    """Read an App's private key. Raises ValueError, which does not repeat it."""
    # Only targets with an App pay for it.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("the value is no private key in PEM, or one with a password") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise ValueError(f"the value is no RSA key of {_LEAST_BITS} bits or more")
    return key


def app_token(app: str, pem: str, now: float) -> str:
    """The JSON Web Token of an App for the next nine minutes. Raises ValueError for what is no key."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    claims = {"iat": int(now) - _SECONDS_BACK, "exp": int(now) + _SECONDS_AHEAD, "iss": app}
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{signed}.{_encoded(load_private_key(pem).sign(signed.encode(), PKCS1v15(), SHA256()))}"


def app_call(api: str, jwt: str) -> Call:
    """Ask for the App itself, with its permissions (API: Get the authenticated app)."""
    return _call("GET", f"{api}/app", jwt)


def installation_call(api: str, repository: str, jwt: str) -> Call:
    """Ask for the installation of a repository (API: Get a repository installation for the authenticated app)."""
    return _call("GET", f"{api}/repos/{quote(repository, safe='/')}/installation", jwt)


def token_call(api: str, installation: int, jwt: str) -> Call:
    """Ask for a token of an installation (API: Create an installation access token for an app)."""
    return _call("POST", f"{api}/app/installations/{installation}/access_tokens", jwt)


def judge_app(answer: Answer, now: float) -> Verdict:
    """What the answer to `app_call` or `installation_call` says of the App."""
    if answer.status == 404:
        return Refused("HTTP 404: the App is not installed for the repository")
    return _refusal(answer, now) or Accepted()


def read_installation(answer: Answer, now: float) -> int | Refused | Retry:
    """The id in an answer to `installation_call`."""
    verdict = judge_app(answer, now)
    if isinstance(verdict, Refused | Retry):
        return verdict
    value = answer.member("id")
    return value if type(value) is int else Retry("GitHub did not say which installation it is")


def read_token(answer: Answer, now: float) -> InstallationToken | Refused | Retry:
    """The token in an answer to `token_call`."""
    if answer.status == 404:
        return Refused("HTTP 404: there is no such installation of the App")
    if (refusal := _refusal(answer, now)) is not None:
        return refusal
    value, end = answer.member("token"), _time(answer.member("expires_at"))
    if not isinstance(value, str) or not value or end is None:
        return Retry("GitHub did not answer with a token")
    return InstallationToken(value, end)


def _refusal(answer: Answer, now: float) -> Refused | Retry | None:
    if (limited := limit(answer, now)) is not None:
        return limited
    if answer.status == 401:
        return Refused("HTTP 401: GitHub does not take the App's key; app and key do not belong together", stops=True)
    if answer.status == 403:
        return Refused("HTTP 403: the App is suspended, or its installation is")
    verdict = judge_by_status(answer, now)
    return verdict if isinstance(verdict, Refused | Retry) else None


def _time(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _call(method: str, url: str, jwt: str) -> Call:
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": USER_AGENT,
        "Authorization": f"Bearer {jwt}",
    }
    return Call(method, url, headers, b"")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
