"""Badges that are switched on: who has a token sees its branch, and nobody can make one without the key."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.indexing import items
from amplify_jobs.indexing.branch import BranchRecord, branch_news
from amplify_jobs.indexing.reading import IndexReader
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.indexing.summary import summary
from amplify_jobs.steering import badge
from amplify_jobs.steering.badge import Word
from amplify_jobs.steering.service import JobsApi
from amplify_jobs.steering.web import build_app
from tests.support.announced import JOB, REQUESTED
from tests.support.api_examples import record
from tests.support.index_fakes import KeptIndex

KEY = "k" * 32
APP_ID = JOB.app_id
TEXT = st.text(min_size=1, max_size=100)


def branch(*records: RequestRecord) -> BranchRecord:
    """What the index knows of main after these requests."""
    news = [result for each in records if (result := branch_news(summary(each))) is not None]
    first, *others = news
    for each in others:
        first = first.merge(each)
    return first


def later(request_record: RequestRecord) -> RequestRecord:
    """The same, of a request a minute later."""
    request = request_record.request
    assert request is not None
    at = REQUESTED + timedelta(minutes=1)
    parts = {
        name: part.model_copy(update={"detail": part.detail.model_copy(update={"requested_at": at})})
        for name in ("started", "ended")
        if (part := getattr(request_record, name)) is not None
    }
    changed = request.model_copy(update={"received_at": at, "request_id": "web-2"})
    return request_record.model_copy(update={"request_id": "web-2", "request": changed, **parts})


@pytest.mark.parametrize(
    ("branch_record", "word"),
    [
        (None, Word.NONE),
        (branch(record(Outcome.SUCCEEDED)), Word.PASSING),
        (branch(record(Outcome.FAILED)), Word.FAILING),
        (branch(record(Outcome.TIMED_OUT)), Word.FAILING),
        (branch(record(None)), Word.RUNNING),
        # A job that was cancelled says nothing of the branch, one that runs nothing yet.
        (branch(record(Outcome.CANCELLED)), Word.NONE),
        (branch(record(Outcome.SUCCEEDED), later(record(Outcome.CANCELLED))), Word.PASSING),
        (branch(record(Outcome.FAILED), later(record(None))), Word.FAILING),
        (branch(record(Outcome.FAILED), later(record(Outcome.SUCCEEDED))), Word.PASSING),
        (branch(later(record(Outcome.FAILED)), record(Outcome.SUCCEEDED)), Word.FAILING),
    ],
)
def test_the_word_of_a_branch(branch_record: BranchRecord | None, word: Word) -> None:
    assert badge.word(branch_record) is word


@given(TEXT, TEXT, TEXT)
def test_a_token_names_its_branch_to_who_has_the_key(key: str, app_id: str, branch_name: str) -> None:
    app_id = app_id.replace("#", "")
    token = badge.make_token(key, app_id, branch_name)
    assert badge.read_token(key, token) == (app_id, branch_name)
    assert badge.read_token(f"{key}x", token) is None
    assert token.replace("-", "").replace("_", "").isalnum()


@given(st.integers(0, 200), st.sampled_from("AZaz09-_"))
def test_a_changed_token_is_none(place: int, letter: str) -> None:
    token = badge.make_token(KEY, APP_ID, "main")
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    result = badge.read_token(KEY, changed)
    # The last letter has bits that mean nothing.
    assert result is None or (place == len(token) - 1 and result == (APP_ID, "main")) or changed == token


@given(st.text(max_size=300))
def test_any_text_is_no_token(text: str) -> None:
    assert badge.read_token(KEY, text) is None


@pytest.mark.parametrize("word", Word)
def test_the_image_is_xml_that_readers_hear(word: Word) -> None:
    image = badge.svg(word, label='<build> & "web"')
    root = ElementTree.fromstring(image)
    assert root.get("aria-label") == f'<build> & "web": {word}'
    assert "<script" not in image
    # https://shields.io/badges/endpoint-badge: these members, and no others.
    assert badge.shields(word).keys() == {"schemaVersion", "label", "message", "color", "cacheSeconds"}


def api(key: str) -> Any:
    """What answers calls of an API with a key, whose index knows that main of an app has passed."""
    index = KeptIndex()
    branch_record = branch(record(Outcome.SUCCEEDED))
    index.items[items.branch_key(APP_ID, "main")] = items.branch_item(branch_record)
    nothing = cast("Any", None)
    reader = IndexReader(index, lambda: REQUESTED)
    return build_app(JobsApi(reader, nothing, key, lambda: REQUESTED))


def get(app: Any, name: str) -> Any:
    return call(app, f"/badges/{name}")


def call(resolver: Any, path: str, **query: str) -> Any:
    event = {
        "version": "2.0",
        "rawPath": path,
        "headers": {},
        "queryStringParameters": query,
        "requestContext": {"http": {"method": "GET", "path": path}, "stage": "$default"},
    }
    answer = resolver.resolve(event, cast("Any", None))
    return answer["statusCode"], answer["headers"], answer["body"]


@pytest.mark.parametrize(
    ("key", "token", "word"),
    [
        (KEY, badge.make_token(KEY, APP_ID, "main"), "passing"),
        (KEY, badge.make_token(KEY, APP_ID, "other"), "none"),
        (KEY, badge.make_token("another key", APP_ID, "main"), "none"),
        (KEY, "x", "none"),
        # Switched off, also to who knows that the key is empty.
        ("", badge.make_token("", APP_ID, "main"), "none"),
    ],
)
def test_the_api_always_answers(key: str, token: str, word: str) -> None:
    app = api(key)
    status, headers, body = get(app, f"{token}.json")
    assert (status, json.loads(body)["message"]) == (200, word)
    status, headers, body = get(app, f"{token}.svg")
    assert (status, headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    assert headers["Cache-Control"] == "public, max-age=60, s-maxage=60"
    assert f'aria-label="build: {word}"' in body


def branches(key: str, **query: str) -> tuple[int, Any]:
    """How many branches an API with a key lists, and the path of the first one's badge."""
    status, _, body = call(api(key), "/branches", **query)
    assert status == 200, body
    items = json.loads(body)["items"]
    return len(items), items[0]["badge"] if items else None


def test_a_branch_has_the_path_of_its_badge_and_nothing_of_the_key() -> None:
    path = f"/badges/{badge.make_token(KEY, APP_ID, 'main')}.svg"
    assert branches(KEY) == (1, path)
    assert branches(KEY, app=APP_ID, branch="main") == (1, path)
    assert branches(KEY, app=APP_ID, branch="other") == (0, None)
    assert branches("", app=APP_ID, branch="main") == (1, None)
    assert get(api(KEY), path.rpartition("/")[2])[0] == 200
    status, _, body = call(api(KEY), "/branches", app=APP_ID)
    assert (status, "give both" in json.loads(body)["detail"]) == (400, True)
