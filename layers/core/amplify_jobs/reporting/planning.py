"""Planning reports: which targets get an announcement, and which subject there it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from amplify_jobs.reporting.destination import Destination
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.report import Report, ReportState
from amplify_jobs.reporting.wording import filled
from amplify_jobs.routing.github_patterns import last_match
from amplify_jobs.routing.report_targets import Deployment, ReportConditions

_REPLAY = "reports"


@dataclass(frozen=True)
class Plan:
    """One report to one target. Reports about one subject are sent one after the other, in their order.

    Where several subjects have an order among them, as the deployments to an environment, they are in one lane.
    """

    target: str
    subject: str
    lane: str | None = None

    @property
    def group(self) -> str:
        """The subject of the target, in 64 hexadecimal digits."""
        return hashlib.sha256(f"{self.target}\n{self.subject}".encode()).hexdigest()

    @property
    def whole_lane(self) -> Plan:
        """The lane as a subject of its own: where there is none, the subject."""
        return Plan(self.target, self.lane or self.subject)


def plan(destinations: Iterable[Destination], report: Report) -> Iterator[Plan]:
    """Say which destinations get a report; `changes` is a matter of earlier reports, and is decided elsewhere."""
    for destination in destinations:
        if not meets(destination.target.when, report):
            continue
        if (subject := kind_of(destination).subject(destination, report)) is not None:
            yield Plan(destination.name, subject, _lane(destination, report))


def _lane(destination: Destination, report: Report) -> str | None:
    target = destination.target
    if not isinstance(target, Deployment):
        return None
    return f"{report.cause.repository} environment {filled(target.environment, report)}"


def replay_name(target: str, now: datetime) -> str:
    """The name of a replay of announcements for one target alone (API: StartReplay, at most 64 characters)."""
    return f"{_REPLAY}.{target}.{now:%Y%m%dT%H%M%S}"


def target_of_replay(name: object) -> str | None:
    """The one target that a replayed announcement is for; None for an announcement that no such replay brought."""
    parts = name.split(".") if isinstance(name, str) else []
    return parts[1] if len(parts) == 3 and parts[0] == _REPLAY else None


def meets(conditions: ReportConditions, report: Report) -> bool:
    """Whether a report meets all conditions that are given."""
    if conditions.phases is not None and report.phase not in conditions.phases:
        return False
    if conditions.outcomes is not None and report.outcome is not None and report.outcome not in conditions.outcomes:
        return False
    if conditions.apps is not None and report.app_id not in conditions.apps:
        return False
    if conditions.branches is not None and not last_match(conditions.branches, report.branch or ""):
        return False
    return conditions.routes is None or bool(last_match(conditions.routes, report.detail.route or ""))


BUILD_RESULTS = frozenset({ReportState.SUCCEEDED, ReportState.FAILED, ReportState.ERROR})
"""The ends that say whether a branch builds; a job that was cancelled says nothing of it."""


def is_change(earlier: ReportState | None, report: Report) -> bool:
    """Whether an outcome is news for who wants changes only: the first failure, or the first success after one."""
    bad = {ReportState.FAILED, ReportState.ERROR}
    if report.state in bad:
        return earlier not in bad
    return report.state is ReportState.SUCCEEDED and earlier in bad
