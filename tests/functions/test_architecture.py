"""docs/architecture.md shows the trip of a webhook and of a poll through the code, file by file, as it is."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from amplify_jobs.events.webhooks import github
from tests.functions.test_get_job import Following, ago, build
from tests.support.aws_stand_in import serving_aws
from tests.support.intake_stack import Clients, IntakeStack
from tests.support.stack import serving
from tests.support.trip import Trip, recorded_trip

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
DELIVERY = ROOT / "events" / "receive_webhook.push.json"
SECRET, SECRET_NAME = "example-secret", "/amplify-jobs/secrets/github"
ROUTES = {
    "sources": {"github": {"provider": "github", "secrets": [SECRET_NAME]}},
    "routes": {
        "web": {
            "when": {"push": {"repository": "acme/web", "branches": ["main"]}},
            "request": {
                "operation": "start_job",
                "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "{branch}", "jobType": "RELEASE"},
            },
        }
    },
}


HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))
MOST_LINES = 45


def lines_of_code(handler: Path) -> int:
    """The lines of a handler without its imports, its docstring and the models of its settings and its event."""
    parts = ast.parse(handler.read_text(encoding="utf-8")).body
    code = [part for part in parts if not isinstance(part, ast.Import | ast.ImportFrom | ast.ClassDef)][1:]
    return sum(str(ast.get_source_segment(handler.read_text(encoding="utf-8"), part)).count("\n") + 1 for part in code)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.parent.name)
def test_a_handler_parses_calls_and_answers(handler: Path) -> None:
    assert lines_of_code(handler) <= MOST_LINES, "move what decides to the package, where a test needs no handler"


def delivery(repository: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(DELIVERY.read_text())
    event["body"] = event["body"].replace("acme/web", repository)
    event["headers"][github.SIGNATURE_HEADER.lower()] = github.sign(SECRET, event["body"].encode())
    return event


def files_on_the_page(heading: str) -> list[str]:
    """The files in the table of a section, in their order."""
    section = PAGE.read_text().partition(f"### {heading}\n")[2].partition("\n#")[0]
    return re.findall(r"^\| \d+ \| `([^`]+)` \|", section, re.MULTILINE)


def counts_on_the_page(heading: str) -> tuple[int, int]:
    """How many files of the stages and how many files in all the page says."""
    section = PAGE.read_text().partition(f"### {heading}\n")[2].partition("\n#")[0]
    stages, all_files = re.findall(r"(\d+) files of the stages and (\d+) files in all", section)[0]
    return int(stages), int(all_files)


def check(heading: str, trip: Trip) -> None:
    assert files_on_the_page(heading) == trip.stages
    stages, all_files = counts_on_the_page(heading)
    assert stages == len(trip.stages)
    # What an earlier test of this process has in a cache is not entered again.
    assert all_files - 2 <= len(trip.files) <= all_files


def test_the_trip_of_a_webhook_is_the_one_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_aws() as aws:
        stack = IntakeStack.create(aws, Clients.of(aws), monkeypatch)
        stack.push_routes(ROUTES)
        stack.ssm.put_parameter(Name=SECRET_NAME, Type="SecureString", Value=SECRET)
        receive_webhook, push = stack.new_function("receive_webhook"), delivery("acme/web")
        # The first call reads routes and secrets; later calls have them in memory.
        assert receive_webhook(delivery("acme/other"))["statusCode"] == 200
        with recorded_trip() as trip:
            assert receive_webhook(push)["statusCode"] == 202
    check("A webhook", trip)
    assert not trip.returns


def test_the_trip_of_a_poll_is_the_one_on_the_page() -> None:
    with serving() as stack:
        get_job, following = stack.function("get_job"), Following(stack)
        following.show("RUNNING", steps=[build("RUNNING", ago(seconds=1))])
        get_job(following.payload())
        with recorded_trip() as trip:
            get_job(following.payload())
    check("A poll", trip)
