"""The console below /_local/: its pages, and the calls of the stack's API that they are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.wrappers import Request, Response

from amplify_jobs_console import web
from amplify_jobs_console.api import ApiError
from amplify_jobs_console.console import Console
from amplify_jobs_console.place import Place
from local.server.protocol.match import raw_path

BASE = "/_local"
# Any do: no access key is limited here, except those of roles.
_CREDENTIALS = Credentials("local", "local")
# A page reads so much side by side.
_AT_ONCE = 6
_TIMEOUT = urllib3.Timeout(connect=2, read=35)


class LocalConsole:
    """Answers the console's addresses below /_local/; None for those that it does not have."""

    def __init__(self, *, api_url: str, endpoint_url: str, region: str) -> None:
        place = Place(
            "local cloud",
            base=BASE,
            detail=endpoint_url,
            command=f"AWS_ENDPOINT_URL={endpoint_url} amplify-jobs",
            links=(("Reports", f"{BASE}/reports"),),
            is_console=True,
            api_url=api_url,
        )
        self._console = Console(StackApi(api_url, region), place)

    def close(self) -> None:
        """Let go of the threads that read."""
        self._console.close()

    def takes_order(self, request: Request) -> bool:
        """Whether a request is one that a page of the console may send although it changes something."""
        return self._console.takes_order(request.method, raw_path(request))

    def answer(self, request: Request) -> Response | None:
        """Answer a request, if the console has its address."""
        answer = self._console.answer(
            web.Request(
                method=request.method,
                path=raw_path(request),
                query=request.query_string.decode("utf-8", "replace"),
                headers={name.lower(): value for name, value in request.headers},
                body=request.get_data() if request.method == "POST" else b"",
            )
        )
        if answer is None:
            return None
        return Response(answer.body, answer.status, dict(answer.headers), content_type=answer.content_type)


class StackApi:
    """The stack's API at the HTTP port, called as any client does: signed (API: Signature Version 4)."""

    def __init__(self, url: str, region: str) -> None:
        self._url = url
        self._region = region
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False, maxsize=_AT_ONCE)

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        """Read an answer. Raises ApiError."""
        return self._call(
            "GET", f"{path}?{urlencode(query, quote_via=quote, errors='replace')}" if query else path, None
        )

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask for something. Raises ApiError."""
        return self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, target: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        request = AWSRequest(method, f"{self._url}{target}", headers, body)
        SigV4Auth(_CREDENTIALS, "execute-api", self._region).add_auth(request)
        try:
            answer = self._pool.request(method, str(request.url), body=body, headers=dict(request.headers.items()))
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(0, "The stack's API does not answer", f"{type(error).__name__} at {self._url}") from None
        try:
            document = json.loads(answer.data)
        except ValueError:
            document = None
        if answer.status < HTTPStatus.MULTIPLE_CHOICES and document is not None:
            return document
        problem = document if isinstance(document, dict) else {}
        title = problem.get("title") or problem.get("message") or f"The stack's API answered {answer.status}"
        raise ApiError(answer.status, str(title), str(problem.get("detail", "")))
