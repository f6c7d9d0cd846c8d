"""The jobs API of a stack, called over HTTP with the user's own credentials (Signature Version 4)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from amplify_jobs.errors import AmplifyJobsError, ServiceTrouble
from amplify_jobs_cli.aws_calls import aws_call

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import Credentials

_SERVICE = "execute-api"
_TIMEOUT = urllib3.Timeout(connect=3, read=30)
# The console reads as many answers side by side; connections beyond them would be made anew for each.
_AT_ONCE = 6
# API Gateway refuses a signature whose time is further away (IAM User Guide: Signature Version 4).
MOST_SKEW_SECONDS = 300
_LONGEST_ANSWER_TEXT = 500
# More than a person has open; a part of a log has up to 200,000 characters.
MOST_ANSWERS_KEPT = 64
_TEMPORARY = {HTTPStatus.TOO_MANY_REQUESTS, *(status for status in HTTPStatus if status >= 500)}


class ApiRefusedError(AmplifyJobsError):
    """The API did not do what it was asked for, and would not if it was asked again; `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Api(Protocol):
    """What the commands use of the jobs API. Both methods raise ApiRefusedError and ServiceTrouble."""

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Read what is at a path; members of the query that are None are left out."""
        ...

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask for something to be done."""
        ...


class JobsApi:
    """The API at an address. An answer that was read lately is sent again only if it changed (ETag)."""

    def __init__(self, address: str, session: boto3.Session, credentials: Credentials) -> None:
        self._address = address.rstrip("/")
        self._session = session
        self._credentials = credentials
        # The one that was used last stands last. The console reads from several threads.
        self._answers: dict[str, tuple[str, Any]] = {}
        self._lock = threading.Lock()
        # A read may be repeated. What is asked for must not be done twice.
        self._reads = urllib3.PoolManager(
            timeout=_TIMEOUT,
            maxsize=_AT_ONCE,
            retries=urllib3.Retry(total=3, redirect=False, status_forcelist=_TEMPORARY, raise_on_status=False),
        )
        self._writes = urllib3.PoolManager(timeout=_TIMEOUT, retries=urllib3.Retry(total=0, connect=2, redirect=False))

    @classmethod
    def connect(cls, address: str, session: boto3.Session) -> JobsApi:
        """Build it with the session's credentials. Raises ServiceTrouble if there are none."""
        with aws_call("the jobs API can't be called"):
            credentials = session.get_credentials()
        if credentials is None:
            raise ServiceTrouble("there are no AWS credentials; sign in with the AWS CLI, or choose a --profile")
        return cls(address, session, credentials)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """See Api."""
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{path}?{urlencode(parameters, quote_via=quote)}" if parameters else path
        tag, document = self._answers.get(target, ("", None))
        answer = self._send("GET", target, {"If-None-Match": tag} if tag else {}, None)
        if answer.status != HTTPStatus.NOT_MODIFIED:
            document, tag = self._document(answer, "GET", path), answer.headers.get("ETag", "")
        self._keep(target, tag, document)
        return document

    def _keep(self, target: str, tag: str, document: Any) -> None:
        with self._lock:
            self._answers.pop(target, None)
            if tag:
                self._answers[target] = (tag, document)
            while len(self._answers) > MOST_ANSWERS_KEPT:
                del self._answers[next(iter(self._answers))]

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """See Api."""
        answer = self._send("POST", path, {"Content-Type": "application/json"}, json.dumps(body).encode())
        return self._document(answer, "POST", path)

    def _send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> urllib3.BaseHTTPResponse:
        request = AWSRequest(method, f"{self._address}{target}", dict(headers), body)
        with aws_call("the call can't be signed"):
            SigV4Auth(self._credentials, _SERVICE, self._session.region_name).add_auth(request)
        pool = self._reads if method == "GET" else self._writes
        try:
            return pool.request(method, str(request.url), body=body, headers=dict(request.headers.items()))
        except urllib3.exceptions.HTTPError as error:
            reason = type(getattr(error, "reason", None) or error).__name__
            raise ServiceTrouble(f"the jobs API at {self._address} does not answer ({reason})") from None

    def _document(self, answer: urllib3.BaseHTTPResponse, method: str, path: str) -> Any:
        try:
            document = json.loads(answer.data)
        except ValueError:
            document = None
        if answer.status < HTTPStatus.MULTIPLE_CHOICES:
            if document is None:
                raise ServiceTrouble(f"the jobs API answered {method} {path} with no JSON; deploy the stack again")
            return document
        text = problem_text(document)
        if answer.status in _TEMPORARY:
            raise ServiceTrouble(f"the jobs API answered {answer.status}: {text or 'try again in a minute'}")
        # What routes.yaml does not allow is told in the API's own words.
        if answer.status == HTTPStatus.FORBIDDEN and not _is_problem(document):
            text = self._missing_permission(method, path, text, answer.headers.get("Date"))
        elif answer.status == HTTPStatus.NOT_FOUND and not _is_problem(document):
            text = f"{self._address} has no jobs API; deploy the stack again, in the version of this command line"
        raise ApiRefusedError(text or f"the jobs API answered {answer.status}", answer.status)

    def _missing_permission(self, method: str, path: str, text: str, date: str | None) -> str:
        """What a 403 means: the HTTP API itself says no more than Forbidden."""
        skew = clock_skew(date, datetime.now(UTC))
        if skew is not None and abs(skew) > MOST_SKEW_SECONDS:
            return f"this machine's clock is {abs(skew):.0f} s off, so the call's signature is refused; set the clock"
        if "not authorized" in text:
            return text
        api_id = (urlsplit(self._address).hostname or "*").partition(".")[0]
        partition = self._session.get_partition_for_region(self._session.region_name)
        arn = f"arn:{partition}:{_SERVICE}:{self._session.region_name}:*:{api_id}/*/{method}{path}"
        return (
            f"these credentials may not {method} {path}: they need the permission execute-api:Invoke on {arn}; the "
            "stack's ReaderPolicy has it for reading, OperatorPolicy for everything"
        )


def pages(api: Api, path: str, query: Mapping[str, Any], limit: int) -> Iterator[Any]:
    """The first `limit` items of a list, read page by page."""
    token = None
    while limit > 0:
        page = api.get(path, {**query, "limit": min(limit, 100), "next": token})
        if not isinstance(page, Mapping) or not isinstance(page.get("items"), list):
            raise ServiceTrouble(f"the jobs API answered GET {path} with no list; use the command line of its version")
        items = page["items"][:limit]
        yield from items
        limit -= len(items)
        token = page.get("next")
        if not token:
            return


def clock_skew(date: str | None, now: datetime) -> float | None:
    """By how many seconds an answer's Date header is ahead of this machine; None if it has none that can be read."""
    try:
        return (parsedate_to_datetime(date or "") - now).total_seconds()
    except (ValueError, TypeError):
        return None


def problem_text(document: Any) -> str:
    """What an answer says is wrong: the detail or title of problem details (RFC 9457), or API Gateway's message."""
    if not isinstance(document, Mapping):
        return ""
    texts = (document.get(name) for name in ("detail", "title", "message", "Message"))
    return next((text[:_LONGEST_ANSWER_TEXT] for text in texts if isinstance(text, str) and text), "")


def _is_problem(document: Any) -> bool:
    return isinstance(document, Mapping) and "title" in document
