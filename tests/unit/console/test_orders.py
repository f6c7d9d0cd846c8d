"""The buttons of the console: which call of the API each one is, and who may press it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from amplify_jobs_console.api import ApiError
from amplify_jobs_console.console import Console
from amplify_jobs_console.guard import Door
from amplify_jobs_console.place import Place
from amplify_jobs_console.web import MOST_FORM_BYTES, Request, Response
from tests.support.console_api import ExampleApi

HOST = "127.0.0.1:8123"
OWN = {"host": HOST, "origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}


def press(console: Console, path: str, headers: dict[str, str] | None = None, **fields: str) -> Response:
    body = urlencode({"token": console.token, **fields}).encode()
    answer = console.answer(Request("POST", path, "", OWN if headers is None else headers, body))
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("path", "fields", "call", "body", "location"),
    [
        (
            "/start",
            {"route": "shop", "branch": " main ", "commit": "", "reason": "try it", "other": "x"},
            "/requests",
            {"route": "shop", "branch": "main", "reason": "try it"},
            "/jobs/shop-new0001?order=start",
        ),
        ("/jobs/a%2Fb/stop", {}, "/requests/a%2Fb/stop", {}, "/jobs/a%2Fb?order=stop"),
        ("/jobs/one/retry", {}, "/requests/one/retry", {}, "/jobs/shop-new0001?order=retry"),
        ("/jobs/one/replay", {}, "/requests/one/replay", {}, "/jobs/shop-new0001?order=replay"),
        ("/deliveries/d1/replay", {}, "/deliveries/d1/replay", {}, "/deliveries/d1?order=replay"),
    ],
)
def test_a_button_is_one_call_and_then_a_page(
    path: str, fields: Any, call: str, body: dict[str, Any], location: str
) -> None:
    api = ExampleApi()
    answer = press(Console(api, Place("x")), path, **fields)
    assert (answer.status, answer.headers["Location"]) == (303, location)
    assert api.posted == [(call, body)]


def test_what_the_api_refuses_is_a_page_that_says_so() -> None:
    api = ExampleApi(failures={"/requests/one/stop": ApiError(409, "It has ended", "look at its outcome")})
    answer = press(Console(api, Place("x")), "/jobs/one/stop")
    assert answer.status == 409
    assert b"look at its outcome" in answer.body


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (OWN, {"token": ""}),
        (OWN, {"token": "x"}),
        (OWN, {"token": "é\ud800".encode("utf-8", "replace").decode()}),
        ({**OWN, "origin": "http://evil.example"}, {}),
        ({**OWN, "origin": "null"}, {}),
        ({**OWN, "sec-fetch-site": "cross-site"}, {}),
        ({**OWN, "sec-fetch-site": "same-site"}, {}),
    ],
)
def test_no_other_page_presses_a_button(headers: dict[str, str], fields: dict[str, str]) -> None:
    api = ExampleApi()
    answer = press(Console(api, Place("x")), "/jobs/one/stop", headers, **fields)
    assert answer.status == 403
    assert api.posted == []


def test_a_body_that_is_no_form_presses_nothing() -> None:
    api = ExampleApi()
    console = Console(api, Place("x"))
    for body in (b"", b"\xff\xfe", b"x" * (MOST_FORM_BYTES + 1), b"&".join([b"a=b"] * 200)):
        answer = console.answer(Request("POST", "/start", "", OWN, body))
        assert answer is not None
        assert answer.status == 403
    assert api.posted == []


def enter(door: Door, path: str = "/", query: str = "", **headers: str) -> Response:
    members = {"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return door.answer(Request("GET", path, query, members), lambda _: Response(200))


def test_the_token_of_the_address_becomes_a_cookie() -> None:
    door = Door(8123)
    assert door.address.startswith("http://127.0.0.1:8123/?token=")
    answer = enter(door, query=door.address.partition("?")[2])
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.endswith("; HttpOnly; SameSite=Strict; Path=/")
    assert enter(door, "/jobs", cookie=f"a=b; {cookie.partition(';')[0]}").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cookie": "amplify-jobs-8123=wrong"},
        {"cookie": "amplify-jobs-8124={token}"},
        {"cookie": "\x00;=;;"},
        {"cookie": "amplify-jobs-8123={token}", "host": "evil.example:8123"},
        {"cookie": "amplify-jobs-8123={token}", "host": "127.0.0.1"},
        {"cookie": "amplify-jobs-8123={token}", "host": ""},
        {"cookie": "amplify-jobs-8123={token}", "sec_fetch_site": "cross-site"},
        {"cookie": "amplify-jobs-8123={token}", "origin": "http://127.0.0.1:9000"},
    ],
)
def test_nobody_else_comes_in(headers: dict[str, str]) -> None:
    door = Door(8123)
    sent_headers = {name: value.replace("{token}", door.token) for name, value in headers.items()}
    answer = enter(door, "/jobs", **sent_headers)
    assert answer.status == 403
    assert door.token.encode() not in answer.body


def test_a_wrong_token_opens_nothing() -> None:
    for query in ("token=", "token=wrong", "token=%ff%00"):
        assert enter(Door(8123), query=query).status == 403
