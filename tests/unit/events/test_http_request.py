"""Requests as API Gateway hands them over: their bodies are bytes again, or refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import DeliveryRefusedError, DeliveryTooLargeError
from amplify_jobs.events.http_request import LARGEST_BODY, HttpApiRequest, answer


def request(**members: object) -> HttpApiRequest:
    return HttpApiRequest.model_validate({"pathParameters": {"source": "github"}, "headers": {}, **members})


def body_of(members: dict[str, object]) -> bytes:
    return request(**members).decoded_body()


@given(st.binary())
def test_base64_is_decoded_to_the_bytes_that_were_sent(body: bytes) -> None:
    assert body_of({"body": base64.b64encode(body).decode(), "isBase64Encoded": True}) == body


@given(st.text())
def test_text_is_the_bytes_of_its_utf_8(text: str) -> None:
    assert body_of({"body": text, "isBase64Encoded": False}) == text.encode()


@pytest.mark.parametrize("event", [{}, {"body": None}, {"body": None, "isBase64Encoded": True}])
def test_no_body_is_an_empty_one(event: dict[str, object]) -> None:
    assert body_of(event) == b""


@given(st.text(alphabet=st.characters()), st.booleans())
def test_any_text_is_decoded_or_refused(text: str, is_base64: bool) -> None:
    try:
        body = body_of({"body": text, "isBase64Encoded": is_base64})
    except DeliveryRefusedError:
        return
    assert isinstance(body, bytes)


def test_the_limit_counts_decoded_bytes() -> None:
    largest = base64.b64encode(b"x" * LARGEST_BODY).decode()
    assert len(body_of({"body": largest, "isBase64Encoded": True})) == LARGEST_BODY
    with pytest.raises(DeliveryTooLargeError, match=r"5 MiB"):
        body_of({"body": base64.b64encode(b"x" * (LARGEST_BODY + 1)).decode(), "isBase64Encoded": True})


@pytest.mark.parametrize(
    ("context", "seconds"),
    [({"timeEpoch": 1769857200_500}, 1.5), ({"timeEpoch": 1769857203_000}, 0), ({}, 1769857202)],
)
def test_who_came_at_an_unknown_time_has_been_waiting_for_ever(context: dict[str, object], seconds: float) -> None:
    assert request(requestContext=context).waiting_seconds(1769857202) == seconds


def test_what_api_gateway_tells_besides_is_ignored() -> None:
    event = {
        "version": "2.0",
        "rawPath": "/webhooks/github",
        "requestContext": {"requestId": "r-1", "stage": "$default"},
    }
    assert request(**event).request_context.request_id == "r-1"


def test_an_answer_is_json_that_keeps_its_characters() -> None:
    assert answer(200, {"message": "Grüße"}) == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": '{"message": "Grüße"}',
    }
