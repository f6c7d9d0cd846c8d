"""1,000 repositories looked at by reconcile: calls, time, and what that costs.

The state machine runs on a local cloud. The git host is a stand-in: it answers ls-refs of any repository with the same
refs, so that what is measured is our own.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.console import Console

from amplify_jobs.mirroring.pkt_line import FLUSH, pkt_line
from benchmarks.figures import Row, Table
from benchmarks.running_cloud import HOST, running_cloud
from benchmarks.team import Team, until

REPOSITORIES = 1_000
REFS = 20
LOOKS = ("first", "second", "third")
MOST_TRANSITIONS = 160
# List prices of eu-west-1 (docs/deploying.md, "Cost"), in dollars.
TRANSITION = 0.025 / 1_000
INVOCATION = 0.2 / 1_000_000
GIGABYTE_SECOND = 0.0000133
READ, WRITE = 0.0004 / 1_000, 0.005 / 1_000
GIGABYTES = 0.5
LOOKS_A_MONTH = 30 * 24 * 6
# A snapshot in which nothing changes is written once an hour.
WRITES_A_MONTH = 30 * 24


@dataclass
class GitHost:
    """How many requests of each kind came."""

    port: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def git_host() -> Iterator[GitHost]:
    """Answer every request for refs with the same ones."""
    host = GitHost()
    lines = [f"{number:040x} refs/heads/release/{number}\n" for number in range(REFS)]
    answer = b"".join([*map(pkt_line, lines), FLUSH])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with host.lock:
                host.requests[self.path.rpartition("/")[2]] += 1
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-result")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        host.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield host
        server.shutdown()


@dataclass(frozen=True)
class Look:
    """One execution: its seconds, those of its calls of the function together, and how many of what it made."""

    seconds: float
    function_seconds: float
    invocations: int
    transitions: int
    git_calls: int


def measure(console: Console) -> list[Table]:
    """Look three times: the first one writes each snapshot, and the others find nothing new."""
    with tempfile.TemporaryDirectory() as name, git_host() as host:
        folder = Path(name)
        console.print("reconcile: starting a local cloud", highlight=False)
        with running_cloud(folder, {"MirrorPrivateHosts": f"{HOST}:{host.port}"}) as cloud:
            team = Team(cloud, folder)
            _store_routes(team, host)
            looks = []
            for look in LOOKS:
                console.print(f"reconcile: {look} look at {REPOSITORIES} repositories", highlight=False)
                looks.append(_look(team, host))
    return [_table(looks), _costs(looks[-1])]


def _store_routes(team: Team, host: GitHost) -> None:
    url = f"http://{HOST}:{host.port}/{{repository}}.git"
    request = {
        "operation": "start_job",
        "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "{branch}", "jobType": "RELEASE"},
    }
    routes = {
        "sources": {"gitea": {"provider": "gitea", "secrets": ["/amplify-jobs/secrets/gitea"], "git": {"url": url}}},
        "routes": {
            f"route-{number}": {
                "source": "gitea",
                "when": {"push": {"repository": f"acme/r{number}", "branches": ["release/*"]}},
                "request": request,
            }
            for number in range(REPOSITORIES)
        },
    }
    body = json.dumps(routes).encode()
    team.client("s3").put_object(Bucket=team.outputs["bucketName"], Key="routes.json", Body=body)


def _look(team: Team, host: GitHost) -> Look:
    host.requests.clear()
    states = team.stepfunctions
    started = time.perf_counter()
    execution = states.start_execution(stateMachineArn=team.outputs["reconcileStateMachineArn"], input="{}")
    arn = execution["executionArn"]
    until(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING", "end of the look")
    seconds = time.perf_counter() - started
    batches = json.loads(states.describe_execution(executionArn=arn)["output"])
    looked = sum(batch["repositories"] - len(batch["unreached"]) for batch in batches)
    if looked != REPOSITORIES:
        raise RuntimeError(f"{looked} of {REPOSITORIES} repositories were listed")
    events = [
        event
        for page in states.get_paginator("get_execution_history").paginate(executionArn=arn)
        for event in page["events"]
    ]
    counts = Counter(str(event["type"]) for event in events)
    return Look(
        seconds,
        _function_seconds(events),
        counts["TaskSucceeded"],
        sum(number for kind, number in counts.items() if kind.endswith("StateEntered")) + 1,
        sum(host.requests.values()),
    )


def _function_seconds(events: list[dict[str, Any]]) -> float:
    begun: dict[int, datetime] = {}
    total = 0.0
    for event in events:
        if event["type"] == "TaskStarted":
            begun[event["id"]] = event["timestamp"]
        elif event["type"] == "TaskSucceeded":
            total += (event["timestamp"] - begun[event["previousEventId"]]).total_seconds()
    return total


def _table(looks: list[Look]) -> Table:
    rows = []
    for name, look in zip(LOOKS, looks, strict=True):
        calls = f"{look.git_calls:,}"
        holds = look.git_calls == REPOSITORIES and look.transitions <= MOST_TRANSITIONS
        seconds = f"{look.seconds:.1f} s", f"{look.function_seconds:.1f} s"
        cells = (name, calls, str(look.invocations), str(look.transitions), *seconds)
        rows.append(Row(cells, f"one call a repository, transitions <= {MOST_TRANSITIONS}", holds))
    return Table(
        f"reconcile: {REPOSITORIES:,} repositories of {REFS} refs on a local cloud",
        ("look", "git calls", "invocations", "transitions", "wall", "of the function"),
        rows,
        ("of the function: all invocations together, of which ten at a time share the machine with the local cloud.",),
    )


def _costs(look: Look) -> Table:
    parts = (
        ("state transitions", look.transitions * TRANSITION * LOOKS_A_MONTH),
        ("invocations", look.invocations * INVOCATION * LOOKS_A_MONTH),
        ("GB-seconds", look.function_seconds * GIGABYTES * GIGABYTE_SECOND * LOOKS_A_MONTH),
        ("reads of snapshots", REPOSITORIES * READ * LOOKS_A_MONTH),
        ("writes of snapshots", REPOSITORIES * WRITE * WRITES_A_MONTH),
    )
    total = sum(dollars for _, dollars in parts)
    rows = [Row((name, f"{dollars:.2f}")) for name, dollars in (*parts, ("total", total))]
    return Table("reconcile: dollars a month, a look every ten minutes, nothing missed", ("what", "dollars"), rows)
