"""What a page of a list reads, counted in DynamoDB's answers: it depends on the page, and not on the table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest
from boto3.dynamodb.types import TypeSerializer

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.index_table import IndexTable
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.indexing import items
from amplify_jobs.indexing.branch import branch_news
from amplify_jobs.indexing.paging import MOST_READ_PER_ITEM
from amplify_jobs.indexing.reading import MOST_OPEN, IndexReader
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.indexing.summary import summary
from amplify_jobs.intake.message import Origin
from amplify_jobs.intake.record import DecidedEvent, Decision, delivery_record
from amplify_jobs.steering.service import JobsApi
from amplify_jobs.steering.web import build_app
from tests.support.announced import REQUESTED
from tests.support.api_examples import record
from tests.support.stack import Stack, serving

LIMIT = 20
APPS = [f"d{number:013}" for number in range(4)]
COMMIT = "c0ffee0" + "1" * 33
# The answer to a page says how old the index is, which is one more item.
AGE = 1
EXACT = [
    "/requests",
    f"/requests?app={APPS[1]}",
    f"/requests?app={APPS[1]}&branch=main",
    f"/requests?repository=acme/web&commit={COMMIT[:7]}",
    "/requests?state=running",
    "/deliveries",
]
"""Lists in which every item that is read is shown."""
FILTERED = [
    "/requests?route=none",
    "/deliveries?repository=acme/none",
]
"""Lists that have nothing to show: a page reads its bound, and no item more."""


@dataclass
class Reads:
    """What DynamoDB answered: how many items it read in each call."""

    calls: list[int] = field(default_factory=list)

    def count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        assert model.name in ("Query", "GetItem")
        self.calls.append(parsed["ScannedCount"] if model.name == "Query" else int("Item" in parsed))
        if model.name == "Query":
            # No call asks for items only to leave them out: a filter of DynamoDB's is billed like a read.
            assert parsed["ScannedCount"] == parsed["Count"]


@dataclass
class Client:
    """Asks the API, and says what each page read."""

    app: Any
    reads: Reads

    def get(self, target: str) -> tuple[Any, list[int]]:
        path, _, query = target.partition("?")
        event = {
            "version": "2.0",
            "rawPath": path,
            "headers": {},
            "queryStringParameters": dict(parse_qsl(query)),
            "requestContext": {"http": {"method": "GET", "path": path}, "stage": "$default"},
        }
        self.reads.calls.clear()
        answer = self.app.resolve(event, cast("Any", None))
        assert answer["statusCode"] == 200, answer["body"]
        return json.loads(answer["body"]), list(self.reads.calls)


def request(number: int, count: int) -> RequestRecord:
    """One of `count` requests of two months: of each app some, a part of one commit, and a part that runs."""
    record_of_request = record(None if number % 4 == 0 else Outcome.SUCCEEDED)
    assert record_of_request.request is not None
    result = record_of_request.request
    at = REQUESTED - timedelta(days=60) * number / count
    app_id, branch = APPS[number % len(APPS)], "next" if number // len(APPS) % 10 == 9 else "main"
    commit = COMMIT if number % 3 == 0 else f"{number:040x}"
    parts: dict[str, Any] = {}
    for name in ("started", "ended"):
        news = getattr(record_of_request, name)
        if news is not None:
            job = news.detail.job.model_copy(update={"app_id": app_id, "branch_name": branch, "job_id": str(number)})
            cause = news.detail.cause.model_copy(update={"commit": commit})
            detail = news.detail.model_copy(update={"job": job, "cause": cause, "requested_at": at})
            parts[name] = news.model_copy(update={"detail": detail})
    changed = result.model_copy(update={"request_id": f"web-{number:032x}", "received_at": at})
    return record_of_request.model_copy(update={"request_id": changed.request_id, "request": changed, **parts})


def written(count: int) -> Iterator[dict[str, Any]]:
    """The items of an index with so many requests and deliveries, as it writes them."""
    for number in range(count):
        request_record = request(number, count)
        yield item(items.request_key(request_record.request_id), items.request_item(request_record))
        news = branch_news(summary(request_record))
        assert news is not None
        yield item(items.branch_key(news.app_id, f"{number % 1000}"), items.branch_item(news))
        push = Event(kind=EventKind.PUSH, repository="acme/web", commit=f"{number:040x}", after=f"{number:040x}")
        decided = DecidedEvent(
            push, (Decision(route="web", matched=True, reason="", request_id=request_record.request_id),)
        )
        at = REQUESTED - timedelta(days=29) * number / count
        delivery = delivery_record(Origin("github", f"delivery-{number}", at, "github"), [decided])
        yield item(items.delivery_key(delivery.delivery_id), items.delivery_item(delivery))


def item(key: tuple[str, str], content: items.Item) -> dict[str, Any]:
    shown = {"summary": content.summary} if content.summary else {}
    return {"pk": key[0], "sk": key[1], "record": content.record, "version": 1, **content.lists, **shown}


def write(stack: Stack, contents: Iterable[dict[str, Any]]) -> None:
    serialize, client = TypeSerializer().serialize, stack.client("dynamodb")
    unique = iter({(one["pk"], one["sk"]): one for one in contents}.values())
    while batch := list(islice(unique, 25)):
        puts = [{"PutRequest": {"Item": {name: serialize(value) for name, value in one.items()}}} for one in batch]
        client.batch_write_item(RequestItems={"index": puts})


@pytest.fixture(scope="module", params=[100, pytest.param(20_000, marks=pytest.mark.thorough)])
def api(request: pytest.FixtureRequest) -> Iterator[Client]:
    with serving() as stack:
        write(stack, written(request.param))
        client, reads, nothing = dynamodb_client(), Reads(), cast("Any", None)
        table = IndexTable(Table(client, "index"), lambda: REQUESTED)
        table.write_health(REQUESTED, 0)
        client.meta.events.register("after-call.dynamodb", reads.count)
        reader = IndexReader(table, lambda: REQUESTED)
        yield Client(build_app(JobsApi(reader, nothing, "", nothing)), reads)


@pytest.mark.parametrize("target", EXACT)
def test_a_page_reads_the_items_that_it_shows(api: Client, target: str) -> None:
    token = ""
    for _ in range(2):
        page, reads = api.get(f"{target}{'&' if '?' in target else '?'}limit=10{token}")
        assert len(page["items"]) == 10, reads
        # An app may be named by its name: the item that would say so is looked for.
        assert sum(reads) == 10 + AGE
        assert len(reads) <= 4
        token = f"&next={page['next']}"


@pytest.mark.parametrize("target", FILTERED)
def test_a_page_of_a_filter_reads_its_bound_at_most(api: Client, target: str) -> None:
    page, reads = api.get(f"{target}&limit=5")
    assert page["items"] == []
    assert page["next"] is not None
    assert sum(reads) == 5 * MOST_READ_PER_ITEM + AGE
    assert len(reads) <= MOST_READ_PER_ITEM + AGE


def test_branches_read_a_page_and_what_has_not_ended(api: Client) -> None:
    page, reads = api.get("/branches?limit=10")
    assert len(page["items"]) == 10
    assert sum(reads) <= 10 + 2 * MOST_OPEN + AGE


def test_one_request_or_delivery_is_one_item(api: Client) -> None:
    newest = api.get("/deliveries?limit=1")[0]["items"][0]
    assert api.get(f"/deliveries/{newest['deliveryId']}")[1] == [1]
