"""`amplify-jobs diagnose`: the cause of a failed build, from its log."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amplify_jobs.diagnosing.bounds import bounded
from amplify_jobs.diagnosing.diagnose import BUILD_TIMEOUT_MINUTES, diagnose
from amplify_jobs.diagnosing.diagnosis import Diagnosis, StepLog
from amplify_jobs.errors import UnreadableLogError
from amplify_jobs.model.failure import Failure
from amplify_jobs_cli.commands.arguments import add_command, add_json

_NO_FAILURE = dict.fromkeys(("cause", "summary", "advice", "phase", "command", "excerpt", "who", "log"))


def add_diagnose(commands: Any) -> None:
    """Add the command and its options."""
    command = add_command(commands, "diagnose", diagnose_log)
    command.add_argument("file", metavar="FILE", help="a build's log from Amplify's console; - reads standard input")
    add_json(command)
    command.add_argument("--status", metavar="STATUS", help="the status of the step or job, like FAILED or SUCCEED")
    command.add_argument("--status-reason", metavar="TEXT", help="the statusReason of the step in GetJob's answer")
    command.add_argument("--duration-seconds", metavar="N", type=float, help="how long the step ran")
    command.add_argument(
        "--build-timeout",
        metavar="MINUTES",
        type=float,
        default=BUILD_TIMEOUT_MINUTES,
        help=f"the app's _BUILD_TIMEOUT (default: {BUILD_TIMEOUT_MINUTES})",
    )


def diagnose_log(options: argparse.Namespace) -> None:
    """Find the cause of a failed build in its log."""
    step = StepLog(
        "BUILD",
        _read(options.file),
        status=options.status,
        status_reason=options.status_reason,
        duration_seconds=options.duration_seconds,
        log=None if options.file == "-" else options.file,
    )
    diagnosis = diagnose([step], build_timeout_minutes=options.build_timeout)
    if options.json:
        print(json.dumps(_as_json(diagnosis), indent=2, ensure_ascii=False))
        return
    for line in _lines(diagnosis):
        print(line)


def _read(file: str) -> bytes:
    """As much of a log as a diagnosis looks at. Raises UnreadableLogError."""
    try:
        if file == "-":
            return bounded(sys.stdin.buffer)
        with Path(file).open("rb") as log:
            return bounded(log)
    except OSError as error:
        raise UnreadableLogError(f"{file}: can't be read: {error.strerror}") from None


def _as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """The members of the failure, all null where there is none, and `commitBuilt`."""
    failure = diagnosis.failure
    members = failure.model_dump(mode="json", by_alias=True) if failure else {**_NO_FAILURE, "retryHelps": False}
    return {**members, "commitBuilt": diagnosis.commit_built}


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    """The lines for people."""
    if diagnosis.failure is None:
        yield "The log shows no failure."
    else:
        yield from _failure_lines(diagnosis.failure)
    if diagnosis.commit_built:
        yield f"commit built: {diagnosis.commit_built}"


def _failure_lines(failure: Failure) -> Iterator[str]:
    yield f"{failure.cause}: {failure.summary}"
    for name, value in (
        ("advice", failure.advice),
        ("who fixes it", failure.who),
        ("a retry helps", "yes" if failure.retry_helps else None),
        ("phase", failure.phase),
        ("command", failure.command),
    ):
        if value:
            yield f"{name}: {value}"
    if failure.excerpt:
        yield ""
        yield from (f"    {line}" for line in failure.excerpt.split("\n"))
        yield ""
