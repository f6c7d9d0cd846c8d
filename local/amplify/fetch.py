"""Fetches a web address into a file: `SOURCE_URL=… python fetch.py <file> <most bytes>`; says why if it can't.

A program of its own, so that a stop or a time limit ends it at any moment. The address is not among its arguments,
since it may be signed, and every user of the machine can list those.
"""

from __future__ import annotations

import http.client
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

ANSWER_WITHIN_SECONDS = 60
CHUNK = 1 << 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class FetchError(Exception):
    """The address can't be fetched; the message says why, without the address."""


def opener(host: str | None) -> urllib.request.OpenerDirector:
    """An opener of http and https addresses alone, wherever they redirect to."""
    director = urllib.request.OpenerDirector()
    # What runs on this machine is behind no proxy.
    director.add_handler(urllib.request.ProxyHandler({} if host in LOOPBACK else None))
    for handler in (
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        director.add_handler(handler())
    return director


def fetch(url: str, target: Path, limit: int) -> None:
    """GET an address into a file. Raises FetchError."""
    try:
        host = urlsplit(url).hostname
        with opener(host).open(url, timeout=ANSWER_WITHIN_SECONDS) as answer, target.open("wb") as file:
            size = 0
            while chunk := answer.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise FetchError(f"it has more than {limit} bytes, the most that a deployment may have")
                file.write(chunk)
            announced = answer.headers.get("Content-Length")
            if announced and announced.isdecimal() and size != int(announced):
                raise FetchError(f"the connection ended after {size} of {announced} bytes")
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchError(f"it answered {error.code} {http.client.responses.get(error.code, '')}".rstrip()) from None
    except urllib.error.URLError as error:
        raise FetchError(f"it did not answer: {error.reason}") from None
    except OSError as error:
        raise FetchError(f"the connection failed: {error}") from None
    except (http.client.InvalidURL, ValueError):
        raise FetchError("it is no address that can be opened") from None
    except http.client.HTTPException as error:
        raise FetchError(f"it answered no HTTP ({type(error).__name__})") from None


if __name__ == "__main__":
    try:
        fetch(os.environ["SOURCE_URL"], Path(sys.argv[1]), int(sys.argv[2]))
    except FetchError as failure:
        sys.exit(str(failure))
