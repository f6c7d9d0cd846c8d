"""What is there after a storm, and what of it must not be: the invariants, decided from plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Delivered:
    """One delivery of a push and its answer; `why` says what hindered one that is not 2xx."""

    push: int
    delivery_id: str
    status: int
    seconds: float
    deferred: bool
    why: str = ""

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Execution:
    """An execution; `push` is the number of the push that its input names, None for any other; `why` is its error."""

    request_id: str
    status: str
    push: int | None
    why: str = ""


@dataclass(frozen=True)
class Seen:
    """All that was there once nothing moved any more; `messages` are those left in each queue."""

    deliveries: Sequence[Delivered]
    executions: Sequence[Execution]
    jobs_by_branch: Mapping[tuple[int, int], int]
    executions_by_branch: Mapping[tuple[int, int], int]
    told_programs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often an end was told on the bus, by request id and outcome."""
    told_people: Counter[str] = field(default_factory=Counter)
    """How many messages of an end name a request id."""
    messages: Mapping[str, int] = field(default_factory=dict)
    statuses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The states of the status that tells of a request, in the order in which the host took them."""
    deployments: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    """The states of each deployment that was made for a request."""
    failed_calls: int = 0
    """How many calls of targets of reports were refused, or had no answer."""
    newest: Collection[str] = ()
    """The requests whose jobs are the newest of their app and branch: no newer deployment makes theirs needless."""


STATES = {"SUCCEEDED": "success", "FAILED": "failure"}
"""The state at GitHub of an outcome; that of any other is error."""


def violations(seen: Seen) -> Iterator[str]:
    """Each thing that must not be, as a sentence."""
    yield from _of_pushes(seen)
    yield from _of_ends(seen)
    yield from _of_reports(seen)
    for queue, count in seen.messages.items():
        if count:
            yield f"{count} messages are left in {queue}"


def _of_pushes(seen: Seen) -> Iterator[str]:
    accepted = {record.push for record in seen.deliveries if record.accepted}
    of_push = Counter(record.push for record in seen.executions)
    for push in sorted(accepted):
        if of_push[push] == 0:
            yield f"push {push} was answered 2xx and has no execution"
    for number, count in of_push.items():
        if count > 1:
            yield f"push {number} has {count} executions"
    for branch in sorted({*seen.executions_by_branch, *seen.jobs_by_branch}):
        jobs, count = seen.jobs_by_branch.get(branch, 0), seen.executions_by_branch.get(branch, 0)
        if jobs != count:
            yield f"branch {branch[1]} of app {branch[0]} has {jobs} jobs for {count} executions"
    for delivery in seen.deliveries:
        if not delivery.accepted and not delivery.why:
            yield f"delivery {delivery.delivery_id} was answered {delivery.status}, and no log line says why"


def _of_ends(seen: Seen) -> Iterator[str]:
    outcomes = Counter(request_id for request_id, _ in seen.told_programs)
    for execution in seen.executions:
        if execution.status != "SUCCEEDED":
            yield f"execution {execution.request_id} is {execution.status} {execution.why}".rstrip()
        if outcomes[execution.request_id] != 1:
            yield f"programs were told {outcomes[execution.request_id]} ends of {execution.request_id}"
        if seen.told_people[execution.request_id] == 0:
            yield f"people were not told the end of {execution.request_id}"


def _of_reports(seen: Seen) -> Iterator[str]:
    for request_id, outcome in seen.told_programs:
        state = STATES.get(outcome, "error")
        if (last := next(reversed(seen.statuses.get(request_id, ())), None)) != state:
            yield f"the status of {request_id} is {last} instead of {state}"
        deployments = seen.deployments.get(request_id, ())
        if len(deployments) > 1:
            yield f"{request_id} has {len(deployments)} deployments"
        if request_id in seen.newest and not deployments:
            yield f"{request_id} has no deployment"
        for states in deployments:
            if (last := next(reversed(states), None)) != state:
                yield f"the deployment of {request_id} is {last} instead of {state}"


def repeats(seen: Seen) -> tuple[int, int, int]:
    """Ends that were told more than once, to programs, people and commits: a lost answer makes a call come twice."""
    programs = sum(count > 1 for count in seen.told_programs.values())
    commits = sum(states.count(states[-1]) > 1 for states in seen.statuses.values())
    return programs, sum(count > 1 for count in seen.told_people.values()), commits


def lost(seen: Seen) -> list[int]:
    """Pushes that no delivery brought in: all their answers said so."""
    there = {record.push for record in seen.executions}
    return sorted({record.push for record in seen.deliveries} - there)
