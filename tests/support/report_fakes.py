"""What a sender of reports is given, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from amplify_jobs.errors import NotSetUpError, ServiceTrouble
from amplify_jobs.reporting.destination import Destination
from amplify_jobs.reporting.planning import Plan
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.sending import BranchState, Record, ReportRetryError, Result


@dataclass
class Records:
    records: dict[Plan, Record] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    states: dict[str, BranchState] = field(default_factory=dict)
    missing: set[tuple[str, str]] = field(default_factory=set)

    def record(self, plan: Plan) -> Record:
        return self.records.get(plan, Record())

    def save(self, plan: Plan, record: Record) -> None:
        self.records[plan] = record

    def branch_state(self, destination: Destination, report: Report) -> BranchState | None:
        return self.states.get(destination.name)

    def save_branch_state(self, destination: Destination, report: Report) -> None:
        earlier = self.states.get(destination.name)
        if earlier is None or earlier.requested_at <= report.version.requested_at:
            self.states[destination.name] = BranchState(report.state, report.version.requested_at)

    def is_stopped(self, destination: Destination) -> bool:
        return destination.name in self.stopped

    def stop(self, destination: Destination, reason: str) -> bool:
        is_new = destination.name not in self.stopped
        self.stopped.add(destination.name)
        return is_new

    def resume(self, destination: Destination) -> None:
        self.stopped.remove(destination.name)

    def note_missing_secret(self, destination: Destination, name: str) -> bool:
        is_new = (destination.name, name) not in self.missing
        self.missing.add((destination.name, name))
        return is_new

    def forget_missing_secret(self, destination: Destination, name: str) -> None:
        self.missing.remove((destination.name, name))


@dataclass
class Secrets:
    missing: set[str] = field(default_factory=set)

    def values(self, names: tuple[str, ...]) -> Sequence[str]:
        if self.missing.issuperset(names):
            raise NotSetUpError(f"no secret is stored in SSM under {names[0]}")
        return ["https://hooks.slack.com/services/T/B/x" if "slack" in name else f"value-of-{name}" for name in names]


@dataclass
class Notices:
    told: list[str] = field(default_factory=list)
    troubles: list[ServiceTrouble] = field(default_factory=list)

    def tell_stopped(self, destination: Destination, reason: str) -> None:
        if self.troubles:
            raise self.troubles.pop()
        self.told.append(f"{destination.name}: {reason}")

    def tell_missing_secret(self, destination: Destination, name: str) -> None:
        self.tell_stopped(destination, f"{name} is missing")


def until_sent(send: Callable[[], Result]) -> Result:
    """Send a report as the queue does: again, until nothing asks to wait."""
    for _ in range(20):
        try:
            return send()
        except ReportRetryError:
            continue
    raise AssertionError("the report is never sent")
