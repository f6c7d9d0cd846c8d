"""Whatever an answer of the API holds, a page has the elements of the template and no others, or says what is wrong."""

from __future__ import annotations

from datetime import UTC
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs_console.console import Console
from amplify_jobs_console.place import Place
from amplify_jobs_console.web import Request
from tests.support.console_answers import FAILED, HISTORY, LOG, NOW, STORY
from tests.support.console_api import (
    BRANCHES,
    DELIVERIES,
    DELIVERY_STORY,
    HEALTH,
    ROUTES,
    SCHEDULES,
    ExampleApi,
    listed,
)

ANSWERS: dict[str, Any] = {
    "/requests": listed([FAILED, *HISTORY[:2]], "next"),
    "/requests/x": STORY,
    "/requests/x/log": LOG,
    "/branches": listed(BRANCHES),
    "/deliveries": listed(DELIVERIES),
    "/deliveries/x": DELIVERY_STORY,
    "/routes": ROUTES,
    "/schedules": listed(SCHEDULES),
    "/health": {**HEALTH, "warnings": ["late"]},
}
PAGES = {
    "/": ["/requests", "/branches", "/deliveries", "/schedules", "/health"],
    "/jobs": ["/requests"],
    "/jobs/x": ["/requests/x", "/requests/x/log", "/requests"],
    "/branches/a/b": ["/requests"],
    "/deliveries": ["/deliveries"],
    "/deliveries/x": ["/deliveries/x"],
    "/routes": ["/routes", "/schedules"],
}
ATTACKS = [
    "<script>alert(1)</script>",
    "</pre></li></title></textarea><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "JaVaScRiPt://example.com/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://user:password@evil.example/"><b>',
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31mred\x1b]0;title\x07\u202egnp.exe\u2066\x00\ud800",
    "../../../etc/passwd",
    "//evil.example/x",
    "a" * 3000,
]
WORDS_OF_THE_API = {
    "state",
    "outcome",
    "operation",
    "kind",
    "trigger",
    "status",
    "timezone",
    "phase",
    "who",
    "requestId",
}
texts = st.one_of(st.sampled_from(ATTACKS), st.text(max_size=40))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes, its addresses, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.names |= {f"{tag} {name}" for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        self.scripts += tag == "script"


def show(answers: dict[str, Any], address: str) -> tuple[int, str]:
    console = Console(ExampleApi(answers=answers), Place("x", zone=UTC), now=lambda: NOW)
    try:
        answer = console.answer(Request("GET", address, "", {"sec-fetch-dest": "document"}))
        assert answer is not None
        return answer.status, answer.body.decode()
    finally:
        console.close()


def fill(document: Any, text: str) -> Any:
    """A document with a text in place of all texts that are no times and no words of the API."""
    match document:
        case dict():
            return {
                (text if name in ("shop", "github") else name): value if name in WORDS_OF_THE_API else fill(value, text)
                for name, value in document.items()
            }
        case list():
            return [fill(value, text) for value in document]
        case str() if not document.endswith("Z"):
            return text
    return document


# With ordinary texts: a word, none, a web address.
ORDINARY = {
    address: set[str]().union(
        *(Elements(show(fill(ANSWERS, text), address)[1]).names for text in ("plain", "", "https://example.com/x"))
    )
    for address in PAGES
}


@pytest.mark.parametrize("address", PAGES)
@settings(max_examples=40)
@given(text=texts)
def test_hostile_texts_stay_texts(address: str, text: str) -> None:
    status, page = show(fill(ANSWERS, text), address)
    assert status == 200
    elements = Elements(page)
    assert elements.names <= ORDINARY[address]
    assert elements.scripts == 1
    for link in elements.addresses:
        assert not link.startswith("//"), link
        assert urlsplit(link).scheme in ("", "http", "https"), link
    assert not any(sign in page for sign in ("\x1b", "\x00", "\u202e", "\u2066", "\x9b"))


def paths(document: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all values of a document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [place, *(path for name, value in inner for path in paths(value, (*place, name)))]


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A document with another value at a place."""
    if not place:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[place[0]] = put(document[place[0]], place[1:], value)
    return copy


@pytest.mark.parametrize("address", PAGES)
@settings(max_examples=60)
@given(data=st.data())
def test_an_answer_of_any_shape_gives_a_page(address: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PAGES[address]))
    place = data.draw(st.sampled_from(paths(ANSWERS[path])))
    status, page = show({**ANSWERS, path: put(ANSWERS[path], place, data.draw(values))}, address)
    assert status in (200, 502)
    assert Elements(page).scripts == 1
    if status == 502:
        assert "is not what this console knows" in page
