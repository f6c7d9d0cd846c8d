"""Which of GitHub's deliveries are asked for again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from amplify_jobs.reconciling.redelivery import (
    MOST_REDELIVERIES,
    failed_pushes,
    hook_of,
    hooks_address,
    next_cursor,
)
from amplify_jobs.routing.mirrors import Git
from tests.support.reconciled import NOON


def delivery(number: int, status: int = 502, guid: str | None = None, **members: Any) -> dict[str, Any]:
    return {
        "id": number,
        "guid": guid or f"guid-{number}",
        "delivered_at": (NOON + timedelta(minutes=number)).isoformat().replace("+00:00", "Z"),
        "redelivery": False,
        "status": "OK" if status == 202 else "Bad Gateway",
        "status_code": status,
        "event": "push",
        "action": None,
        **members,
    }


def test_pushes_that_failed_are_asked_for_the_oldest_first() -> None:
    deliveries = [delivery(5), delivery(4, 202), delivery(3, 0), delivery(2, event="ping"), delivery(1)]
    assert failed_pushes(deliveries, NOON) == [1, 3, 5]
    assert failed_pushes(deliveries, NOON + timedelta(minutes=2)) == [3, 5]


def test_one_that_was_delivered_again_is_left_alone() -> None:
    assert failed_pushes([delivery(3, 202, "a", redelivery=True), delivery(2, 502, "a")], NOON) == []
    # Two failed attempts are one delivery.
    assert failed_pushes([delivery(3, 502, "a", redelivery=True), delivery(2, 502, "a")], NOON) == [2]


def test_not_too_many_are_asked_for() -> None:
    assert len(failed_pushes([delivery(number) for number in range(100)], NOON)) == MOST_REDELIVERIES


@pytest.mark.parametrize(
    "members", [{"id": None}, {"guid": None}, {"delivered_at": "yesterday"}, {"delivered_at": None}]
)
def test_what_is_no_delivery_is_left_out(members: dict[str, Any]) -> None:
    assert failed_pushes([{**delivery(1), **members}, {}], NOON) == []


LINK = '<https://api.github.com/repositories/1/hooks/5/deliveries?per_page=100&cursor=v1_17>; rel="next"'


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        (LINK, "v1_17"),
        (f'<https://api.github.com/x?cursor=v1_1>; rel="prev", {LINK}', "v1_17"),
        (LINK.replace("next", "prev"), None),
        (LINK.replace("cursor", "page"), None),
        ("", None),
        ('<>; rel="next"', None),
        ('<https://[;cursor=1>; rel="next"', None),
    ],
)
def test_the_next_page_begins_where_the_host_says(link: str, cursor: str | None) -> None:
    assert next_cursor([delivery(5), delivery(3)], link, NOON) == cursor


def test_older_deliveries_than_were_asked_for_are_on_no_next_page() -> None:
    assert next_cursor([delivery(5), delivery(3)], LINK, NOON + timedelta(minutes=4)) is None
    assert next_cursor([delivery(5), {}], LINK, NOON + timedelta(minutes=4)) == "v1_17"
    assert next_cursor([], LINK, NOON) is None


def test_the_webhook_is_the_one_with_our_address() -> None:
    own, other = "https://api.example.com/webhooks/github", "https://ci.example.com/hook"
    hooks: list[dict[str, Any]] = [{"id": 1, "config": {"url": other}}, {"id": 2, "config": {"url": own}}, {"id": 3}]
    assert hook_of(hooks, own) == 2
    assert hook_of(hooks[:1], own) is None


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://github.com/{repository}.git", "https://api.github.com/repos/acme/web/hooks"),
        ("https://git.example.com/{repository}.git", "https://git.example.com/api/v3/repos/acme/web/hooks"),
    ],
)
def test_the_token_goes_to_the_host_of_the_code(url: str, address: str) -> None:
    assert hooks_address(Git(url=url), "acme/web") == address
