"""The table of the index over the wire: which writes it makes, and how long its items last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.index_table import IndexTable
from amplify_jobs.indexing import items
from tests.support.stack import Stack, serving

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY = items.app_key("web", "d1a2b3c4d5e6")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


def app_item(stack: Stack) -> Any:
    return (
        stack.session.resource("dynamodb", endpoint_url=stack.url)
        .Table("index")
        .get_item(Key={"pk": KEY[0], "sk": KEY[1]})["Item"]
    )


def test_an_item_in_use_never_expires_and_is_written_seldom(stack: Stack) -> None:
    now = NOW
    table = IndexTable(Table(dynamodb_client(), "index"), lambda: now)
    versions = []
    for day in range(0, 181, 15):
        now = NOW + timedelta(days=day)
        table.change(KEY, lambda _: items.app_item(KEY[1]))
        item = app_item(stack)
        assert item["record"] == KEY[1]
        assert item["expiresAt"] >= (now + items.REQUESTS_LAST / 2).timestamp()
        versions.append(int(item["version"]))
    assert versions == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4]
