"""A call of a target's API, its answer, and what the answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Literal

JSON = "application/json"
USER_AGENT = "amplify-jobs"


@dataclass(frozen=True)
class Call:
    """An HTTP request. Its address and headers may be secrets: neither is ever logged."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class AwsCall:
    """A call of an API of AWS, signed by the role of whoever makes it: no token is needed.

    `operation` is the API's name. A call of SNS is for the stack's topic for chats. The answer's body is the result as
    JSON, or the error's `code` and `message`; a call that is throttled has status 429, and one that the role may not
    make has status 403.
    """

    service: Literal["sns"]
    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """The answer to a call; the names of headers are in small letters, `body` is its beginning."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def member(self, *names: str) -> Any:
        """A member of the JSON body; None where there is none."""
        value = self.json
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def elements(self, *names: str) -> list[dict[str, Any]]:
        """The objects of a list in the JSON body; none where there is no list."""
        value = self.member(*names) if names else self.json
        return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []

    def identity(self, *names: str) -> str | None:
        """A member of the JSON body that is a number or a text, as text; None where there is none."""
        value = self.member(*names)
        return str(value) if isinstance(value, int | str) and value != "" else None


@dataclass(frozen=True)
class Accepted:
    """The target has the report. `remote` is what a later call needs to change it, such as the id of a message."""

    remote: str | None = None


@dataclass(frozen=True)
class Continued:
    """The first of several calls worked; `remote` is what the next one needs.

    What is not `kept` serves the next call alone: the next attempt begins with what was kept before.
    """

    remote: str
    kept: bool = True


@dataclass(frozen=True)
class Retry:
    """The target can't take the report now. `after_seconds` is what it asks for, None where it says nothing."""

    reason: str
    after_seconds: float | None = None


@dataclass(frozen=True)
class Refused:
    """The target will never take this report; with `stops` it will take no other either."""

    reason: str
    stops: bool = False


Verdict = Accepted | Continued | Retry | Refused


def json_call(method: str, url: str, content: Any = None, headers: Mapping[str, str] | None = None) -> Call:
    """A call with a JSON body, or without one."""
    body = b"" if content is None else json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Call(method, url, {"Content-Type": JSON, "Accept": JSON, "User-Agent": USER_AGENT, **(headers or {})}, body)


def retry_after(answer: Answer, now: float) -> float | None:
    """The seconds of a Retry-After header: a number, or a date (RFC 9110, 10.2.3); None where there is none."""
    value = answer.headers.get("retry-after", "").strip()
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(value).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def judge_by_status(answer: Answer, now: float, remote: str | None = None) -> Verdict:
    """What the status of an answer means where a target has no rules of its own; `now` is in seconds since 1970."""
    status = answer.status
    if 200 <= status < 300:
        return Accepted(remote)
    reason = f"HTTP {status}"
    if status in {408, 425, 429} or status >= 500:
        return Retry(reason, retry_after(answer, now))
    return Refused(reason, stops=status in {401, 403, 404, 410})
