"""An execution of the state machine of missed pushes, started by a person."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from amplify_jobs.aws.clients import client_config
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs_cli.aws_calls import aws_call

_CONFIG = client_config(attempts=3, connect_timeout=3, read_timeout=25)
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class ReconcileResult:
    """What all batches of an execution found; `errors` are those of batches that failed."""

    repositories: int = 0
    refs: int = 0
    waiting: int = 0
    missed: int = 0
    redelivered: int = 0
    pushes: Sequence[Mapping[str, str]] = field(default_factory=tuple)
    first: Sequence[Mapping[str, str]] = field(default_factory=tuple)
    unreached: Sequence[Mapping[str, str]] = field(default_factory=tuple)
    errors: Sequence[str] = field(default_factory=tuple)


def reconcile(
    session: boto3.Session, machine: str, order: Mapping[str, Any], sleep: Callable[[float], object] = time.sleep
) -> ReconcileResult:
    """Start an execution, wait for its end, and give what it found. Raises ServiceTrouble."""
    states = session.client("stepfunctions", config=_CONFIG)
    with aws_call("the execution of reconcile can't be started"):
        execution = states.start_execution(stateMachineArn=machine, input=json.dumps(order))["executionArn"]
    while True:
        with aws_call(f"{execution} can't be read"):
            answer = states.describe_execution(executionArn=execution)
        if answer["status"] == "SUCCEEDED":
            return summarize(json.loads(answer["output"]))
        if answer["status"] != "RUNNING":
            raise ServiceTrouble(
                f"{execution} is {answer['status']}: {answer.get('error', 'no error')}; see its history"
            )
        sleep(_POLL_SECONDS)


def summarize(batches: Sequence[Mapping[str, Any]]) -> ReconcileResult:
    """Put what the batches found together."""
    looked = [batch for batch in batches if "error" not in batch]

    def total(name: str) -> int:
        return sum(int(batch[name]) for batch in looked)

    def every(name: str) -> tuple[Mapping[str, str], ...]:
        return tuple(member for batch in looked for member in batch[name])

    return ReconcileResult(
        repositories=total("repositories"),
        refs=total("refs"),
        waiting=total("waiting"),
        missed=total("missed"),
        redelivered=total("redelivered"),
        pushes=every("pushes"),
        first=every("first"),
        unreached=every("unreached"),
        errors=tuple(str(batch["error"]) for batch in batches if "error" in batch),
    )
