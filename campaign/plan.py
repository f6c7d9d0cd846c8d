"""What a campaign does and when, by its seed alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

APPS = 4
BRANCHES = 10
PUSHES_A_SECOND = 5.0
STORM_AFTER_LAST_PUSH_SECONDS = 15.0
FAULTS_A_PUSH = 1.5
KILLS_A_PUSH = 0.3
OUTAGES = 4
FUNCTIONS = (
    "ReceiveWebhookFunction",
    "ReceiveEventFunction",
    "DrainIntakeFunction",
    "StartJobFunction",
    "GetJobFunction",
    "OnStatusChangeFunction",
    "AnnounceFunction",
    "PlanReportsFunction",
    "SendReportFunction",
)
CALLS = (
    *(("amplify", name) for name in ("StartJob", "GetJob", "ListJobs", "GetApp", "GetBranch")),
    *(("dynamodb", name) for name in ("PutItem", "UpdateItem", "GetItem", "Query", "DeleteItem")),
    *(("s3", name) for name in ("GetObject", "PutObject")),
    *(("ssm", name) for name in ("GetParameter", "GetParameters")),
    *(("states", name) for name in ("StartExecution", "SendTaskSuccess")),
    ("sns", "Publish"),
    ("events", "PutEvents"),
    *(("sqs", name) for name in ("SendMessage", "ChangeMessageVisibility")),
    ("lambda", "Invoke"),
)
"""All calls of all functions, and that of the state machine."""
FAULTS = ("throttle", "refuse", "lose-answer", "delay", "hang", "nonsense")
EVENT_FAULTS = ("lose", "delay", "duplicate", "reorder")
OUT = (("s3", "GetObject"), ("ssm", "GetParameters"), ("states", "StartExecution"), ("sqs", "SendMessage"))
"""What an outage hits: the calls that accept a delivery."""
REPORT_FAILURES_A_PUSH = 0.5
REPORT_FAILURES: tuple[dict[str, Any], ...] = (
    {},
    {"status": 429, "headers": {"retry-after": "1"}},
    {"status": 500},
    {"status": 503},
)
"""How calls of a target of reports fail; without a status they are done, and their answers are lost."""
SSM_READS = ("GetParameter", "GetParameters", "GetParametersByPath")
SSM_CALLS_A_SECOND = 2.0


@dataclass(frozen=True)
class Push:
    """A push, and the seconds after the start at which it is delivered; the first is the push's own."""

    app: int
    branch: int
    deliveries: Sequence[float]


@dataclass(frozen=True)
class Plan:
    """All that happens, by seconds after the start; kills have their function's logical id."""

    seconds: float
    pushes: Sequence[Push]
    faults: Sequence[tuple[float, dict[str, Any]]]
    kills: Sequence[tuple[float, str]]
    report_failures: Sequence[tuple[float, dict[str, Any]]]


def plan(seed: int, pushes: int) -> Plan:
    """The plan of a seed. Each fault comes before a second one does, and each call before it is hit twice."""
    random = Random(seed)
    last = pushes / PUSHES_A_SECOND
    seconds = last + STORM_AFTER_LAST_PUSH_SECONDS

    def moment() -> float:
        return random.uniform(0.0, seconds)

    faults = [(moment(), fault) for fault in _faults(random, round(pushes * FAULTS_A_PUSH))]
    for service, operation in random.sample(OUT, OUTAGES):
        times = random.randint(5, 15)
        faults.append((moment(), {"service": service, "operation": operation, **_refusal(random), "times": times}))
    first, *rest = SSM_READS
    quota = {"service": "ssm", "operation": first, "also": rest, "fault": "quota", "rate": SSM_CALLS_A_SECOND}
    faults.append((0.0, quota))
    kills = [(moment(), FUNCTIONS[number % len(FUNCTIONS)]) for number in range(round(pushes * KILLS_A_PUSH))]
    failures = [
        (moment(), {**REPORT_FAILURES[number % len(REPORT_FAILURES)], "times": random.randint(1, 3)})
        for number in range(round(pushes * REPORT_FAILURES_A_PUSH))
    ]
    return Plan(
        seconds,
        [_push(random, number / PUSHES_A_SECOND) for number in range(pushes)],
        sorted(faults, key=lambda item: item[0]),
        sorted(kills),
        sorted(failures, key=lambda item: item[0]),
    )


def _push(random: Random, at: float) -> Push:
    deliveries = [at]
    deliveries += [
        at + random.choice((0.0, random.uniform(0.0, 1.0), random.uniform(2.0, 15.0)))
        for _ in range(random.choice((0, 0, 1, 2)))
    ]
    return Push(random.randrange(APPS), random.randrange(BRANCHES), deliveries)


def _faults(random: Random, count: int) -> Iterator[dict[str, Any]]:
    kinds = [(call, fault) for call in CALLS for fault in FAULTS if _makes_sense(call, fault)]
    kinds += [(("amplify", "StatusEvent"), fault) for fault in EVENT_FAULTS] * 3
    pool: list[tuple[tuple[str, str], str]] = []
    for _ in range(count):
        if not pool:
            pool = random.sample(kinds, len(kinds))
        (service, operation), fault = pool.pop()
        document: dict[str, Any] = {"service": service, "operation": operation, "fault": fault}
        if fault == "refuse":
            document |= _refusal(random)
        if fault in {"delay", "reorder"}:
            document["seconds"] = round(random.uniform(0.1, 7.0), 2)
        if fault in {"throttle", "refuse", "lose", "duplicate"}:
            document["times"] = random.randint(1, 4)
        yield document


def _makes_sense(call: tuple[str, str], fault: str) -> bool:
    # The payload of Invoke is the function's own answer, which is no service's to lose.
    return (call, fault) != (("lambda", "Invoke"), "nonsense")


def _refusal(random: Random) -> dict[str, Any]:
    status, code = random.choice(((500, "InternalServerError"), (503, "ServiceUnavailable")))
    return {"fault": "refuse", "status": status, "code": code, "message": "injected by the campaign"}
