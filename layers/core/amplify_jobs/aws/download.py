"""Fetching files from addresses that a service gave us."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

import urllib3

from amplify_jobs.aws.public_http import PublicHttp, Resolve, parts_of
from amplify_jobs.errors import NotDownloadableError, ServiceTrouble

if TYPE_CHECKING:
    from amplify_jobs.diagnosing.bounds import Readable

CONNECT_SECONDS = 3
READ_SECONDS = 8
ATTEMPTS = 3
PAUSE_SECONDS = 0.2
_CHUNK_BYTES = 64 * 1024


class Downloads:
    """GETs addresses; `endpoint_url` is the configured endpoint of AWS, if there is one."""

    def __init__(self, endpoint_url: str | None, resolve: Resolve | None = None) -> None:
        self._http = PublicHttp(endpoint_url, resolve)

    def get(self, url: str, *, limit: int, until: float) -> bytes:
        """GET a file of at most `limit` bytes before the clock (time.monotonic) says `until`, with retries.

        Raises NotDownloadableError, and ServiceTrouble where trying later may help.
        """
        return self._tried(url, until, lambda response: _content(response, limit, until))

    def get_bounded(self, url: str, *, keep: Callable[[Readable], bytes], until: float) -> bytes:
        """GET a file of any size, of which `keep` reads a stream and keeps what it wants; raises as `get` does."""
        return self._tried(url, until, lambda response: keep(_Stream(response, until)))

    def _tried(self, url: str, until: float, read: Callable[[urllib3.BaseHTTPResponse], bytes]) -> bytes:
        parts = parts_of(url)
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_SECONDS * 2**attempt)
            try:
                return self._get(parts, read, until)
            except ServiceTrouble as error:
                trouble = error
            if time.monotonic() > until:
                break
        raise trouble

    def _get(self, parts: SplitResult, read: Callable[[urllib3.BaseHTTPResponse], bytes], until: float) -> bytes:
        if time.monotonic() > until:
            raise ServiceTrouble("there was no time left to fetch it")
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        try:
            with (
                self._http.pool(parts) as pool,
                pool.urlopen(
                    "GET",
                    path,
                    headers={"Host": parts.netloc},
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
                ) as response,
            ):
                _check_status(response.status)
                return read(response)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ServiceTrouble(f"{parts.hostname} gave an invalid answer ({type(error).__name__})") from error


def _check_status(status: int) -> None:
    if status == 200:
        return
    if status >= 500 or status == 429:
        raise ServiceTrouble(f"the answer was HTTP {status}")
    # An address that has expired is answered 403: a new one may work.
    if status == 403:
        raise ServiceTrouble("the answer was HTTP 403; the address may have expired")
    raise NotDownloadableError(f"the answer was HTTP {status}")


class _Stream:
    """A body that is read until the clock says `until`."""

    def __init__(self, response: urllib3.BaseHTTPResponse, until: float) -> None:
        self._response = response
        self._until = until

    def read(self, size: int, /) -> bytes:
        if time.monotonic() > self._until:
            raise ServiceTrouble("there was no time left to fetch all of it")
        return self._response.read(size, decode_content=True)


def _content(response: urllib3.BaseHTTPResponse, limit: int, until: float) -> bytes:
    content = bytearray()
    for chunk in response.stream(_CHUNK_BYTES, decode_content=True):
        content += chunk
        if len(content) > limit:
            raise NotDownloadableError(f"it is larger than the limit of {limit} bytes")
        if time.monotonic() > until:
            raise ServiceTrouble("there was no time left to fetch all of it")
    return bytes(content)
