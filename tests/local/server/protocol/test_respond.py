"""Answers fit the operation's output shape."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from local.server.protocol.models import service_model
from local.server.protocol.respond import respond
from local.server.protocol.validate import MalformedAnswerError


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("GetApp", {"app": {"appId": "d1", "colour": "red"}}),
        ("GetApp", {"app": {"appId": 1}}),
        ("GetApp", {"app": {"appId": "x1"}}),
        ("GetApp", {"app": {"createTime": "2026-01-01"}}),
        ("GetApp", {"apps": []}),
        ("TagResource", {"anything": "x"}),
    ],
)
def test_an_answer_that_does_not_fit_is_our_own_fault(operation: str, result: dict[str, Any]) -> None:
    with pytest.raises(MalformedAnswerError):
        respond(service_model("amplify").operation_model(operation), result)


def test_times_are_answered_with_milliseconds_whatever_their_zone() -> None:
    moment = datetime(2020, 9, 13, 14, 26, 40, 123999, tzinfo=timezone(timedelta(hours=2)))
    answer = respond(service_model("amplify").operation_model("GetApp"), {"app": {"appId": "d1", "createTime": moment}})
    assert json.loads(answer.get_data())["app"]["createTime"] == 1600000000.123
