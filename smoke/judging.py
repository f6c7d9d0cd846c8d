"""Decides what answers of a stack mean. Nothing here calls anything."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from smoke.findings import Finding, failed, passed, unproven

LONGEST_STACK_NAME = 47
"""Functions' names have the stack's, and at most 64 characters (API: CreateFunction)."""
MOST_SKEW_SECONDS = 300
"""Signatures with a time, AWS's own too, are taken for five minutes."""

# template.yaml's rules and alarms without the stack's name; a test compares them. The alarm no-deliveries is optional.
DEFAULT_BUS_RULES = (
    "codecommit",
    "ending-call",
    "execution-failed",
    "index-executions",
    "object-created",
    "status-change",
)
OWN_BUS_RULES = ("announced", "index-announcements", "job-requested")
ALARMS = (
    "dead-letters",
    "failed-executions",
    "failed-starts",
    "function-errors",
    "index-dead-letters",
    "index-errors",
    "intake-age",
    "intake-dead-letters",
    "large-deliveries",
    "lost-events",
    "lost-reports",
    "reconcile-errors",
    "rejected-requests",
    "report-dead-letters",
    "server-errors",
    "sweep-errors",
    "throttled-deliveries",
    "throttled-executions",
    "throttled-function",
    "unreached-repositories",
    "waiting-starts",
)

_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_REFUSALS = re.compile(r"AccessDenied|AuthorizationError|UnauthorizedOperation|NotAuthorized")


def is_refusal(code: str) -> bool:
    """Say whether an error's code means that the caller may not make the call."""
    return _REFUSALS.search(code) is not None


def stack_name(name: str) -> Finding:
    """Whether AWS takes a stack's name for all that is named after it (docs/deploying.md, "Names of stacks")."""
    check = "stack's name"
    if not _STACK_NAME.fullmatch(name):
        return failed(check, "it must be a letter, then letters, digits and hyphens; deploy under such a name")
    if len(name) > LONGEST_STACK_NAME:
        return failed(check, f"it has {len(name)} characters; deploy under one of at most {LONGEST_STACK_NAME}")
    if name.lower().startswith(("aws", "ssm")):
        return failed(check, "SSM reserves parameters that begin with aws or ssm; deploy under another name")
    return passed(check, "all names that contain it are short enough")


def status(check: str, actual: int, expected: int, otherwise: str) -> Finding:
    """Compare an HTTP status; `otherwise` says what to do about another."""
    if actual == expected:
        return passed(check, f"answered {actual}")
    return failed(check, f"answered {actual} instead of {expected}; {otherwise}")


def skew(check: str, aws_time: datetime, own_time: datetime) -> Finding:
    """Compare this machine's clock with the endpoint's."""
    seconds = abs((aws_time - own_time).total_seconds())
    if seconds > MOST_SKEW_SECONDS:
        return failed(
            check, f"this machine is {seconds:.0f} s off; set its clock, or signatures with a time are refused"
        )
    return passed(check, f"less than {MOST_SKEW_SECONDS} s apart")


def rules(check: str, stack: str, expected: Collection[str], states: Mapping[str, str]) -> Finding:
    """Compare the rules of one bus, their states by name, with those that the template makes."""
    names = {f"{stack}-{name}" for name in expected}
    if missing := sorted(names - states.keys()):
        return failed(check, f"there is no rule {', '.join(missing)}; deploy the stack again")
    if off := sorted(name for name in names if not states[name].startswith("ENABLED")):
        return failed(check, f"{', '.join(off)} is disabled; enable it with aws events enable-rule")
    return passed(check, f"{len(names)} enabled")


def alarms(check: str, stack: str, states: Mapping[str, str]) -> Finding:
    """Compare alarms, their states by name, with those that the template makes; none may be in ALARM."""
    names = {f"{stack}-{name}" for name in ALARMS}
    if missing := sorted(names - states.keys()):
        return failed(check, f"there is no alarm {', '.join(missing)}; deploy the stack again")
    if raised := sorted(name for name, state in states.items() if state == "ALARM"):
        return failed(check, f"{', '.join(raised)} is raised; docs/runbook.md has a paragraph for each")
    return passed(check, f"{len(states)} there, none raised")


def queue(check: str, attributes: Mapping[str, str], otherwise: str) -> Finding:
    """Whether nothing waits in a queue; `otherwise` says what to do with what does."""
    waiting = _messages(attributes)
    return failed(check, f"{waiting} messages wait; {otherwise}") if waiting else passed(check, "empty")


def report_queue(check: str, attributes: Mapping[str, str]) -> Finding:
    """Whether reports wait: for a target that does not answer, or for a moment, as on each stack at work."""
    if waiting := _messages(attributes):
        return unproven(check, f"{waiting} reports are on their way or wait; amplify-jobs reports list names them")
    return passed(check, "empty")


def _messages(attributes: Mapping[str, str]) -> int:
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    return sum(int(attributes.get(name, 0)) for name in counts)


def dead_letter_policy(check: str, queue_arn: str, policy: str | None) -> Finding:
    """Whether rules, and only those of one account, may put events into the dead-letter queue."""
    statements = json.loads(policy)["Statement"] if policy else []
    for statement in statements:
        conditions = {key for tests in statement.get("Condition", {}).values() for key in tests}
        if (
            statement.get("Principal") == {"Service": "events.amazonaws.com"}
            and "sqs:SendMessage" in _several(statement.get("Action"))
            and queue_arn in _several(statement.get("Resource"))
        ):
            if {"aws:SourceAccount", "aws:SourceArn"} <= conditions:
                return passed(check, "rules of this account may put events there")
            return failed(check, "rules of any account may put events there; deploy the stack again")
    return failed(check, "rules may not put events there, and what they can't deliver is lost; deploy the stack again")


def redrive(check: str, policy: str | None, dead_letters_arn: str) -> Finding:
    """Whether what a queue can't get rid of goes to its dead-letter queue."""
    if policy and json.loads(policy).get("deadLetterTargetArn") == dead_letters_arn:
        return passed(check, "goes on to its dead-letter queue")
    return failed(check, "does not go on to its dead-letter queue; deploy the stack again")


def rejection(check: str, execution: str, states_entered: Sequence[str], seconds: float) -> Finding:
    """Whether a request that can't succeed was rejected and announced: an execution's status and its states."""
    last = states_entered[-1] if states_entered else None
    if execution == "RUNNING":
        return failed(
            check, f"its execution is in {last} after {seconds:.0f} s; docs/runbook.md says how to look at it"
        )
    if execution == "SUCCEEDED" and last == "Rejected" and "AnnounceRejected" in states_entered:
        return passed(check, "rejected and announced")
    return failed(check, f"its execution is {execution} in {last} instead of Rejected; look at it in Step Functions")


def regional(check: str, host: str, region: str) -> Finding | None:
    """A finding against an address of S3 that does not name its Region; None for one that does."""
    if f".{region}." in f".{host}":
        return None
    return failed(check, f"the address is at {host}, which is not in {region}; look at the SDK's settings for S3")


def refused(check: str, deed: str, action: str) -> Finding:
    """The caller may not make a call."""
    return unproven(check, f"these credentials may not {deed} ({action}); use ones that may")


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
