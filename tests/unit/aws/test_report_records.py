"""Records of reports lie where the function's policy lets it read and write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from amplify_jobs.aws.dynamodb import ConditionNotMetError, Table
from amplify_jobs.aws.report_records import ReportRecords
from amplify_jobs.reporting.destination import Destination
from amplify_jobs.reporting.planning import Plan
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.reporting.sending import BranchState, Record
from amplify_jobs.routing.report_targets import ChatWebhook
from tests.support.announced import finished

# dynamodb:LeadingKeys of SendReportFunctionRole in template.yaml, which the local cloud does not evaluate.
LEADING = ("report#", "target#")
CHAT = Destination("chat", ChatWebhook(kind="slack", webhook="/amplify-jobs/secrets/chat"))


class Items:
    """A table that meets a condition for an item that is not there, or that the values do not name."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.keys: set[str] = set()

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        self.keys.add(key["pk"])
        return self.items.get((key["pk"], key["sk"]))

    def put(
        self, item: Mapping[str, Any], condition: str | None = None, values: Mapping[str, Any] | None = None
    ) -> None:
        self.keys.add(item["pk"])
        place = (item["pk"], item["sk"])
        if condition and ":now" in (values or {}) and item["sk"].startswith("secret#"):
            if self.items.get(place, {"expiresAt": 0})["expiresAt"] >= (values or {})[":now"]:
                raise ConditionNotMetError
        elif condition and (values or {}).get(":same") == self.items.get(place, {}).get("configuration", "none"):
            raise ConditionNotMetError
        self.items[place] = dict(item)


def test_all_records_are_where_the_policy_allows_them_and_are_read_as_they_were_written() -> None:
    items, report, plan = Items(), finished(), Plan("chat", "a subject")
    records = ReportRecords(cast(Table, items), lambda: datetime(2026, 11, 28, tzinfo=UTC))
    assert records.record(plan) == Record()
    records.save(plan, Record(report.version, "4711"))
    assert records.record(plan) == Record(report.version, "4711")
    assert records.branch_state(CHAT, report) is None
    records.save_branch_state(CHAT, report)
    state = records.branch_state(CHAT, report)
    assert state == BranchState(ReportState.SUCCEEDED, report.version.requested_at)
    assert not records.is_stopped(CHAT)
    assert [records.stop(CHAT, "HTTP 401"), records.stop(CHAT, "HTTP 401")] == [True, False]
    assert records.is_stopped(CHAT)
    records.resume(CHAT)
    assert not records.is_stopped(CHAT)
    assert records.stop(CHAT, "HTTP 401")
    assert [records.note_missing_secret(CHAT, "/a/b"), records.note_missing_secret(CHAT, "/a/b")] == [True, False]
    records.forget_missing_secret(CHAT, "/a/b")
    assert records.note_missing_secret(CHAT, "/a/b")
    assert items.keys
    assert all(key.startswith(LEADING) for key in items.keys)
