"""Calls of targets of reports: those over HTTP, and those of AWS's own APIs, which the caller's role signs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.errors import ErrorResponse, aws_errors
from amplify_jobs.aws.outgoing_http import OutgoingHttp
from amplify_jobs.aws.throttling import is_throttling
from amplify_jobs.reporting.call import Answer, AwsCall, Call

# One attempt: where an answer is lost, a hidden retry would tell everybody once more. The queue tries again.
CONFIG = client_config(attempts=1, connect_timeout=3, read_timeout=10)
_REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}

MakeClient = Callable[[str], Any]
"""Makes the client of a service by its name in botocore; each is of another type."""


class ReportCalls:
    """Makes one call of a target. Clients are made when a report needs them."""

    def __init__(self, http: OutgoingHttp, chat_topic_arn: str, make_client: MakeClient | None = None) -> None:
        self._http = http
        self._chat_topic_arn = chat_topic_arn
        self._client = cache(make_client or _default_client)

    def send(self, call: Call | AwsCall) -> Answer:
        """Make a call. Raises ServiceTrouble where there is no answer."""
        if isinstance(call, Call):
            return self._http.send(call)
        operation = getattr(self._client(call.service), xform_name(call.operation))
        with aws_errors(f"{call.service} {call.operation}"):
            try:
                return _answer(operation(TopicArn=self._chat_topic_arn, **call.parameters))
            except ClientError as error:
                return _error_answer(ErrorResponse.of(error))


def _default_client(service: str) -> Any:
    client: Any = boto3.client(service, config=CONFIG)  # type: ignore[call-overload]  # any service
    return client


def _answer(result: Mapping[str, Any]) -> Answer:
    members = {name: value for name, value in result.items() if name != "ResponseMetadata"}
    return Answer(result["ResponseMetadata"]["HTTPStatusCode"], body=json.dumps(members, default=str).encode())


def _error_answer(error: ErrorResponse) -> Answer:
    """Services have their own status for a call that is throttled or forbidden; the code tells."""
    if is_throttling(error.code, error.status):
        status = 429
    elif error.code in _REFUSALS:
        status = 403
    else:
        status = error.status
    return Answer(status, body=json.dumps({"code": error.code, "message": error.message}).encode())
