"""News become items: in any order, as often as they come, and of any size; nothing else is indexed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.errors import ServiceTrouble, UnreadableMessageError
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.indexing import indexer, items
from amplify_jobs.indexing.branch import BranchRecord
from amplify_jobs.indexing.delivery import delivery_story
from amplify_jobs.indexing.indexer import Indexer
from amplify_jobs.indexing.news import read_news
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.indexing.summary import summary
from amplify_jobs.intake.message import Origin
from amplify_jobs.intake.record import DecidedEvent, Decision, DeliveryRecord, delivery_record
from amplify_jobs.reporting.outcome import ReportOutcome
from amplify_jobs.reporting.report import Report
from tests.support.announced import COMMIT, REQUESTED, finished, rejected, started
from tests.support.api_examples import ARN, record
from tests.support.index_fakes import KeptIndex

NOW = REQUESTED + timedelta(minutes=10)
ORIGIN = Origin("github", "72d3162e", REQUESTED, "github")
PUSH = Event(
    kind=EventKind.PUSH, repository="acme/web", ref="refs/heads/main", branch="main", commit=COMMIT, after=COMMIT
)
MATCHED = Decision(route="web", matched=True, reason="branch main matches main", request_id="web-1")


@pytest.fixture(autouse=True)
def metrics() -> Iterator[dict[str, Any]]:
    """The metrics that are counted; nothing of them is left to others."""
    indexer.metrics.clear_metrics()
    yield indexer.metrics.metric_set
    indexer.metrics.clear_metrics()


def event(report: Report, at: datetime = REQUESTED) -> str:
    """An announcement as EventBridge puts it into the queue."""
    detail = report.detail.model_dump(mode="json", by_alias=True)
    return _event("amplify-jobs", report.detail_type.value, detail, at)


def execution(status: str = "RUNNING", request: str | None = None) -> str:
    """An execution's change of status as EventBridge puts it into the queue."""
    body = request
    if body is None:
        result = record(None).request
        assert result is not None
        body = result.model_dump_json(by_alias=True)
    start = int(REQUESTED.timestamp() * 1000)
    detail = {"executionArn": ARN, "status": status, "input": body, "startDate": start, "redriveCount": 0}
    return _event("aws.states", "Step Functions Execution Status Change", detail, REQUESTED)


def _event(source: str, detail_type: str, detail: Any, at: datetime) -> str:
    return json.dumps(
        {"source": source, "detail-type": detail_type, "time": f"{at:%Y-%m-%dT%H:%M:%SZ}", "detail": detail}
    )


def message(body: str, number: int = 0) -> dict[str, Any]:
    return {"messageId": str(number), "body": body, "eventSource": "aws:sqs", "attributes": {}}


def index(*bodies: str) -> KeptIndex:
    """Index messages one after the other."""
    table = KeptIndex()
    for body in bodies:
        Indexer(table, lambda: NOW).apply(read_news(body))
    return table


def request_of(table: KeptIndex, request_id: str = "web-1") -> RequestRecord:
    return RequestRecord.model_validate_json(table.items[items.request_key(request_id)].record)


LIFE = [execution(), event(started()), event(finished(Outcome.FAILED), NOW), execution("SUCCEEDED")]


@given(st.permutations(LIFE), st.lists(st.sampled_from(LIFE), max_size=4))
def test_order_and_repeats_of_messages_do_not_matter(order: list[str], repeats: list[str]) -> None:
    expected, table = index(*LIFE), index(*order, *repeats)
    assert table.items == expected.items


def test_a_request_is_listed_by_what_it_is_of_and_leaves_the_running_ones_at_its_end() -> None:
    table = index(execution(), event(started()))
    lists = table.items[items.request_key("web-1")].lists
    assert lists == {
        "period": "requests#2026-11",
        "at": "2026-11-27T12:00:00.000000+00:00#web-1",
        "open": "STARTED",
        "app": "d1a2b3c4d5e6",
        "branch": "d1a2b3c4d5e6#main",
        "sha": COMMIT[:7],
    }
    table = index(execution(), event(started()), event(finished()))
    assert "open" not in table.items[items.request_key("web-1")].lists


def test_a_repeat_writes_nothing() -> None:
    table = index(*LIFE)
    writes = table.writes
    for body in LIFE:
        Indexer(table, lambda: NOW).apply(read_news(body))
    assert table.writes == writes


def test_a_request_that_waits_is_known_by_its_execution() -> None:
    shown = summary(request_of(index(execution())))
    assert (shown.state, shown.route, shown.commit, shown.app_id) == ("RECEIVED", "web", COMMIT, "d1a2b3c4d5e6")


@pytest.mark.parametrize("text", ["", "{", "[1]", '"word"', '{"operation": 7}', "{}"])
def test_the_input_of_an_execution_may_be_anything(text: str) -> None:
    shown = summary(request_of(index(execution(request=text), event(rejected()))))
    assert shown.state == "REJECTED"


def test_the_newer_request_knows_which_it_supersedes() -> None:
    table = index(event(finished(Outcome.CANCELLED, superseded_by="web-2")))
    assert request_of(table, "web-2").supersedes == "web-1"


def test_a_branch_has_its_live_commit_its_last_request_and_its_last_result() -> None:
    later = {"request_id": "web-2", "requested_at": REQUESTED + timedelta(minutes=1)}
    table = index(event(finished(commit_built=COMMIT)), event(finished(Outcome.CANCELLED, **later)))
    branch = BranchRecord.model_validate_json(table.items[items.branch_key("d1a2b3c4d5e6", "main")].record)
    assert branch.live is not None
    assert (branch.live.commit, branch.live.job_id, branch.live.request_id) == (COMMIT, "17", "web-1")
    assert branch.last is not None
    assert branch.result is not None
    assert (branch.last.request_id, branch.result.request_id) == ("web-2", "web-1")
    assert table.items[items.app_key("Web", "d1a2b3c4d5e6")].record == "d1a2b3c4d5e6"


def test_a_report_is_part_of_its_request() -> None:
    outcome = ReportOutcome(
        request_id="web-1", target="team", kind="slack", subject="web-1", state="sent", at=NOW, text="failed"
    )
    waiting = outcome.model_copy(update={"state": "waiting", "at": REQUESTED, "text": "HTTP 503"})
    table = index(*(each.model_dump_json(by_alias=True) for each in (outcome, waiting)), event(started()))
    (report,) = request_of(table).reports
    assert (report.target, report.state, report.text) == ("team", "sent", "failed")


class TestDelivery:
    """What a delivery led to."""

    def test_what_was_decided_later_replaces_what_waited_in_any_order(self) -> None:
        waiting = delivery_record(ORIGIN, [DecidedEvent(PUSH, None)], ["refs/notes is ignored"])
        decided = delivery_record(ORIGIN, [DecidedEvent(PUSH, (MATCHED,))])
        bodies = [each.model_dump_json(by_alias=True) for each in (waiting, decided)]
        table, other = index(*bodies), index(*reversed(bodies))
        assert table.items == other.items
        result = DeliveryRecord.model_validate_json(table.items[items.delivery_key("72d3162e")].record)
        answer = delivery_story(result)
        assert (answer.requests, answer.summary, answer.provider) == (1, "1 request: web-1", "github")
        assert [(each.route, each.matched) for each in answer.decisions] == [(None, False), ("web", True)]
        assert answer.is_replayable

    def test_another_source_does_not_change_it(self) -> None:
        first = delivery_record(ORIGIN, [DecidedEvent(PUSH, (MATCHED,))])
        other = delivery_record(Origin("gitea", "72d3162e", NOW), [DecidedEvent(PUSH, ())])
        table = index(*(each.model_dump_json(by_alias=True) for each in (first, other)))
        assert DeliveryRecord.model_validate_json(table.items[items.delivery_key("72d3162e")].record) == first

    def test_an_event_that_is_too_large_is_not_kept(self) -> None:
        large = PUSH.model_copy(update={"message": "x" * 200_000})
        assert not delivery_story(delivery_record(ORIGIN, [DecidedEvent(large, (MATCHED,))])).is_replayable

    @pytest.mark.parametrize(
        ("decisions", "expected"),
        [
            ((), "no request"),
            (
                (Decision(route="web", matched=False, reason="branch docs is not main"),),
                "no request: branch docs is not main",
            ),
            (
                (Decision(matched=False, reason="a"), Decision(matched=False, reason="b")),
                "no request: 2 routes do not match",
            ),
            (
                (
                    Decision(route="api", matched=False, reason="source gt is not gl", condition="source"),
                    Decision(route="web", matched=False, reason="dev is not main", condition="pull_request.targets"),
                    Decision(route="shop", matched=False, reason="not acme/shop", condition="push.repository"),
                ),
                "no request: dev is not main",
            ),
            (None, "1 event in the intake queue"),
        ],
    )
    def test_its_summary(self, decisions: tuple[Decision, ...] | None, expected: str) -> None:
        assert delivery_story(delivery_record(ORIGIN, [DecidedEvent(PUSH, decisions)])).summary == expected


@pytest.mark.parametrize(
    ("output", "is_preview"),
    [
        ('{"requestId": "web-1", "removal": {"isPreview": false}}', False),
        ('{"removal": {"isPreview": true, "more": 1}}', True),
        ('{"requestId": "web-1"}', None),
        ("[]", None),
        (None, None),
    ],
)
def test_an_execution_tells_whether_there_was_a_preview_to_take_away(output: str | None, is_preview: object) -> None:
    change = json.loads(execution("SUCCEEDED"))
    change["detail"]["output"] = output
    (request,) = read_news(json.dumps(change)).requests
    assert request.execution is not None
    assert request.execution.is_preview is is_preview


UNREADABLE = [
    "",
    "[]",
    "{",
    "{}",
    '{"record": "delivery"}',
    '{"record": "report", "at": 1}',
    _event("other", "x", {}, NOW),
]
UNREADABLE += [_event("amplify-jobs", "Job Requested", {"token": "ghp_0123456789abcdef"}, NOW)]


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_news_is_given_up_with_nothing_of_it_in_the_error(body: str) -> None:
    with pytest.raises(UnreadableMessageError) as error:
        read_news(body)
    assert "ghp_" not in str(error.value)


def test_a_batch_fails_for_what_failed_alone(metrics: dict[str, Any]) -> None:
    table = KeptIndex()
    batch = {"Records": [message(execution(), 1), message("{}", 2), message(event(started()), 3)]}
    assert Indexer(table, lambda: NOW).process(batch) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert metrics["NewsIndexed"]["Value"] == [2.0]
    table.trouble = ServiceTrouble("DynamoDB answered HTTP 500")
    failed = Indexer(table, lambda: NOW).process(batch)["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failed] == ["1", "2", "3"]


def test_the_newest_write_and_its_lag_are_known() -> None:
    assert index(event(started())).newest == (NOW, 600)


def test_months_that_have_items_are_listed_newest_first() -> None:
    result = items.periods("requests", datetime(2026, 3, 1, 12, tzinfo=UTC), items.REQUESTS_LAST)
    assert result == ("requests#2026-03", "requests#2026-02", "requests#2026-01", "requests#2025-12")
