"""Dead letters are recognised by who put them into the queue."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs_cli.recovery.dead_letters import DeadLetter, ForeignMessageError, parse_dead_letter

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:amplify-jobs-on-status-change"
EVENT = {"detail-type": "Amplify Deployment Status Change", "detail": {"appId": "d1"}}


def test_what_eventbridge_could_not_deliver() -> None:
    attributes = {"TARGET_ARN": FUNCTION, "ERROR_CODE": "THROTTLING", "ERROR_MESSAGE": "Rate exceeded"}

    letter = parse_dead_letter(json.dumps(EVENT), attributes)

    assert letter == DeadLetter(FUNCTION, EVENT, "THROTTLING: Rate exceeded")
    assert letter.description == "Amplify Deployment Status Change"


@pytest.mark.parametrize(
    "body", [EVENT, {"FunctionName": "f", "InvocationType": "Event", "Payload": json.dumps(EVENT)}]
)
def test_what_a_schedule_could_not_deliver(body: Any) -> None:
    attributes = {"TARGET_ARN": FUNCTION, "SCHEDULE_ARN": "arn", "ERROR_CODE": "THROTTLING"}

    assert parse_dead_letter(json.dumps(body), attributes) == DeadLetter(FUNCTION, EVENT, "THROTTLING")


def test_what_a_function_failed_on() -> None:
    record = {
        "version": "1.0",
        "requestContext": {"functionArn": f"{FUNCTION}:$LATEST", "condition": "RetriesExhausted"},
        "requestPayload": EVENT,
        "responsePayload": {"errorType": "ServiceTrouble", "errorMessage": "DynamoDB: Down", "stackTrace": ["secret"]},
    }

    assert parse_dead_letter(json.dumps(record), {}) == DeadLetter(FUNCTION, EVENT, "RetriesExhausted: DynamoDB: Down")


@pytest.mark.parametrize(
    "body", ["", "no json", "[]", "null", "{}", '{"requestContext": {}}', '{"requestContext": []}']
)
def test_what_somebody_else_put_there(body: str) -> None:
    with pytest.raises(ForeignMessageError):
        parse_dead_letter(body, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["requestContext", "functionArn"]), inner)
    ),
)


@given(JSON, st.dictionaries(st.sampled_from(["TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE"]), st.text()))
def test_nothing_but_a_letter_or_our_error(message: Any, attributes: dict[str, str]) -> None:
    with contextlib.suppress(ForeignMessageError):
        assert isinstance(parse_dead_letter(json.dumps(message), attributes).description, str)
