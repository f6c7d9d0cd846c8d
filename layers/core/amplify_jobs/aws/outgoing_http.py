"""Calls of targets of reports: chats, git hosts and webhooks."""

from __future__ import annotations

from collections.abc import Collection

import urllib3

from amplify_jobs.aws.public_http import PublicHttp, parts_of
from amplify_jobs.errors import NotDownloadableError, ServiceTrouble
from amplify_jobs.reporting.call import Answer, Call

CONNECT_SECONDS = 5
READ_SECONDS = 15
# What is judged of an answer stands at its beginning; a page of 100 comments is longer than any other.
ANSWER_BYTES = 4 * 1024 * 1024


class OutgoingHttp:
    """Makes one call and never follows a redirect, which could lead a token elsewhere."""

    def __init__(self, endpoint_url: str | None, private_hosts: Collection[str] = ()) -> None:
        self._http = PublicHttp(endpoint_url, private_hosts=private_hosts)

    def send(self, call: Call) -> Answer:
        """Make a call. Raises ServiceTrouble where there is no answer; the message has the host's name alone."""
        try:
            parts = parts_of(call.url)
            with self._http.pool(parts) as pool:
                return self._answer(pool, call, parts._replace(scheme="", netloc="", fragment="").geturl() or "/")
        except NotDownloadableError as error:
            # It says nothing about the target that a later call would not say again.
            return Answer(400, body=str(error).encode())
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ServiceTrouble(f"{parts.hostname} did not answer ({type(error).__name__})") from None

    def _answer(self, pool: urllib3.HTTPConnectionPool, call: Call, path: str) -> Answer:
        parts = parts_of(call.url)
        response = pool.urlopen(
            call.method,
            path,
            body=call.body,
            headers={**call.headers, "Host": parts.netloc},
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        )
        with response:
            body = response.read(ANSWER_BYTES, decode_content=True)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, body)
