"""The example inputs in events/ are what the functions understand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.matching import Matched, decide
from amplify_jobs.requests import JobRequest, validated_parameters
from amplify_jobs.routes_file import read_routes
from amplify_jobs.webhooks import provider
from tests.functions.stack import REPOSITORY, Stack, serving

FILES = sorted(REPOSITORY.glob("events/*.json"))
FUNCTIONS = {path.parent.name for path in REPOSITORY.glob("functions/*/handler.py")}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack that has the app of the examples, with one job."""
    with serving() as made:
        app_id = "d1a2b3c4d5e6"
        made.amplify.apps[app_id] = {"appId": app_id, "name": "web", "defaultDomain": f"{app_id}.amplifyapp.com"}
        made.amplify.jobs[app_id, "main"] = [{"summary": {"jobId": "1", "status": "SUCCEED"}, "steps": []}]
        yield made


def test_every_function_has_an_example() -> None:
    assert {path.name.partition(".")[0] for path in FILES} == FUNCTIONS


@pytest.mark.parametrize(
    ("file", "answer"),
    [
        ("start_job.json", {"finished": False, "seen": "0", "key.sk": "job#0000000002"}),
        ("get_job.json", {"finished": True, "job.state": "SUCCEEDED", "key.sk": "job#0000000001"}),
        ("on_status_change.json", {"woke": False}),
        ("announce.started.json", {"detailType": "Job Started"}),
        ("announce.finished.json", {"detailType": "Job Finished"}),
        ("announce.rejected.json", {"detailType": "Job Rejected"}),
        # start_job made a job of the request above.
        ("announce.execution_failed.json", {"detailType": "Job Finished"}),
    ],
)
def test_an_example_is_understood(stack: Stack, file: str, answer: dict[str, Any]) -> None:
    event = json.loads((REPOSITORY / "events" / file).read_text(encoding="utf-8"))
    said = stack.function(file.partition(".")[0])(event)
    for path, value in answer.items():
        found: Any = said
        for name in path.split("."):
            found = found[name]
        assert found == value


@pytest.mark.parametrize("file", [path.name for path in FILES if path.name.startswith("receive_webhook")])
def test_a_delivery_in_an_example_is_authentic_and_the_push_of_its_route(file: str) -> None:
    event = json.loads((REPOSITORY / "events" / file).read_text(encoding="utf-8"))
    name = "events/routes.yaml"
    routes = read_routes((REPOSITORY / name).read_bytes(), name, "amplify-jobs")
    source = event["pathParameters"]["source"]
    host, body = provider(routes.source(source).provider), event["body"].encode()
    secret = "user:example-secret" if source == "azure-devops" else "example-secret"
    host.verify(event["headers"], body, [secret], datetime.now(UTC))
    (happened,) = host.parse(event["headers"], body).events
    matched = [found for found in decide(routes, source, happened) if isinstance(found, Matched)]
    assert [(found.name, happened.branch) for found in matched] == [("web", "main")]


@pytest.mark.parametrize("file", [path.name for path in FILES if not path.name.startswith(("receive_", "on_"))])
def test_the_request_in_an_example_is_complete(file: str) -> None:
    event = json.loads((REPOSITORY / "events" / file).read_text(encoding="utf-8"))
    raw = event["request"] if "request" in event else json.loads(event["detail"]["input"])
    request = JobRequest.model_validate(raw)
    validated_parameters(request)
    assert set(raw) == {field.alias for field in JobRequest.model_fields.values()}
    assert set(raw["cause"]) == set(request.cause.model_dump(by_alias=True))
