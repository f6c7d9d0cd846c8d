"""A repository, its deliveries, the intake and reconcile in memory: what is asked for when deliveries go astray."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.events.event import Event
from amplify_jobs.events.normalize import Commit, RefChange, Repository
from amplify_jobs.intake import process
from amplify_jobs.intake.claims import Claims, RefName
from amplify_jobs.intake.message import QueuedEvent
from amplify_jobs.intake.process import EventProcessor
from amplify_jobs.intake.ref_record import NO_OBJECT, RefRecord
from amplify_jobs.intake.result import IntakeResult
from amplify_jobs.mirroring.listing import Tip
from amplify_jobs.reconciling.reconcile import Options, Outcome, Reconciling, Resources
from amplify_jobs.reconciling.snapshot import Snapshot
from amplify_jobs.routing.mirrors import Git
from amplify_jobs.routing.reconciled import ReconciledRepository, reconciled_repositories
from amplify_jobs.routing.routes import Routes
from tests.support.intake_fakes import FixedRoutes, KeptExecutions, KeptQueue

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
MAIN = "refs/heads/main"
REPOSITORY = "Acme/web"
ROUTES = Routes.model_validate(
    {
        "sources": {
            "gitea": {
                "provider": "gitea",
                "secrets": ["/amplify-jobs/secrets/gitea"],
                "git": {"url": "https://git.example.com/{repository}.git"},
            }
        },
        "routes": {
            "web": {
                "source": "gitea",
                "when": {"push": {"repository": REPOSITORY, "branches": ["main", "release/*"], "tags": ["v*"]}},
                "request": {
                    "operation": "start_job",
                    "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"},
                },
            },
        },
    }
)


def sha(number: int) -> str:
    """An id of an object."""
    return f"{number:040x}"


class KeptRefRecords:
    """The records of refs, in a dictionary; `competing` is called once before a write."""

    def __init__(self) -> None:
        self.records: dict[RefName, RefRecord] = {}
        self.reads = 0

    def ref_record(self, name: RefName) -> RefRecord:
        self.reads += 1
        return self.records.get(name, RefRecord())

    def write_ref_record(self, name: RefName, record: RefRecord, now: datetime) -> bool:
        if record.version != self.ref_record(name).version + 1:
            return False
        # What is stored is JSON.
        self.records[name] = RefRecord.model_validate_json(record.model_dump_json(by_alias=True))
        return True


class KeptSnapshots:
    """The snapshots of repositories, in a dictionary."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], str] = {}
        self.writes = 0

    def snapshot(self, source: str, repository: str) -> Snapshot | None:
        text = self.stored.get((source, repository))
        return None if text is None else Snapshot.model_validate_json(text)

    def write_snapshot(self, source: str, repository: str, snapshot: Snapshot) -> None:
        self.writes += 1
        self.stored[source, repository] = snapshot.model_dump_json(by_alias=True)


@dataclass
class Host:
    """The refs of a repository at its host; `trouble` is raised instead of listing them, `silence` of their commits.

    `descriptions` is what commits say by their ids, where a test cares. With `is_moving`, refs have moved when commits
    are read.
    """

    refs: dict[str, Tip] = field(default_factory=dict)
    trouble: AmplifyJobsError | None = None
    silence: AmplifyJobsError | None = None
    descriptions: dict[str, Commit] = field(default_factory=dict)
    reads: list[list[str]] = field(default_factory=list)
    is_moving: bool = False

    def source(self, git: Git | None, repository: str) -> Host:
        return self

    def tips(self, prefixes: Sequence[str]) -> dict[str, Tip]:
        if self.trouble is not None:
            raise self.trouble
        return {name: tip for name, tip in self.refs.items() if name.startswith(tuple(prefixes))}

    def commits(self, tips: Collection[Tip]) -> dict[str, Commit]:
        self.reads.append([tip.commit for tip in tips])
        if self.silence is not None:
            raise self.silence
        return {
            tip.commit: self.descriptions.get(tip.commit, Commit(tip.commit, None, "Change", "Ada"))
            for tip in tips
            if tip in self.refs.values() and not self.is_moving
        }


@dataclass
class KeptRedeliveries:
    """A host that delivers again as many deliveries as a test says, and from when on it was asked to."""

    number: int = 0
    asked: list[datetime] = field(default_factory=list)

    def ask_again(self, repository: ReconciledRepository, since: datetime) -> int:
        self.asked.append(since)
        return self.number


class ReconciledWorld:
    """A host whose deliveries come when a test says so, and a stack that looks when it says so."""

    def __init__(self, routes: Routes = ROUTES) -> None:
        self.now = NOON
        self.host = Host({MAIN: Tip(sha(0), sha(0))})
        self.routes = FixedRoutes(routes)
        self.executions = KeptExecutions()
        self.queue = KeptQueue()
        self.records = KeptRefRecords()
        self.snapshots = KeptSnapshots()
        self.redeliveries = KeptRedeliveries()
        self._deliveries = 0
        claims = Claims(self.records, lambda: self.now)
        self.processor = EventProcessor(self.routes, self.executions, claims)
        self._reconciling = Reconciling(
            Resources(self.routes, self.snapshots, self.records, self.queue, self.redeliveries, lambda: self.now)
        )

    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def push(self, number: int | None, ref: str = MAIN) -> Event:
        """Move, make or (None) delete a ref, and give the event of the delivery, which is on its way."""
        before = self.host.refs.pop(ref, None)
        if number is not None:
            self.host.refs[ref] = Tip(sha(number), sha(number))
        self._deliveries += 1
        change = RefChange(
            repository=Repository("acme/web", "git.example.com"),
            ref=ref,
            before=before.object_id if before else NO_OBJECT,
            after=NO_OBJECT if number is None else sha(number),
            created=before is None,
            deleted=number is None,
            head=Commit(None if number is None else sha(number)),
        )
        event = change.event()
        assert isinstance(event, Event)
        return event.model_copy(update={"evidence": (f"delivery {self._deliveries}",)})

    def push_timed(self, number: int, ref: str = MAIN) -> Event:
        """Move or make a ref at a host whose deliveries tell the time."""
        return self.push(number, ref).model_copy(update={"event_time": self.now.isoformat()})

    def deliver(self, event: Event) -> IntakeResult:
        """Let a delivery come."""
        result = IntakeResult()
        self._process(QueuedEvent(source="gitea", received_at=self.now, event=event), result)
        return result

    def _process(self, message: QueuedEvent, result: IntakeResult) -> None:
        self.processor.process(message, result)
        # Outside of a function nothing takes them away.
        process.metrics.clear_metrics()

    def look(self, options: Options | None = None) -> Outcome:
        """Look at the host, and put what was missed into the queue."""
        (repository,) = reconciled_repositories(self.routes.routes)
        return self._reconciling.run(repository, self.host, options or Options())

    def drain(self) -> list[IntakeResult]:
        """Process what is in the queue."""
        results = []
        while self.queue.messages:
            message, _, _ = self.queue.messages.pop(0)
            results.append(IntakeResult())
            self._process(QueuedEvent.model_validate_json(message), results[-1])
        return results

    def reconcile(self) -> Outcome:
        """What happens after ten minutes."""
        self.wait(10)
        outcome = self.look()
        self.drain()
        return outcome

    @property
    def commits(self) -> list[int]:
        """The numbers of the commits that were asked for, in order."""
        return [int(str(request.cause.commit), 16) for request in self.executions.requests]
