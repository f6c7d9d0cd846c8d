"""Makes the calls of each check, with the caller's credentials, and has the answers judged."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.s3 import s3_config
from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.events import aws_events
from amplify_jobs.events.event import request_id
from amplify_jobs.intake.process import NO_ROUTES
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Matched, decide
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.stack import Stack
from smoke import judging
from smoke.deliveries import harmless, large_body
from smoke.findings import Finding, failed, passed, unproven

OUTPUTS, ROUTES, REQUEST = "stack's outputs", "routes", "request that can't succeed"
EVENT_SOURCE = "amplify-jobs.smoke"
# An app's id has this form (API: GetApp), and Amplify makes none of zeros.
NO_APP = "d0000000000000"
_CONFIG = client_config(attempts=3, connect_timeout=5, read_timeout=20)
_ANSWER_SECONDS = 30
_POLL_SECONDS = 1


def check_stack(name: str, patience_seconds: int) -> list[Finding]:
    """Check a stack; the request that can't succeed may take `patience_seconds` to its end."""
    findings = [judging.stack_name(name)]
    try:
        stack = Stack.find(name)
    except (AmplifyJobsError, ClientError, BotoCoreError) as error:
        return [*findings, _trouble(OUTPUTS, error)]
    findings.append(passed(OUTPUTS, f"found in {stack.region}"))
    return [*findings, *Checks(stack, patience_seconds).all()]


@dataclass
class Checks:
    """The checks of a stack that was found."""

    stack: Stack
    patience_seconds: int
    mark: str = field(default_factory=lambda: uuid4().hex)

    def all(self) -> Iterator[Finding]:
        """One finding or more of each check; none hinders the next."""
        yield from self._guarded(ROUTES, self._routes)
        yield from self._guarded("clock", self._clock)
        yield from self._guarded("delivery to an unknown source", self._unknown_source)
        yield from self._guarded("delivery that is too large", self._too_large)
        for source in self._sources:
            yield from self._guarded(f"secret of {source}", partial(self._stored, source))
            yield from self._guarded(f"unsigned delivery to {source}", partial(self._unsigned, source))
            yield from self._guarded(f"signed delivery to {source}", partial(self._signed, source))
        yield from self._guarded("rules of the default bus", self._default_rules)
        yield from self._guarded("rules of the stack's bus", self._own_rules)
        yield from self._guarded("dead-letter queue", self._dead_letters)
        yield from self._guarded("dead-letter queue of the intake queue", self._intake_dead_letters)
        yield from self._guarded("intake queue", self._intake)
        yield from self._guarded("dead-letter queue of the queue of reports", self._report_dead_letters)
        yield from self._guarded("queue of reports", self._reports)
        yield from self._guarded("alarms", self._alarms)
        yield from self._guarded("artifact's address", self._address)
        yield from self._guarded(REQUEST, self._request)

    def _guarded(self, check: str, judge: Callable[[], Finding | Sequence[Finding]]) -> list[Finding]:
        try:
            outcome = judge()
        except (AmplifyJobsError, ClientError, BotoCoreError, OSError, HTTPException) as error:
            return [_trouble(check, error)]
        return [outcome] if isinstance(outcome, Finding) else list(outcome)

    # ------------------------------------------------------------ routes and deliveries

    @cached_property
    def _pushed(self) -> bytes | None:
        return self.stack.stored_routes()

    @cached_property
    def _sources(self) -> Mapping[str, Any]:
        with suppress(AmplifyJobsError, ValidationError):
            return Routes.model_validate_json(self._pushed or b"").sources
        return {}

    def _routes(self) -> Finding:
        if self._pushed is None:
            return failed(ROUTES, "they were never pushed; run amplify-jobs routes push routes.yaml")
        try:
            routes = Routes.model_validate_json(self._pushed)
        except ValidationError:
            return failed(ROUTES, "the routes in the bucket are not of this version; push routes.yaml again")
        if not routes.sources:
            return passed(ROUTES, f"{len(routes.routes)} pushed, without a source: no git host can deliver")
        return passed(ROUTES, f"{len(routes.routes)} pushed, with {len(routes.sources)} sources")

    def _stored(self, source: str) -> Finding:
        check, names = f"secret of {source}", self._sources[source].secrets
        if missing := self.stack.missing_secrets(names):
            commands = "run amplify-jobs routes push, which prints how to make it"
            return failed(check, f"SSM has no parameter {', '.join(missing)}; {commands}")
        return passed(check, "stored")

    def _unsigned(self, source: str) -> Finding:
        answered, _ = self._post(source, {}, b"{}")
        return judging.status(f"unsigned delivery to {source}", answered, 401, _SEE_LOG)

    def _signed(self, source: str) -> Finding:
        check, trusted_source = f"signed delivery to {source}", self._sources[source]
        answer = self.stack.ssm.get_parameters(Names=list(trusted_source.secrets), WithDecryption=True)
        values = [parameter["Value"] for parameter in answer["Parameters"]]
        if answer["InvalidParameters"]:
            return unproven(check, "a secret is missing; store it first")
        try:
            deliveries = harmless(trusted_source.provider, values, f"smoke-{self.mark}", int(time.time()))
        except ValueError as error:
            return failed(check, f"{error}; store one as docs/git-hosts.md says")
        if not deliveries:
            return unproven(check, "its secrets are public keys, and only the sender can sign")
        findings = [
            judging.status(check, self._post(source, delivery.headers, delivery.body)[0], delivery.expected, _SEE_LOG)
            for delivery in deliveries
        ]
        return next((finding for finding in findings if finding.verdict != "pass"), findings[0])

    def _unknown_source(self) -> Finding:
        answered, _ = self._post(f"smoke-{self.mark[:8]}", {}, b"{}")
        return judging.status("delivery to an unknown source", answered, 404, _SEE_LOG)

    def _too_large(self) -> Finding:
        answered, _ = self._post(f"smoke-{self.mark[:8]}", {}, large_body())
        return judging.status("delivery that is too large", answered, 413, _SEE_LOG)

    def _clock(self) -> Finding:
        _, headers = self._post(f"smoke-{self.mark[:8]}", {}, b"{}")
        if (date := headers.get("Date")) is None:
            return unproven("clock", "the endpoint does not tell its time")
        return judging.skew("clock", parsedate_to_datetime(date), datetime.now(UTC))

    def _post(self, source: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Message]:
        address = f"{self.stack.api_url}/webhooks/{source}"
        all_headers = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(address, body, all_headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:
                return answer.status, answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers

    # ------------------------------------------------------------ rules, queues, alarms

    def _default_rules(self) -> Finding:
        states = self._rules("default")
        return judging.rules("rules of the default bus", self.stack.name, judging.DEFAULT_BUS_RULES, states)

    def _own_rules(self) -> Finding:
        states = self._rules(self.stack.outputs["busName"])
        return judging.rules("rules of the stack's bus", self.stack.name, judging.OWN_BUS_RULES, states)

    def _rules(self, bus: str) -> dict[str, str]:
        events = self.stack.session.client("events", config=_CONFIG)
        answer = events.list_rules(EventBusName=bus, NamePrefix=f"{self.stack.name}-")
        return {rule["Name"]: rule["State"] for rule in answer["Rules"]}

    def _dead_letters(self) -> list[Finding]:
        check, attributes = "dead-letter queue", self._attributes("deadLetterQueueUrl")
        arn, policy = self.stack.outputs["deadLetterQueueArn"], attributes.get("Policy")
        letters = judging.queue(check, attributes, "look at them with amplify-jobs dead-letters list")
        if self.stack.is_local:
            return [
                letters,
                unproven(f"{check}'s policy", "the local cloud has no policies of resources; run this on AWS"),
            ]
        return [letters, judging.dead_letter_policy(f"{check}'s policy", arn, policy)]

    def _intake_dead_letters(self) -> Finding:
        attributes = self._attributes("intakeDeadLetterQueueUrl")
        otherwise = "docs/runbook.md says how to send them again"
        return judging.queue("dead-letter queue of the intake queue", attributes, otherwise)

    def _intake(self) -> list[Finding]:
        attributes = self._attributes("intakeQueueUrl")
        dead_letters = self._attributes("intakeDeadLetterQueueUrl")["QueueArn"]
        return [
            judging.queue("intake queue", attributes, "deliveries could not be processed; the function's log says why"),
            judging.redrive("what the intake queue gives up", attributes.get("RedrivePolicy"), dead_letters),
        ]

    def _report_dead_letters(self) -> Finding:
        attributes = self._attributes("reportDeadLetterQueueUrl")
        otherwise = "amplify-jobs reports list names them, amplify-jobs reports replay sends them again"
        return judging.queue("dead-letter queue of the queue of reports", attributes, otherwise)

    def _reports(self) -> list[Finding]:
        attributes = self._attributes("reportQueueUrl")
        dead_letters = self._attributes("reportDeadLetterQueueUrl")["QueueArn"]
        return [
            judging.report_queue("queue of reports", attributes),
            judging.redrive("what the queue of reports gives up", attributes.get("RedrivePolicy"), dead_letters),
        ]

    def _attributes(self, output: str) -> Mapping[str, str]:
        sqs = self.stack.session.client("sqs", config=_CONFIG)
        answer = sqs.get_queue_attributes(QueueUrl=self.stack.outputs[output], AttributeNames=["All"])
        return {str(name): value for name, value in answer["Attributes"].items()}

    def _alarms(self) -> Finding:
        if self.stack.is_local:
            return unproven("alarms", "the local cloud has none; run this on AWS")
        cloudwatch = self.stack.session.client("cloudwatch", config=_CONFIG)
        pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{self.stack.name}-")
        states = {alarm["AlarmName"]: alarm["StateValue"] for page in pages for alarm in page["MetricAlarms"]}
        return judging.alarms("alarms", self.stack.name, states)

    # ------------------------------------------------------------ an artifact's address

    def _address(self) -> Finding:
        check, content = "artifact's address", self.mark.encode()
        s3 = self.stack.session.client("s3", config=s3_config())
        where = {"Bucket": self.stack.bucket, "Key": f"smoke/{self.mark}"}
        stored = s3.put_object(**where, Body=content)  # type: ignore[arg-type]
        version = {"VersionId": stored["VersionId"]} if "VersionId" in stored else {}
        try:
            address = s3.generate_presigned_url("get_object", Params={**where, **version}, ExpiresIn=300)
            host = urlsplit(address).hostname or ""
            if not self.stack.is_local and (wrong := judging.regional(check, host, self.stack.region)):
                return wrong
            try:
                with urllib.request.urlopen(address, timeout=_ANSWER_SECONDS) as answer:
                    same = answer.read(len(content) + 1) == content
            except urllib.error.HTTPError as error:
                with error:
                    return judging.status(check, error.code, 200, "Amplify could not fetch an artifact either")
        finally:
            s3.delete_object(**where, **version)  # type: ignore[arg-type]
        return passed(check, "an object was fetched from it") if same else failed(check, "it leads to another object")

    # ------------------------------------------------------------ a request that can't succeed

    def _request(self) -> Finding:
        parameters = {"appId": NO_APP, "branchName": "main", "jobType": "RELEASE"}
        order = {
            "requestId": f"smoke-{self.mark}",
            "operation": "start_job",
            "parameters": parameters,
            "reason": "make smoke: this request is rejected",
        }
        events = self.stack.session.client("events", config=_CONFIG)
        entry = {
            "EventBusName": self.stack.outputs["busName"],
            "Source": EVENT_SOURCE,
            "DetailType": aws_events.JOB_REQUESTED,
            "Detail": json.dumps(order),
        }
        answer = events.put_events(Entries=[entry])  # type: ignore[list-item]
        if answer["FailedEntryCount"]:
            return failed(REQUEST, f"the bus refused its event: {answer['Entries'][0].get('ErrorCode')}")
        return self._followed(execution_names(order))

    def _followed(self, names: Sequence[str]) -> Finding:
        stepfunctions = self.stack.session.client("stepfunctions", config=_CONFIG)
        executions = self.stack.state_machine_arn.replace(":stateMachine:", ":execution:")
        give_up, arn, status = time.monotonic() + self.patience_seconds, "", None
        while status in (None, "RUNNING") and time.monotonic() < give_up:
            for name in names:
                with suppress(stepfunctions.exceptions.ExecutionDoesNotExist):
                    arn = f"{executions}:{name}"
                    status = str(stepfunctions.describe_execution(executionArn=arn)["status"])
                    break
            if status in (None, "RUNNING"):
                time.sleep(_POLL_SECONDS)
        if status is None:
            return failed(
                REQUEST, f"no execution of it after {self.patience_seconds} s; look at the rule job-requested"
            )
        pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn)
        entered = [
            event["stateEnteredEventDetails"]["name"]
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]
        return judging.rejection(REQUEST, status, entered, self.patience_seconds)


def execution_names(order: Mapping[str, Any]) -> tuple[str, str]:
    """The names that a Job Requested event of this check can give its execution.

    The second is that of a request that the routes' limits of the bus refuse.
    """
    entry = {"source": EVENT_SOURCE, "detail-type": aws_events.JOB_REQUESTED, "detail": dict(order), "id": "smoke"}
    delivery = aws_events.parse(entry, "smoke")
    (event,) = delivery.events
    (matched,) = [decision for decision in decide(NO_ROUTES, delivery.source, event) if isinstance(decision, Matched)]
    now = datetime.now(UTC)
    job_request = make_job_request(matched, event, source=delivery.source, delivery_id=None, received_at=now)
    return job_request.request_id, request_id("request", event)


_SEE_LOG = "the log of receive-webhook says why"


def _trouble(check: str, error: Exception) -> Finding:
    """What an error says: a refusal of the caller shows nothing about the stack."""
    cause = error.__cause__ if isinstance(error, AmplifyJobsError) and error.__cause__ else error
    if isinstance(cause, ClientError):
        code = cause.response["Error"].get("Code", "")
        if judging.is_refusal(code):
            return judging.refused(check, "look", cause.operation_name)
        return failed(check, f"{cause.operation_name} answered {code}; try again, and look at the stack")
    if isinstance(cause, OSError | HTTPException):
        return failed(check, f"no answer ({type(cause).__name__}); look at the address, the network and the proxy")
    return failed(check, " ".join(str(error).split()))
