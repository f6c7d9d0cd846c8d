"""What the console reads is what the API answers: its examples, its models, and the examples of these tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from amplify_jobs.indexing import answers as told
from amplify_jobs.indexing import deliveries as told_deliveries
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.request import Cause
from amplify_jobs_console import answers as read
from tests.support import console_answers as examples
from tests.support import console_api

RECORDED = Path(__file__).parents[2] / "support" / "api_examples"
PAIRS: list[tuple[type[BaseModel], type[BaseModel]]] = [
    (read.RequestSummary, told.RequestSummary),
    (read.RequestStory, told.RequestStory),
    (read.Links, told.RequestLinks),
    (read.Step, told.StepState),
    (read.Moment, told.TimelineEntry),
    (read.SentAnnouncement, told.PublishedAnnouncement),
    (read.SentReport, told.ReportResult),
    (read.Execution, told.ExecutionState),
    (read.Event, Cause),
    (read.Failure, Failure),
    (read.LogPart, told.LogText),
    (read.LiveCommit, told.LiveCommit),
    (read.BranchSummary, told.BranchState),
    (read.Health, told.Health),
    (read.Accepted, told.RequestAccepted),
    (read.DeliverySummary, told_deliveries.DeliverySummary),
    (read.Delivery, told_deliveries.DeliveryStory),
    (read.Decision, told_deliveries.RouteDecision),
    (read.Routes, told_deliveries.RoutesInEffect),
    (read.Schedule, told_deliveries.ScheduleState),
]
READERS: dict[str, Any] = {
    "accepted": read.Accepted,
    "branches": read.Page[read.BranchSummary],
    "deliveries": read.Page[read.DeliverySummary],
    "delivery": read.Delivery,
    "health": read.Health,
    "log": read.LogPart,
    "request": read.RequestStory,
    "requests": read.Page[read.RequestSummary],
    "routes": read.Routes,
    "schedules": read.Page[read.Schedule],
}
EXAMPLES = [
    (told.Page[told.RequestSummary], console_api.listed([examples.RUNNING, examples.WAITING, *examples.FINISHED])),
    *[(told.RequestStory, story) for story in examples.STORIES.values()],
    (told.LogText, examples.LOG),
    (told.LogText, examples.LIVE_LOG),
    (told.Page[told.BranchState], console_api.listed(console_api.BRANCHES)),
    (told.Page[told_deliveries.DeliverySummary], console_api.listed(console_api.DELIVERIES)),
    (told_deliveries.DeliveryStory, console_api.DELIVERY_STORY),
    (told_deliveries.RoutesInEffect, console_api.ROUTES),
    (told.Page[told_deliveries.ScheduleState], console_api.listed(console_api.SCHEDULES)),
    (told.Health, console_api.HEALTH),
]


@pytest.mark.parametrize(("reader", "teller"), PAIRS, ids=lambda model: model.__name__)
def test_the_console_reads_no_member_that_the_api_does_not_have(
    reader: type[BaseModel], teller: type[BaseModel]
) -> None:
    assert set(reader.model_fields) <= set(teller.model_fields)


@pytest.mark.parametrize("file", sorted(RECORDED.glob("[!p]*.json")), ids=lambda file: file.stem)
def test_the_console_reads_the_examples_of_the_api(file: Path) -> None:
    reader = READERS.get(file.stem) or READERS[file.stem.partition("-")[0]]
    TypeAdapter(reader).validate_json(file.read_bytes())


@pytest.mark.parametrize(("teller", "example"), EXAMPLES)
def test_the_examples_of_these_tests_are_answers_of_the_api(teller: Any, example: Any) -> None:
    answer = TypeAdapter(teller).validate_json(json.dumps(example))
    assert set(example) <= set(TypeAdapter(teller).dump_python(answer, by_alias=True))
