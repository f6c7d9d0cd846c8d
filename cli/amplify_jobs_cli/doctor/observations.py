"""What was seen of a stack and its account. What could not be read is Unread, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from amplify_jobs.indexing.answers import Health
from amplify_jobs.indexing.deliveries import DeliverySummary
from amplify_jobs.routing.routes import Routes


@dataclass(frozen=True)
class Unread:
    """Something that could not be read; `reason` says why and what would help."""

    reason: str


@dataclass(frozen=True)
class StoredRoutes:
    """The routes in the bucket: never pushed, of a form that this version does not read, or as they are."""

    is_there: bool
    routes: Routes | None = None


@dataclass(frozen=True)
class AccountMismatch:
    """What a route names and the account does not have, or has in another way; what could not be looked up."""

    warnings: Sequence[tuple[str, str]] = ()
    # Routes for CodeCommit that work, but whose lost events nothing makes up for.
    unreconciled: Sequence[tuple[str, str]] = ()
    troubles: Sequence[str] = ()


@dataclass(frozen=True)
class Observations:
    """All that a diagnosis is made from; `now` is the time at which it was read, by this machine's clock."""

    stack: str
    now: datetime
    is_local: bool
    # Whether the parameter ReadableBuckets names any: without, the rule for new objects is off.
    reads_buckets: bool
    # Status of a delivery to a source that does not exist, and by how many seconds AWS's clock is ahead.
    endpoint_status: int | Unread
    skew_seconds: float | Unread
    routes: StoredRoutes | Unread
    missing_secrets: Sequence[str] | Unread
    account: AccountMismatch | Unread
    # What a push of the same routes would still write.
    left_behind: Sequence[str] | Unread
    # Rule or alarm -> its state; queue -> how many messages wait.
    rules: Mapping[str, str] | Unread
    alarms: Mapping[str, str] | Unread
    queues: Mapping[str, int | Unread]
    # Executions by status, as far back as Step Functions redrives.
    failed_executions: int | Unread
    running_executions: int | Unread
    health: Health | Unread
    deliveries: Sequence[DeliverySummary] | Unread
