"""Items of the index table: their keys, and the lists that each of them is in.

pk `request#<request id>`, sk `request`: a request. pk `delivery#<delivery id>`, sk `delivery`: a delivery.
pk `branches`, sk `<app id>#<branch>`: a branch. pk `app#<name>`, sk `<app id>`: the id of an app of this name.
pk `health`, sk `index`: the newest write.

An item is in the lists whose partition keys it has as attributes; all of them are in the order of `at`. `period` is
`requests#2026-11` or `deliveries#2026-11`, `app` the id of an app, `branch` `<app id>#<branch>`, `sha` the first digits
of a commit. `open` is the state of a request that has not ended: the list has nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from amplify_jobs.indexing.answers import RequestSummary
from amplify_jobs.indexing.branch import BranchRecord
from amplify_jobs.indexing.delivery import delivery_summary
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.indexing.summary import summary
from amplify_jobs.intake.record import DeliveryRecord
from amplify_jobs.model.base import GrowingModel

REQUESTS_LAST = timedelta(days=90)
DELIVERIES_LAST = timedelta(days=30)
BRANCHES = "branches"
SHA_DIGITS = 7
LISTS = {"periods": "period", "open": "open", "apps": "app", "branches": "branch", "commits": "sha"}
"""The indexes of the table by their names, with their partition keys; `at` is the sort key of each."""


@dataclass(frozen=True)
class Item:
    """An item: `record` is all that is known, in JSON, `summary` what lists show of it, `lists` where it is listed."""

    record: str
    lifetime: timedelta
    summary: str | None = None
    lists: Mapping[str, str] = field(default_factory=dict)


def request_key(request_id: str) -> tuple[str, str]:
    """The key of the item of a request: partition and sort key."""
    return f"request#{request_id}", "request"


def delivery_key(delivery_id: str) -> tuple[str, str]:
    """The key of the item of a delivery."""
    return f"delivery#{delivery_id}", "delivery"


def branch_key(app_id: str, branch_name: str) -> tuple[str, str]:
    """The key of the item of a branch, which lies with those of all branches."""
    return BRANCHES, branch_partition(app_id, branch_name)


def app_key(name: str, app_id: str) -> tuple[str, str]:
    """The key of the item that gives the id of an app by its name."""
    return app_partition(name), app_id


def app_partition(name: str) -> str:
    """The partition of the apps of a name, in upper and lower case."""
    return f"app#{name.lower()}"


HEALTH_KEY = ("health", "index")


def request_item(record: RequestRecord) -> Item:
    """The item of a request."""
    request = summary(record)
    at = request.requested_at or record.as_of
    lists = {"period": period("requests", at), "at": sort_key(at, record.request_id)}
    if not request.state.is_end:
        lists["open"] = request.state.value
    lists |= _places(request)
    return Item(_json(record), REQUESTS_LAST, _json(request), lists)


def delivery_item(record: DeliveryRecord) -> Item:
    """The item of a delivery."""
    at = record.received_at
    lists = {"period": period("deliveries", at), "at": sort_key(at, record.delivery_id)}
    return Item(_json(record), DELIVERIES_LAST, _json(delivery_summary(record)), lists)


def branch_item(record: BranchRecord) -> Item:
    """The item of a branch; one that no request names for long is forgotten."""
    return Item(_json(record), REQUESTS_LAST)


def app_item(app_id: str) -> Item:
    """The item that finds the id of an app by its name."""
    return Item(app_id, REQUESTS_LAST)


def period(kind: str, at: datetime) -> str:
    """The partition of the list of a month."""
    return f"{kind}#{at.astimezone(UTC):%Y-%m}"


def periods(kind: str, now: datetime, lifetime: timedelta) -> tuple[str, ...]:
    """The partitions that have items which have not expired, the newest first."""
    day, oldest = now.astimezone(UTC), period(kind, now - lifetime)
    partitions = [period(kind, day)]
    while partitions[-1] > oldest:
        day = day.replace(day=1) - timedelta(days=1)
        partitions.append(period(kind, day))
    return tuple(partitions)


def branch_partition(app_id: str, branch_name: str) -> str:
    """The partition of the list of a branch's requests."""
    return f"{app_id}#{branch_name}"


def sort_key(at: datetime, name: str) -> str:
    """Items sort by time, and those of one time by their names."""
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')}#{name}"


def _places(shown: RequestSummary) -> dict[str, str]:
    places = {}
    if shown.app_id:
        places["app"] = shown.app_id
        if shown.branch_name:
            places["branch"] = branch_partition(shown.app_id, shown.branch_name)
    if shown.commit:
        places["sha"] = shown.commit[:SHA_DIGITS].lower()
    return places


def _json(model: GrowingModel) -> str:
    return model.model_dump_json(by_alias=True, exclude_none=True)
