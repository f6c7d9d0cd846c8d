"""Reads what a diagnosis is made from, each thing for itself: what may not or cannot be read is Unread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import urllib3
from pydantic import ValidationError

from amplify_jobs.aws.clients import READ_CONFIG
from amplify_jobs.aws.errors import ErrorResponse
from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.routing.mirrors import git_tokens
from amplify_jobs.routing.previews import preview_logins
from amplify_jobs.routing.report_targets import secrets_of
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.api import clock_skew
from amplify_jobs_cli.aws_calls import aws_call
from amplify_jobs_cli.doctor.observations import AccountMismatch, Observations, StoredRoutes, Unread
from amplify_jobs_cli.jobs.client import JobsClient
from amplify_jobs_cli.push.account_reader import AccountReader
from amplify_jobs_cli.push.codecommit_rights import missing_rights, unreconciled
from amplify_jobs_cli.push.lookup import uses, warnings
from amplify_jobs_cli.push.plan import plan_push
from amplify_jobs_cli.push.route_changes import StoredRoutes as PushedRoutes
from amplify_jobs_cli.push.schedules import schedule_changes, schedules_of
from amplify_jobs_cli.recovery.redrive import REDRIVE_PERIOD
from amplify_jobs_cli.stack import Stack

Seen = TypeVar("Seen")

_ANSWER_TIMEOUT = urllib3.Timeout(connect=3, read=25)
_DELIVERIES = 200
# Nobody looks at more of them one by one.
_MOST_EXECUTIONS = 100
_NOT_ALLOWED = {
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedError",
    "UnauthorizedOperation",
    "AuthorizationError",
}
_QUEUES = {
    "intake queue": "intakeQueueUrl",
    "dead-letter queue of the intake queue": "intakeDeadLetterQueueUrl",
    "dead-letter queue of the reports": "reportDeadLetterQueueUrl",
    "dead-letter queue of the index": "indexDeadLetterQueueUrl",
    "dead-letter queue": "deadLetterQueueUrl",
}


class _NotAllowedError(AmplifyJobsError):
    """The credentials may not make a call."""


def observe(stack: Stack) -> Observations:
    """Look at a stack from every side."""
    reader = _Reader(stack)
    stored = _seen(reader.stored_routes)
    routes = stored.routes if isinstance(stored, StoredRoutes) else None
    status, skew = reader.endpoint()
    return Observations(
        stack=stack.name,
        now=datetime.now(UTC),
        is_local=stack.is_local,
        reads_buckets=bool(stack.reach.readable_buckets),
        endpoint_status=status,
        skew_seconds=skew,
        routes=stored,
        missing_secrets=_of_routes(routes, reader.missing_secrets),
        account=_of_routes(routes, reader.account),
        left_behind=_of_routes(routes, reader.left_behind),
        rules=_seen(reader.rules),
        alarms=_seen(reader.alarms),
        queues={name: _seen(partial(reader.messages, name, output)) for name, output in _QUEUES.items()},
        failed_executions=_seen(lambda: reader.executions("FAILED") + reader.executions("TIMED_OUT")),
        running_executions=_seen(lambda: reader.executions("RUNNING")),
        health=_seen(lambda: reader.jobs().health()),
        deliveries=_seen(lambda: reader.jobs().deliveries({}, _DELIVERIES)),
    )


def _seen(read: Callable[[], Seen]) -> Seen | Unread:
    try:
        return read()
    except AmplifyJobsError as error:
        return Unread(" ".join(str(error).split()))


def _of_routes(routes: Routes | None, read: Callable[[Routes], Seen]) -> Seen | Unread:
    if routes is None:
        return Unread("there are no routes to compare with")
    return _seen(lambda: read(routes))


class _Reader:
    """One call of AWS or of the jobs API in each method; all raise AmplifyJobsError."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def stored_routes(self) -> StoredRoutes:
        content = self._stack.stored_routes()
        if content is None:
            return StoredRoutes(is_there=False)
        try:
            return StoredRoutes(is_there=True, routes=Routes.model_validate_json(content))
        except ValidationError:
            return StoredRoutes(is_there=True)

    def endpoint(self) -> tuple[int | Unread, float | Unread]:
        """The status of a delivery to a source that does not exist, and by how much its clock is ahead."""
        address = f"{self._stack.api_url}/webhooks/amplify-jobs-doctor"
        try:
            answer = urllib3.request(
                "POST", address, body=b"{}", timeout=_ANSWER_TIMEOUT, retries=False, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            return Unread(f"{self._stack.api_url} does not answer ({type(error).__name__})"), Unread("nothing answers")
        skew = clock_skew(answer.headers.get("Date"), datetime.now(UTC))
        return answer.status, Unread("the endpoint does not tell its time") if skew is None else skew

    def missing_secrets(self, routes: Routes) -> Sequence[str]:
        names = [name for source in routes.sources.values() for name in source.secrets]
        names += [token for _, token in git_tokens(routes)]
        names += [login for _, login in preview_logins(routes)]
        names += [name for target in routes.reports.values() for name in secrets_of(target)]
        return self._stack.missing_secrets(names)

    def account(self, routes: Routes) -> AccountMismatch:
        used = uses(routes)
        reader = AccountReader.connect(self._stack.session)
        rights = self._stack.codecommit_rights
        account_warnings = (
            *warnings(used, reader.read(used), self._stack.reach),
            *missing_rights(routes, rights),
        )
        return AccountMismatch(account_warnings, tuple(unreconciled(routes, rights)), tuple(reader.troubles))

    def left_behind(self, routes: Routes) -> Sequence[str]:
        stored = self._stack.scheduler().stored()
        schedules = schedule_changes(stored, schedules_of(routes, self._stack.schedules))
        plan = plan_push(PushedRoutes({}, routes), self._stack.stored_sources(), schedules, routes)
        lost = (*plan.sources_written, *plan.sources_removed, *(change.name for change in schedules.changes()))
        return tuple(dict.fromkeys(lost))

    def rules(self) -> Mapping[str, str]:
        client = self._stack.session.client("events", config=READ_CONFIG)
        states: dict[str, str] = {}
        for bus in ("default", self._stack.output("busName")):
            with _call("events:ListRules", "the rules"):
                answer = client.list_rules(EventBusName=bus, NamePrefix=f"{self._stack.name}-")
                states |= {rule["Name"]: rule["State"] for rule in answer["Rules"]}
        return states

    def alarms(self) -> Mapping[str, str]:
        client = self._stack.session.client("cloudwatch", config=READ_CONFIG)
        with _call("cloudwatch:DescribeAlarms", "the alarms"):
            pages = client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{self._stack.name}-")
            return {alarm["AlarmName"]: alarm["StateValue"] for page in pages for alarm in page["MetricAlarms"]}

    def messages(self, queue: str, output: str) -> int:
        """How many are in a queue, also those that somebody has received."""
        client = self._stack.session.client("sqs", config=READ_CONFIG)
        with _call("sqs:GetQueueAttributes", f"the {queue}"):
            url = self._stack.output(output)
            answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return int(answer["ApproximateNumberOfMessages"]) + int(answer["ApproximateNumberOfMessagesNotVisible"])

    def executions(self, status: Any) -> int:
        client = self._stack.session.client("stepfunctions", config=READ_CONFIG)
        with _call("states:ListExecutions", "the executions"):
            machine = self._stack.state_machine_arn
            answer = client.list_executions(stateMachineArn=machine, statusFilter=status, maxResults=_MOST_EXECUTIONS)
            return sum(_is_recent(execution) for execution in answer["executions"])

    def jobs(self) -> JobsClient:
        return JobsClient(self._stack.jobs_api())


def _call(action: str, subject: str) -> Any:
    """Translate what goes wrong in a call; one that is refused names the permission that is missing."""

    def meaning(error: ErrorResponse) -> AmplifyJobsError | None:
        if error.code not in _NOT_ALLOWED:
            return None
        return _NotAllowedError(f"{subject} can't be read: these credentials need the permission {action}")

    return aws_call(f"{subject} can't be read", meaning)


def _is_recent(execution: Mapping[str, Any]) -> bool:
    """Whether it goes on, or ended so lately that Step Functions redrives it."""
    ended = execution.get("stopDate")
    return ended is None or datetime.now(UTC) - ended <= REDRIVE_PERIOD
