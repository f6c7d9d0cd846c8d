"""The lines of `make local`: each delivery, job, event and report, and nothing that a terminal obeys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from local.activity import Activity, event_line
from local.server.http_server import DropConnectionError

JOB = {"appId": "d1", "branchName": "main", "jobId": "17", "jobStatus": "SUCCEED"}


class Lines(list[str]):
    """What was shown."""

    def activity(self) -> Activity:
        return Activity(self.append, lambda: datetime(2026, 11, 28, 12, 0, 1, tzinfo=UTC))


def request(method: str, path: str) -> Request:
    return Request(EnvironBuilder(path, method=method).get_environ())


@pytest.mark.parametrize(
    ("event", "bus", "expected"),
    [
        (
            {"detail-type": "Amplify Deployment Status Change", "detail": JOB},
            "default",
            ("job", "d1 main #17: SUCCEED"),
        ),
        ({"detail-type": "Amplify Deployment Status Change", "detail": {}}, "default", ("job", "? ? #?: ?")),
        ({"detail-type": "Object Created", "detail": {}}, "default", None),
        (
            {"detail-type": "Job Finished", "detail": {"outcome": "FAILED", "requestId": "web-1"}},
            "stack-bus",
            ("event", "Job Finished FAILED web-1"),
        ),
        ({"detail-type": "Anything", "detail": {}}, "stack-bus", ("event", "Anything")),
    ],
)
def test_the_line_of_an_event(event: dict[str, Any], bus: str, expected: tuple[str, str] | None) -> None:
    assert event_line(event, bus) == expected


def test_calls_that_are_no_reads_have_a_line() -> None:
    lines = Lines()
    api = lines.activity().of_api(lambda request: Response(status=202))
    endpoint = lines.activity().of_endpoint(lambda request: Response(status=201))
    for call in (("POST", "/webhooks/github"), ("GET", "/requests"), ("POST", "/webhooks/a%1B%5B31mb")):
        assert api(request(*call)).status_code == 202
    for call in (("POST", "/_local/reports/github/repos/acme/web/statuses/4f2c1e0"), ("POST", "/"), ("GET", "/_local")):
        assert endpoint(request(*call)).status_code == 201
    assert lines == [
        "12:00:01  delivery  POST /webhooks/github: 202",
        "12:00:01  delivery  POST /webhooks/a%1B%5B31mb: 202",
        "12:00:01  report    POST github/repos/acme/web/statuses/4f2c1e0: 201",
    ]


def test_a_lost_answer_is_said() -> None:
    def drop(request: Request) -> Response:
        raise DropConnectionError

    lines = Lines()
    with pytest.raises(DropConnectionError):
        lines.activity().of_api(drop)(request("POST", "/webhooks/github"))
    assert lines == ["12:00:01  delivery  POST /webhooks/github: no answer"]


def test_a_reader_that_went_away_is_no_trouble_for_a_caller() -> None:
    def nobody_reads(line: str) -> None:
        raise BrokenPipeError

    api = Activity(nobody_reads).of_api(lambda request: Response(status=202))
    assert api(request("POST", "/webhooks/github")).status_code == 202


def test_the_terminal_is_not_steered() -> None:
    lines = Lines()
    detail = {**JOB, "branchName": "\x1b[31mred\u202e"}
    lines.activity().event({"detail-type": "Amplify Deployment Status Change", "detail": detail}, "default")
    assert lines == ["12:00:01  job       d1 ?[31mred? #17: SUCCEED"]
