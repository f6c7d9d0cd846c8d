"""The stand-ins for targets of reports: what they keep, and failures that they were told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from local.report_targets import PREFIX, ReportTargets
from local.server.http_server import DropConnectionError


def call(targets: ReportTargets, path: str, content: Any, method: str = "POST") -> Response:
    headers = {"Authorization": "Bearer t0ken", "User-Agent": "tests"}
    builder = EnvironBuilder(f"{PREFIX}{path}", method=method, data=json.dumps(content), headers=headers)
    request = Request(builder.get_environ())
    answer = targets.answer(request)
    assert answer is not None
    return answer


def statuses(targets: ReportTargets) -> list[int | None]:
    return [one.status for one in targets.received]


def test_a_stand_in_fails_as_often_as_it_was_told_and_others_do_not() -> None:
    targets = ReportTargets()
    failure = {"name": "chat", "status": 503, "times": 2, "headers": {"retry-after": "7"}}
    assert call(targets, "", failure).status_code == 201
    answers = [call(targets, f"/{name}/x", {}) for name in ("chat", "hook", "chat", "chat")]
    assert [answer.status_code for answer in answers] == [503, 201, 503, 201]
    assert [answer.headers.get("retry-after") for answer in answers] == ["7", None, "7", None]
    assert statuses(targets) == [503, 201, 503, 201]


def test_a_lost_answer_is_that_of_a_call_that_was_done() -> None:
    targets = ReportTargets()
    call(targets, "", {"name": "gitlab"})
    path = f"/gitlab/projects/1/statuses/{'a' * 40}"
    with pytest.raises(DropConnectionError):
        call(targets, path, {"state": "pending"})
    # GitLab has the state already.
    assert call(targets, path, {"state": "pending"}).status_code == 400
    assert statuses(targets) == [None, 400]


def test_failures_end_with_all_calls() -> None:
    targets = ReportTargets()
    call(targets, "", {"name": "chat", "status": 500, "times": 9})
    call(targets, "/chat/x", {})
    assert call(targets, "", {}, method="DELETE").status_code == 204
    assert call(targets, "/chat/x", {}).status_code == 201
    assert statuses(targets) == [201]


@pytest.mark.parametrize(
    ("failure", "fault"),
    [
        ({"status": 500}, "name"),
        ({"name": "chat", "status": 99}, "status"),
        ({"name": "chat", "times": 0}, "times"),
        ({"name": "chat", "statsu": 500}, "statsu"),
    ],
)
def test_what_can_not_be_a_failure_is_refused_with_what_is_wrong(failure: dict[str, Any], fault: str) -> None:
    answer = call(ReportTargets(), "", failure)
    assert answer.status_code == 400
    assert fault in answer.get_data(as_text=True)
