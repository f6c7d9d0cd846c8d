"""The signed calls: what is sent, what is tried again, and what becomes of answers that are none."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.wrappers import Request, Response

from amplify_jobs.aws import signed_http
from amplify_jobs.aws.signed_http import ATTEMPTS, AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import ServiceTrouble
from local.server.http_server import HttpServer


class Service:
    """Answers with what a test gives it, one after the other, the last one for good."""

    def __init__(self, *answers: Response) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        request.get_data()
        self.requests.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")


@contextmanager
def serving(*answers: Response) -> Iterator[tuple[AwsHttp, Service]]:
    service = Service(*answers)
    server = HttpServer("service")
    server.start(service)
    try:
        yield AwsHttp("eu-west-1", server.url), service
    finally:
        server.close()


def fault(status: int, kind: str) -> Response:
    return Response(json.dumps({"__type": kind, "message": "why"}), status)


def call(aws: AwsHttp) -> dict[str, object]:
    return aws.call(JsonOperation("ssm", "AmazonSSM.GetParameter", "1.1", proof="Parameter"), {"Name": "/a"})


def test_a_call_is_signed_for_its_service_and_region() -> None:
    with serving(Response('{"Parameter": {}}')) as (aws, service):
        assert call(aws) == {"Parameter": {}}
    (request,) = service.requests
    assert request.method == "POST"
    assert request.headers["X-Amz-Target"] == "AmazonSSM.GetParameter"
    assert request.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert request.headers["X-Amz-Security-Token"] == "token"
    assert "/eu-west-1/ssm/aws4_request" in request.headers["Authorization"]
    assert json.loads(request.get_data()) == {"Name": "/a"}


@pytest.fixture
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    yield
    signed_http._container_credentials.cache_clear()


@pytest.mark.usefixtures("_no_credentials")
def test_credentials_come_from_where_snapstart_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    keys = {"AccessKeyId": "AKIASNAP", "SecretAccessKey": "test", "Token": "snap", "Expiration": expires}
    with (
        serving(Response(json.dumps(keys))) as (requests, container),
        serving(Response('{"Parameter": {}}')) as (aws, service),
    ):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{requests.endpoint_url}/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of the sandbox")
        call(aws)
        call(aws)
    assert [request.headers["Authorization"] for request in container.requests] == ["of the sandbox"]
    assert "Credential=AKIASNAP/" in service.requests[0].headers["Authorization"]
    assert service.requests[1].headers["X-Amz-Security-Token"] == "snap"


@pytest.mark.usefixtures("_no_credentials")
def test_a_function_without_credentials_is_trouble() -> None:
    with (
        serving(Response('{"Parameter": {}}')) as (aws, service),
        pytest.raises(ServiceTrouble, match="no credentials"),
    ):
        call(aws)
    assert not service.requests


@pytest.mark.parametrize("kind", ["ParameterNotFound", "com.amazonaws.ssm#ParameterNotFound"])
def test_a_refusal_bears_the_services_name_for_it_and_is_not_repeated(kind: str) -> None:
    with serving(fault(400, kind)) as (aws, service), pytest.raises(AwsRefusalError) as refusal:
        call(aws)
    assert refusal.value.code == "ParameterNotFound"
    assert len(service.requests) == 1


TROUBLES = [
    fault(400, "ThrottlingException"),
    fault(400, "com.amazonaws.sqs#RequestThrottled"),
    fault(403, "RequestThrottled"),
    fault(400, "ProvisionedThroughputExceededException"),
    fault(400, "TooManyRequestsException"),
    fault(400, "RequestLimitExceeded"),
    fault(429, "SomethingNew"),
    Response("", 503),
    Response("<html>", 500),
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_throttling_and_trouble_are_tried_once_more(trouble: Response) -> None:
    with serving(trouble, Response('{"Parameter": {}}')) as (aws, service):
        assert call(aws) == {"Parameter": {}}
    assert len(service.requests) == ATTEMPTS
    with serving(trouble) as (aws, service), pytest.raises(ServiceTrouble):
        call(aws)
    assert len(service.requests) == ATTEMPTS


@pytest.mark.parametrize(
    "nonsense", ["", "<html>", "[]", '"text"', "{}", '{"nonsense": [true]}', '{"Parameter": null}']
)
def test_nonsense_is_trouble(nonsense: str) -> None:
    with serving(Response(nonsense)) as (aws, _), pytest.raises(ServiceTrouble):
        call(aws)


def test_a_service_that_hangs_is_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        aws = AwsHttp("eu-west-1", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(ServiceTrouble, match="ssm did not answer"):
            call(aws)


class TestGetObject:
    def test_content_and_etag(self) -> None:
        with serving(Response("{}", headers={"ETag": '"1"'})) as (aws, service):
            assert aws.get_object("bucket", "a/b c.json", None) == (b"{}", '"1"')
        (request,) = service.requests
        assert request.full_path.rstrip("?") == "/bucket/a/b c.json"
        assert "If-None-Match" not in request.headers

    def test_unchanged(self) -> None:
        with serving(Response(status=304)) as (aws, service):
            assert aws.get_object("bucket", "key", '"1"') is None
        assert service.requests[0].headers["If-None-Match"] == '"1"'

    def test_missing(self) -> None:
        with serving(Response("<Error/>", 404)) as (aws, _), pytest.raises(AwsRefusalError, match="s3://bucket/key"):
            aws.get_object("bucket", "key", None)
