"""Calls to AWS that a cold start can afford: signed by botocore, without its clients.

Loading the service models of three clients takes longer than everything else that receive_webhook does before its
first answer, so the few calls of that function are written out here (measured in benchmarks/).
"""

from __future__ import annotations

import json
import math
import os
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import ContainerProvider, Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, HTTPClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session

from amplify_jobs.aws.throttling import is_throttling
from amplify_jobs.errors import AmplifyJobsError, ServiceTrouble

# A git host waits ten seconds; a delivery needs at most three services, of which a healthy two answer in milliseconds.
CONNECT_SECONDS = 1
READ_SECONDS = 2
ATTEMPTS = 2
# What nobody misses may delay an answer so long, in seconds.
EXPENDABLE_SECONDS = 0.7
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 1.6
# So long after a delivery arrived, a call without which it can't be verified is tried again, and the last resort is.
PATIENT_SECONDS = 6.0
LAST_RESORT_SECONDS = 8.0


@dataclass(frozen=True)
class JsonOperation:
    """An operation of a service that speaks AWS's JSON protocol, e.g. ("ssm", "AmazonSSM.GetParameter", "1.1", …).

    `proof` is the member of the answer without which the call was not done, whatever the status says; None for
    operations that answer nothing. The call is tried again until `patience` seconds after the delivery arrived. A call
    that is `expendable` is made once, and its answer is waited for a short while only.
    """

    service: str
    target: str
    protocol_version: str
    proof: str | None
    patience: float = 0
    expendable: bool = False


class AwsRefusalError(AmplifyJobsError):
    """A service's answer that the call can't be done as it stands; `code` is the service's name for the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass
class AwsHttp:
    """AWS's HTTP interfaces in one Region, or what speaks like them at `endpoint_url`.

    `arrived_at` is when a sender began to wait, on the clock time.monotonic: operations with patience are tried again
    for some seconds after it, others ATTEMPTS times.
    """

    region: str
    endpoint_url: str | None = None
    arrived_at: float = -math.inf

    @classmethod
    def from_environment(cls) -> AwsHttp:
        """Call what the function's environment names: AWS_REGION and, for the local cloud, AWS_ENDPOINT_URL."""
        return cls(os.environ["AWS_REGION"], os.environ.get("AWS_ENDPOINT_URL") or None)

    def call(self, operation: JsonOperation, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation. Raises AwsRefusalError, and ServiceTrouble where trying later may help."""
        service, target = operation.service, operation.target
        request = AWSRequest(
            "POST",
            self.endpoint_url or f"https://{self._host(service)}/",
            data=json.dumps(parameters).encode(),
            headers={
                "Content-Type": f"application/x-amz-json-{operation.protocol_version}",
                "X-Amz-Target": target,
            },
        )
        response = _send(
            service,
            request,
            lambda: SigV4Auth(function_credentials(), service, self.region).add_auth(request),
            until=-math.inf if operation.expendable else self.arrived_at + operation.patience,
            sender=_EXPENDABLE if operation.expendable else _USUAL,
        )
        if response.status_code == 200:
            answer = _json_object_or_none(response)
            if answer is None:
                raise ServiceTrouble(f"{service} answered {target} with something that is not JSON")
            if operation.proof is not None and answer.get(operation.proof) is None:
                raise ServiceTrouble(f"{service} answered {target} without {operation.proof}")
            return answer
        error = _json_object_or_none(response) or {}
        raise AwsRefusalError(
            _error_code(error) or f"HTTP {response.status_code}",
            str(error.get("message") or error.get("Message") or ""),
        )

    def get_object(self, bucket: str, key: str, etag: str | None) -> tuple[bytes, str] | None:
        """Read an object of S3 and its ETag, or None if it is still the one with this ETag.

        Raises AwsRefusalError, and ServiceTrouble where trying later may help.
        """
        headers = {"If-None-Match": etag} if etag else {}
        response = self._s3(AWSRequest("GET", self._object(bucket, key), headers=headers))
        if response.status_code == 304:
            return None
        if response.status_code != 200:
            raise AwsRefusalError(f"HTTP {response.status_code}", f"s3://{bucket}/{key} can't be read")
        return response.content, _check_etag(response, "GetObject")

    def modified_at(self, bucket: str, key: str) -> datetime | None:
        """When an object of S3 was written (API: HeadObject, Last-Modified); raises as `get_object` does."""
        response = self._s3(AWSRequest("HEAD", self._object(bucket, key)))
        if response.status_code != 200:
            raise AwsRefusalError(f"HTTP {response.status_code}", f"s3://{bucket}/{key} can't be read")
        written = response.headers.get("Last-Modified")
        return parsedate_to_datetime(written) if written else None

    def put_object(self, bucket: str, key: str, content: bytes) -> None:
        """Write a JSON object to S3. Raises AwsRefusalError, and ServiceTrouble where trying later may help."""
        headers = {"Content-Type": "application/json"}
        response = self._s3(AWSRequest("PUT", self._object(bucket, key), headers=headers, data=content))
        if response.status_code != 200:
            raise AwsRefusalError(f"HTTP {response.status_code}", f"s3://{bucket}/{key} can't be written")
        _check_etag(response, "PutObject")

    def _s3(self, request: AWSRequest) -> AWSResponse:
        return _send(
            "s3",
            request,
            lambda: S3SigV4Auth(function_credentials(), "s3", self.region).add_auth(request),
            until=self.arrived_at,
        )

    def _object(self, bucket: str, key: str) -> str:
        base = f"{self.endpoint_url}/{bucket}" if self.endpoint_url else f"https://{bucket}.{self._host('s3')}"
        return f"{base}/{quote(key)}"

    def _host(self, service: str) -> str:
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"{service}.{self.region}.{domain}"


def _session_with(connect_seconds: float, read_seconds: float) -> URLLib3Session:
    # As botocore's own clients have it. Without TCP_NODELAY a body waits for the acknowledgement of the headers, 40 ms.
    return URLLib3Session(
        timeout=(connect_seconds, read_seconds),  # type: ignore[arg-type]  # what the stubs say is too narrow
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # type: ignore[list-item]  # so here
    )


@dataclass(frozen=True)
class _Sender:
    """The connections that calls share, and how often a call is tried at least."""

    session: URLLib3Session
    attempts: int


_USUAL = _Sender(_session_with(CONNECT_SECONDS, READ_SECONDS), ATTEMPTS)
_EXPENDABLE = _Sender(_session_with(EXPENDABLE_SECONDS, EXPENDABLE_SECONDS), 1)


def _send(
    service: str, request: AWSRequest, sign: Callable[[], None], *, until: float, sender: _Sender = _USUAL
) -> AWSResponse:
    """Send a request some times, and again until that time: each time after a pause by chance, up to a limit.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).
    """
    attempt = 0
    while True:
        attempt += 1
        sign()
        try:
            response: AWSResponse = sender.session.send(request.prepare())
        except (BotoCoreError, HTTPClientError) as error:
            trouble = ServiceTrouble(f"{service} did not answer: {error}")
        else:
            code = _error_code(_json_object_or_none(response) or {})
            if response.status_code < 500 and not is_throttling(code, response.status_code):
                return response
            trouble = ServiceTrouble(" ".join(f"{service} answered HTTP {response.status_code} {code}".split()))
        pause = random.uniform(0, min(PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))  # noqa: S311 -- no secret
        if attempt >= sender.attempts and time.monotonic() + pause > until:
            raise trouble
        time.sleep(pause)


def _error_code(error: Mapping[str, Any]) -> str:
    """The name of an error in the JSON protocols, without its namespace; empty for what is no error."""
    return str(error.get("__type", "")).rpartition("#")[2]


def _check_etag(response: AWSResponse, operation: str) -> str:
    """The ETag, without which S3 has answered nothing."""
    etag: str | None = response.headers.get("ETag")
    if not etag:
        raise ServiceTrouble(f"s3 answered {operation} without ETag")
    return etag


def _json_object_or_none(response: AWSResponse) -> dict[str, Any] | None:
    try:
        value = json.loads(response.content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def function_credentials() -> ReadOnlyCredentials:
    """The function's credentials, which Lambda keeps in its environment.

    With SnapStart they are at an address that the environment names, since a snapshot outlives them (Lambda developer
    guide, "Using SnapStart"). Raises ServiceTrouble.
    """
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return ReadOnlyCredentials(key, secret, os.environ.get("AWS_SESSION_TOKEN"))
    try:
        return _container_credentials().get_frozen_credentials()
    except BotoCoreError as error:
        raise ServiceTrouble(f"the function has no credentials ({type(error).__name__})") from None


@cache
def _container_credentials() -> Credentials:
    credentials = ContainerProvider().load()
    if credentials is None:
        raise NoCredentialsError
    return credentials
