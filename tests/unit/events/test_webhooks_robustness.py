"""No bytes whatsoever in headers or body yield anything but events or an error of ours, for every provider."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from amplify_jobs.errors import DeliveryRefusedError
from amplify_jobs.events.deliveries import first_id
from amplify_jobs.events.event import request_id
from amplify_jobs.events.webhooks import PROVIDERS
from tests.support.git_hosts import rendered
from tests.support.recorded_webhooks import HOSTS, NOT_HERE, PARSERS, SHARED, corpus_body, parse, rows

# Copied, for examples change what they hold.
HOSTILE: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 2**70, -0.5, 1e308, "", "0" * 40, "0" * 64, "-x", "refs/heads/", "refs/tags/-"),
        *(
            "../..",
            "a b",
            "\x00",
            "\ud800",
            "\u202e",
            "x" * 2000,
            "https://[",
            "True",
            "9" * 30,
            "9999-12-31T23:59:59Z",
        ),
        *([], [None], [[]], [{}], {}, {"": None}, {"full_name": 1}, {"id": True, "name": []}, {"hash": "a" * 40}),
    ]
).map(deepcopy)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVENT_HEADERS = ["X-GitHub-Event", "X-Gitea-Event", "X-Forgejo-Event", "X-Event-Key", "X-Gitlab-Event", "webhook-id"]
ALL_HEADERS = [*EVENT_HEADERS, "Content-Type", "X-GitHub-Delivery", "X-Request-UUID", "X-Request-Id", "Idempotency-Key"]
WORDS = ["push", "pull_request", "release", "create", "delete", "ping", "repo:push", "pullrequest:updated", "pr:opened"]
RECORDED = [host for host in PARSERS if host != "standard"]

A_REQUEST = {"requestId": "r-1", "operation": "start_job", "parameters": {"appId": "d1"}, "timeoutMinutes": 5}


@cache
def recordings(host: str) -> list[tuple[dict[str, str], bytes]]:
    if host == "standard":
        return [({"webhook-id": "m"}, json.dumps(body).encode()) for body in (A_REQUEST, {"route": "nightly"})]
    recordings_of_host = [(row["headers"], corpus_body(row["file"])) for row in rows() if row["provider"] == host]
    return recordings_of_host or [(attempt.headers, attempt.content) for attempt in rendered(host)]


def understood_or_refused(host: str, headers: dict[str, str], body: bytes) -> None:
    try:
        delivery = parse(host, headers, body)
    except DeliveryRefusedError as refusal:
        str(refusal).encode()
        return
    for event in delivery.events:
        json.dumps(event.for_answer(), ensure_ascii=False).encode()
        assert request_id("route", event) == request_id("route", event)
    assert delivery.events or delivery.ignored or b'"changes"' in body or b'"refUpdates"' in body
    (delivery.ignored or "").encode()
    (delivery.delivery_id or "").encode()


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every member of every object and list, as the one that holds it and its key."""
    items = []
    rest = [value]
    while rest:
        holder = rest.pop()
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        items += [(holder, key) for key in keys]
        rest += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return items


many = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@pytest.mark.skipif(not SHARED.exists(), reason=NOT_HERE)
@pytest.mark.parametrize("host", PARSERS)
class TestRecordedDeliveries:
    @many
    @given(data=st.data())
    def test_with_members_removed_retyped_and_replaced(self, host: str, data: st.DataObject) -> None:
        headers, body = data.draw(st.sampled_from(recordings(host)))
        payload = json.loads(body)
        for _ in range(data.draw(st.integers(1, 4))):
            result = places(payload)
            if not result:
                break
            holder, key = result[data.draw(st.integers(0, len(result) - 1))]
            if data.draw(st.booleans()):
                del holder[key]
            else:
                holder[key] = data.draw(HOSTILE | JSON)
        understood_or_refused(host, headers, json.dumps(payload).encode())

    @many
    @given(data=st.data())
    def test_cut_or_overwritten(self, host: str, data: st.DataObject) -> None:
        if host == "codecommit":
            return  # EventBridge hands over an event that is parsed already
        headers, recorded_body = data.draw(st.sampled_from(recordings(host)))
        body = bytearray(recorded_body)
        at = data.draw(st.integers(0, len(body) - 1))
        if data.draw(st.booleans()):
            del body[at:]
        else:
            body[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
        understood_or_refused(host, headers, bytes(body))

    @many
    @given(data=st.data())
    def test_under_other_headers(self, host: str, data: st.DataObject) -> None:
        headers, body = data.draw(st.sampled_from(recordings(host)))
        other = data.draw(st.dictionaries(st.sampled_from(ALL_HEADERS), st.sampled_from(WORDS) | st.text(), max_size=4))
        understood_or_refused(host, {**headers, **other}, body)


@pytest.mark.parametrize("host", HOSTS)
@given(st.dictionaries(st.sampled_from(ALL_HEADERS) | st.text(), st.sampled_from(WORDS) | st.text()), st.binary())
@example(dict.fromkeys(EVENT_HEADERS, "push"), b"[" * 100_000)
@example(dict.fromkeys(EVENT_HEADERS, "repo:push"), b'{"a":' * 41 + b"1" + b"}" * 41)
@example(dict.fromkeys(EVENT_HEADERS, "pr:opened"), b'{"a": 1e999}')
@example(dict.fromkeys(EVENT_HEADERS, "\ud800"), b'{"a": "\\ud800", "eventType": "\\ud800"}')
@example({}, b'{"a": 1, "a": 2}')
@example({}, b'{"route": "\\ud800", "\\udfff": 1}')
@example({"webhook-id": "m"}, b'{"operation": "start_job", "parameters": {"appId": "\\ud800"}}')
@example({"Content-Type": "application/x-www-form-urlencoded"}, b"payload=%ff")
def test_any_bytes(host: str, headers: dict[str, str], body: bytes) -> None:
    understood_or_refused(host, headers, body)
    assert len(first_id(headers, PROVIDERS[host].id_headers) or "") <= 128
