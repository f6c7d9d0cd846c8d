"""The client of the jobs API at the wire: signatures, repeats, ETags, and what its errors say."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.utils import formatdate

import boto3
import pytest
from werkzeug.wrappers import Response

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs_cli.api import MOST_ANSWERS_KEPT, ApiRefusedError, JobsApi
from amplify_jobs_cli.jobs.client import JobsClient
from tests.support.jobs_api import JobsApiStandIn, serving_jobs_api, story


@pytest.fixture(scope="module")
def served() -> Iterator[JobsApiStandIn]:
    with serving_jobs_api() as stand_in:
        yield stand_in


@pytest.fixture
def api(served: JobsApiStandIn) -> JobsApi:
    served.api.stories = [story(f"web-{number}") for number in range(250)]
    served.answer = None
    served.received.clear()
    return JobsApi.connect(served.url, boto3.Session("AKIATEST", "test", region_name="eu-west-1"))


def answer(status: int, document: object, **headers: str) -> Response:
    return Response(json.dumps(document), status, headers=headers, content_type="application/json")


def test_calls_are_signed_for_the_region(api: JobsApi, served: JobsApiStandIn) -> None:
    api.get("/requests", {"app": "a b/ü&", "limit": 5, "next": None})
    api.post("/requests", {"route": "web"})
    (read, target, authorization), (write, _, _) = served.received
    assert (read, target, write) == ("GET", "/requests?app=a%20b%2F%C3%BC%26&limit=5", "POST")
    assert "/eu-west-1/execute-api/aws4_request" in authorization


def test_an_answer_that_did_not_change_is_not_sent_again(api: JobsApi, served: JobsApiStandIn) -> None:
    first = api.get("/requests/web-1")
    assert api.get("/requests/web-1") is first
    assert [target for _, target, _ in served.received] == ["/requests/web-1"] * 2


def test_only_the_answers_that_were_used_lately_are_kept(api: JobsApi) -> None:
    used, unused = api.get("/requests/web-0"), api.get("/requests/web-1")
    for number in range(MOST_ANSWERS_KEPT):
        api.get(f"/requests/web-{number + 2}")
        assert api.get("/requests/web-0") is used
    assert api.get("/requests/web-1") is not unused


def test_a_list_is_read_page_by_page(api: JobsApi, served: JobsApiStandIn) -> None:
    assert len(JobsClient(api).requests({}, 230)) == 230
    assert [target for _, target, _ in served.received] == [
        "/requests?limit=100",
        "/requests?limit=100&next=100",
        "/requests?limit=30&next=200",
    ]


def test_a_read_is_repeated_and_an_order_is_not(api: JobsApi, served: JobsApiStandIn) -> None:
    served.answer = answer(503, {"message": "Service Unavailable"})
    with pytest.raises(ServiceTrouble, match="503: Service Unavailable"):
        api.get("/requests")
    assert len(served.received) == 4
    served.received.clear()
    with pytest.raises(ServiceTrouble):
        api.post("/requests", {})
    assert len(served.received) == 1


def test_nobody_at_the_address() -> None:
    api = JobsApi.connect("http://127.0.0.1:9", boto3.Session("AKIATEST", "test", region_name="eu-west-1"))
    with pytest.raises(ServiceTrouble, match=r"127.0.0.1:9 does not answer \(NewConnectionError\)"):
        api.post("/requests", {})


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (
            answer(
                400, {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "limit: from 1 to 100"}
            ),
            "limit: from 1 to 100",
        ),
        (answer(404, {"title": "Not Found", "detail": "there is no request web-9"}), "there is no request web-9"),
        (answer(404, {"message": "Not Found"}), "has no jobs API; deploy the stack again"),
        (answer(409, []), "the jobs API answered 409"),
        (
            answer(403, {"message": "Forbidden"}),
            "need the permission execute-api:Invoke on arn:aws:execute-api:eu-west-1:*:127/*/GET/requests;",
        ),
        (answer(403, {"title": "Forbidden", "detail": "there is no route web"}), "there is no route web"),
        (
            answer(403, {"message": "User: x is not authorized to perform: execute-api:Invoke on resource: y"}),
            "User: x is not authorized to perform: execute-api:Invoke on resource: y",
        ),
        (
            answer(403, {"message": "Forbidden"}, Date=formatdate(time.time() + 3600, usegmt=True)),
            "s off, so the call's signature is refused; set the clock",
        ),
    ],
)
def test_a_refusal_says_what_is_wrong(
    api: JobsApi, served: JobsApiStandIn, parameters: Response, expected: str
) -> None:
    served.answer = parameters
    with pytest.raises(ApiRefusedError) as refused:
        api.get("/requests")
    assert expected in str(refused.value)
    assert refused.value.status == parameters.status_code


@pytest.mark.parametrize("body", ["<html>", "", '{"items": [{"requestId": 1}]}', '{"items": [{}]}'])
def test_an_answer_that_is_none_is_trouble(api: JobsApi, served: JobsApiStandIn, body: str) -> None:
    served.answer = Response(body, 200)
    with pytest.raises(ServiceTrouble, match="the jobs API answered"):
        JobsClient(api).requests({}, 1)


@pytest.mark.parametrize("document", [[], {}, {"items": None}, {"items": {}}, None])
def test_a_list_that_is_none_is_trouble(api: JobsApi, served: JobsApiStandIn, document: object) -> None:
    served.answer = answer(200, document)
    with pytest.raises(ServiceTrouble, match="the jobs API answered"):
        JobsClient(api).requests({}, 1)


def test_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ServiceTrouble, match="there are no AWS credentials"):
        JobsApi.connect("http://127.0.0.1:9", boto3.Session(region_name="eu-west-1"))
