"""Warm time of receive_webhook as a whole for the largest recorded payload of each host, beside a small push.

One process under AWS's own runtime client answers all of them in turn; the local cloud runs in another.
"""

from __future__ import annotations

import base64
import itertools
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from amplify_jobs.events.event import PullRequestAction
from amplify_jobs.events.webhooks import module_of, standard_signature
from amplify_jobs.model.operations import Operation
from amplify_jobs.routing.conditions import PullRequests, Push, When
from amplify_jobs.routing.routes import RequestTemplate, Route, Routes, Source
from benchmarks.figures import Row, Table
from benchmarks.running_cloud import PROJECT, RunningCloud, running_cloud
from benchmarks.subjects import BRANCH, STACK, UNKNOWN_APP, Subject, call, environment_variables, is_accepted
from benchmarks.team import Team, until
from local.services.functions.processes import ForkServer, Program
from local.services.functions.runtime import ExecutionEnvironment

CORPUS = PROJECT.parent / "shared" / "webhooks" / "corpus"
# The recordings' names of hosts -> ours, where they differ.
NAMES = {"bitbucket_cloud": "bitbucket", "bitbucket_server": "bitbucket-server", "azure_devops": "azure-devops"}
# Its events come from EventBridge, to receive_event.
NOT_A_WEBHOOK = "codecommit"

ROUNDS = 10
FUNCTION = "receive_webhook"
WORD = "It's a Secret to Everybody"
PASSWORD = f"amplify-jobs:{WORD}"
SIGNING_TOKEN = "whsec_" + base64.b64encode(WORD.encode()).decode()
SECRETS = {"azure-devops": PASSWORD, "gitlab": SIGNING_TOKEN}

# What a recording is said to be -> the route that takes every one of the kind.
WHEN = {
    "push": When(push=Push(repository="**")),
    "pull_request": When(pull_request=PullRequests(repository="**", actions=tuple(PullRequestAction), forks=True)),
}


@dataclass(frozen=True)
class Payload:
    """A host's delivery without its signature; `kind` is one of WHEN, `name` the beginning of its sources' names."""

    name: str
    host: str
    kind: str
    headers: Mapping[str, str]
    body: bytes

    def source(self, number: int) -> str:
        """The source of a call: each has its own and with it a route, so that no delivery repeats an earlier one."""
        return f"{self.name}-{number}"

    @property
    def secret(self) -> str:
        return SECRETS.get(self.host, WORD)


def measure(console: Console) -> list[Table]:
    """Have a warm function answer each payload in turn, ROUNDS times; the first round fills caches only."""
    if not CORPUS.exists():
        console.print("largest_payloads: skipped: ../shared/webhooks/corpus is not beside the project", highlight=False)
        return []
    payloads = [_small_push(), *_largest_payloads()]
    console.print(f"largest_payloads: {len(payloads)} payloads, {ROUNDS} rounds", highlight=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_cloud(folder) as cloud:
            seconds = _seconds(payloads, cloud, folder)
    small = median(seconds[0])
    rows = [
        Row(
            (
                payload.host,
                payload.kind,
                f"{len(payload.body) / 1000:.1f} kB",
                f"{median(times) * 1000:.1f} ms",
                f"{median(times) / small:.2f}",
            )
        )
        for payload, times in zip(payloads, seconds, strict=True)
    ]
    return [
        Table(
            f"receive_webhook as a whole, warm: the largest recorded payload of each host ({ROUNDS} rounds, in turn)",
            ("host", "kind", "payload", "answer, median", "ratio"),
            rows,
            (
                "The first line is events/receive_webhook.push.json, and ratio is to it. Each delivery is signed as",
                "its host signs and starts an execution: answers include that call to the local cloud.",
            ),
        )
    ]


def _small_push() -> Payload:
    event = _example()
    return Payload("small-push", "github", "push", event["headers"], event["body"].encode())


def _largest_payloads() -> list[Payload]:
    """The largest recording of each host that a route can wait for."""
    largest: dict[str, Payload] = {}
    for line in (CORPUS / "index.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["provider"] == NOT_A_WEBHOOK or row["expected_kind"] not in WHEN:
            continue
        host = NAMES.get(row["provider"], row["provider"])
        body = (CORPUS / row["file"]).read_bytes()
        if host not in largest or len(body) > len(largest[host].body):
            largest[host] = Payload(host, host, row["expected_kind"], row["headers"], body)
    return list(largest.values())


def _seconds(payloads: Sequence[Payload], cloud: RunningCloud, folder: Path) -> list[list[float]]:
    """Seconds of each payload's answers."""
    team = Team(cloud, folder)
    _store(payloads, team)
    configuration = team.client("lambda").get_function_configuration(FunctionName=f"{STACK}-receive-webhook")
    code = PROJECT / "functions" / FUNCTION
    variables = environment_variables(
        configuration["FunctionName"], code, cloud, configuration["Environment"]["Variables"]
    )
    subjects = [_subject(payload, code, variables, team) for payload in payloads]
    seconds: list[list[float]] = [[] for _ in payloads]
    with closing(ForkServer(packages=())) as processes:
        program = Program("handler.handler", code, variables, folder / f"{FUNCTION}.log")
        environment = ExecutionEnvironment(processes, program)
        for round_number in range(ROUNDS + 1):
            for subject, times in zip(subjects, seconds, strict=True):
                subject.settle()
                event = subject.event()
                started = time.perf_counter()
                call(subject, environment, event)
                if round_number:
                    times.append(time.perf_counter() - started)
    return seconds


def _store(payloads: Sequence[Payload], team: Team) -> None:
    """Put each host's secret, and a source with a route for each call; no app is known, so that requests end soon."""
    parameters = {"appId": UNKNOWN_APP, "branchName": BRANCH, "jobType": "RELEASE"}
    template = RequestTemplate(operation=Operation.START_JOB, parameters=parameters)
    sources, routes = {}, {}
    for payload in payloads:
        parameter = f"/{STACK}/secrets/{payload.host}"
        team.ssm.put_parameter(Name=parameter, Type="SecureString", Value=payload.secret, Overwrite=True)
        for source in map(payload.source, range(ROUNDS + 1)):
            sources[source] = Source(provider=payload.host, secrets=(parameter,))
            routes[source] = Route(source=source, when=WHEN[payload.kind], request=template)
    team.client("s3").put_object(
        Bucket=team.outputs["bucketName"],
        Key=team.outputs["routesKey"],
        Body=Routes(sources=sources, routes=routes).model_dump_json(by_alias=True).encode(),
    )


def _subject(payload: Payload, code: Path, variables: Mapping[str, str], team: Team) -> Subject:
    numbers = itertools.count()
    return Subject(
        name=FUNCTION,
        folder=code,
        variables=variables,
        event=lambda: _delivery(payload, payload.source(next(numbers))),
        right=is_accepted,
        settle=lambda: until(lambda: _none_runs(team), "end of the rejected request"),
    )


def _none_runs(team: Team) -> bool:
    return all(execution["status"] != "RUNNING" for execution in team.executions())


def _delivery(payload: Payload, source: str) -> Mapping[str, Any]:
    """What API Gateway hands over: names of headers in lower case."""
    headers = {**payload.headers, **_proof(payload), "Content-Length": str(len(payload.body))}
    return {
        **_example(),
        "rawPath": f"/webhooks/{source}",
        "pathParameters": {"source": source},
        "headers": {name.lower(): value for name, value in headers.items()},
        "body": payload.body.decode(),
    }


def _proof(payload: Payload) -> Mapping[str, str]:
    """The headers with which a host proves a delivery that it sends now."""
    body, secret = payload.body, payload.secret
    match payload.host:
        case "azure-devops":
            return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
        case "gitlab":
            message_id, seconds = "msg_1", int(datetime.now(UTC).timestamp())
            signature = standard_signature.sign(secret, message_id, seconds, body)
            return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": signature}
        case host:
            module: Any = import_module(module_of(host))
            return {module.SIGNATURE_HEADER: module.sign(secret, body)}


def _example() -> dict[str, Any]:
    event: dict[str, Any] = json.loads((PROJECT / "events" / "receive_webhook.push.json").read_text(encoding="utf-8"))
    return event
