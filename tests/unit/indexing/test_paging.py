"""A page reads as many items as it shows, or a fixed multiple, whatever the number of items; pages join to the list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from amplify_jobs.errors import BadQueryError, UnknownItemError
from amplify_jobs.indexing import items
from amplify_jobs.indexing.branch import BranchRecord
from amplify_jobs.indexing.paging import MOST_READ_PER_ITEM
from amplify_jobs.indexing.reading import IndexReader, RequestFilter
from amplify_jobs.indexing.record import RequestRecord, StartNews
from tests.support.announced import REQUESTED, started
from tests.support.index_fakes import KeptIndex

NOW = REQUESTED + timedelta(days=1)


class CountedIndex(KeptIndex):
    """Counts the items that are read of lists."""

    read = 0

    def page(
        self, index: str, partition: str, *, limit: int, before: dict[str, str] | None
    ) -> tuple[list[dict[str, Any]], bool]:
        result, has_more = super().page(index, partition, limit=limit, before=before)
        self.read += len(result)
        return result, has_more


def filled(number: int) -> CountedIndex:
    index = CountedIndex()
    for each in range(number):
        at = REQUESTED - timedelta(minutes=each)
        route = "rare" if each % 50 == 0 else "web"
        detail = started(request_id=f"web-{each}", requested_at=at, route=route).detail
        record = RequestRecord(request_id=f"web-{each}", as_of=at, started=StartNews(at=at, detail=detail))  # type: ignore[arg-type]
        index.items[items.request_key(record.request_id)] = items.request_item(record)
    return index


@pytest.mark.parametrize("number", [100, 2_000])
@pytest.mark.parametrize("filters", [RequestFilter(), RequestFilter(route="rare"), RequestFilter(state="finished")])
def test_a_page_reads_items_by_its_own_size(number: int, filters: RequestFilter) -> None:
    index = filled(number)
    IndexReader(index, lambda: NOW).requests(filters, 10, None)
    assert index.read <= 10 * (1 if filters == RequestFilter() else MOST_READ_PER_ITEM)


@pytest.mark.parametrize("filters", [RequestFilter(), RequestFilter(branch="main"), RequestFilter(route="rare")])
def test_pages_join_to_the_list(filters: RequestFilter) -> None:
    reader, result, token = IndexReader(filled(230), lambda: NOW), [], None
    while True:
        page = reader.requests(filters, 7, token)
        result += [each.request_id for each in page.items]
        token = page.next
        if token is None:
            break
    expected = [f"web-{each}" for each in range(230) if filters.route is None or each % 50 == 0]
    assert result == expected


@pytest.mark.parametrize("token", ["x", "W10", "eyJhIjoxfQ", "WyJyZXF1ZXN0cyMxOTk5LTAxIixudWxsXQ"])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(BadQueryError, match="next is not a token"):
        IndexReader(filled(1), lambda: NOW).requests(RequestFilter(), 7, token)


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(UnknownItemError, match="there is no request nosuch"):
        IndexReader(filled(1), lambda: NOW).record("nosuch")


def test_a_branch_has_the_name_of_its_app_if_a_branch_beside_it_has_one() -> None:
    index = KeptIndex()
    for app_id, branch_name, app_name in (("d1", "main", "web"), ("d1", "pr-7", None), ("d2", "main", None)):
        record = BranchRecord(app_id=app_id, branch_name=branch_name, app_name=app_name)
        index.items[items.branch_key(app_id, branch_name)] = items.branch_item(record)
    branches = IndexReader(index, lambda: NOW).branches(9, None).items
    names = [(branch.branch_name, branch.app_name) for branch in branches]
    assert names == [("main", "web"), ("pr-7", "web"), ("main", None)]
