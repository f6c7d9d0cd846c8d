"""The console at /_local/: a browser reads it, its own pages press its buttons, and a deployed site can't."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from local.cloud import LocalCloud

Send = Callable[..., tuple[int, dict[str, str], str]]
OPENED = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
OWN = {
    "Origin": "http://127.0.0.1:PORT",
    "Referer": "http://127.0.0.1:PORT/_local/jobs",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Dest": "document",
    "Content-Type": "application/x-www-form-urlencoded",
}


@pytest.fixture
def send(cloud: LocalCloud) -> Send:
    """Sends a request; PORT in a header stands for the port of the cloud."""
    port = urlsplit(cloud.endpoint_url).port

    def sent(method: str, path: str, headers: dict[str, str], body: str = "") -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request(
            method, path, body, {name: value.replace("PORT", str(port)) for name, value in headers.items()}
        )
        response = connection.getresponse()
        answer = response.status, dict(response.headers), response.read().decode()
        connection.close()
        return answer

    return sent


def token(page: str) -> str:
    return page.partition('data-token="')[2].partition('"')[0]


def test_a_browser_that_opens_the_aws_port_is_led_to_the_console(send: Send) -> None:
    status, headers, _ = send("GET", "/", OPENED)
    assert (status, headers["Location"]) == (302, "/_local/")
    # A client of S3 asks for its buckets there.
    assert "ListAllMyBucketsResult" in send("GET", "/", {})[2]


def test_a_page_says_what_is_missing_and_has_no_script_but_its_own(send: Send) -> None:
    status, headers, page = send("GET", "/_local/jobs", OPENED)
    # The stack of these tests has no API of jobs.
    assert status == 404
    assert "local cloud" in page
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert send("GET", "/_local/static/console.css", {"Sec-Fetch-Site": "same-origin"})[0] == 200


def test_only_a_page_of_the_console_presses_a_button(send: Send) -> None:
    secret = token(send("GET", "/_local/jobs", OPENED)[2])
    assert len(secret) > 20
    assert send("POST", "/_local/start", OWN, f"token={secret}&route=web")[0] == 404
    for fields in ("", "token=", "token=wrong"):
        status, _, page = send("POST", "/_local/start", OWN, fields)
        assert status == 403
        assert "The order was not carried out" in page
    for foreign in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://main.d1a2b3.localhost:PORT"},
        {"Origin": "null"},
    ):
        assert send("POST", "/_local/start", {**OWN, **foreign}, f"token={secret}")[0] == 403
    assert send("POST", "/_local/start", {**OWN, "Host": "main.d1a2b3.localhost:PORT"}, f"token={secret}")[0] == 403
    assert send("POST", "/_local/jobs", OWN, f"token={secret}")[0] == 403
    assert send("DELETE", "/_local/start", OWN)[0] == 403


@pytest.mark.parametrize("dest", ["empty", "iframe", "object", "script", None])
def test_the_code_of_a_site_does_not_get_the_token(send: Send, dest: str | None) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Referer": "http://127.0.0.1:PORT/_local/sites/d1/main/"}
    status, answered, page = send("GET", "/_local/jobs", headers | ({"Sec-Fetch-Dest": dest} if dest else {}))
    assert status == 404
    assert 'data-token=""' in page
    assert answered["X-Frame-Options"] == "DENY"
    assert answered["Cache-Control"] == "no-store"
