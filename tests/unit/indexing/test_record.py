"""What the index knows of a request does not depend on the order in which news come, nor on their number."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import JobFinished, JobRejected, JobStarted, Outcome
from amplify_jobs.indexing.answers import RequestState
from amplify_jobs.indexing.branch import branch_news
from amplify_jobs.indexing.record import (
    EndNews,
    ExecutionNews,
    RejectionNews,
    RequestRecord,
    StartNews,
)
from amplify_jobs.indexing.story import shown_parameters, story
from amplify_jobs.indexing.summary import summary
from amplify_jobs.model.request import JobRequest
from tests.support import api_examples
from tests.support.announced import REQUESTED, finished, rejected, started
from tests.support.api_examples import ARN, record, report

END = REQUESTED + timedelta(seconds=110)


def news(**parts: object) -> RequestRecord:
    return RequestRecord.model_validate({"request_id": "web-1", "as_of": REQUESTED, **parts})


def start_news(seconds: int = 0) -> RequestRecord:
    detail = started().detail
    assert isinstance(detail, JobStarted)
    at = REQUESTED + timedelta(seconds=seconds)
    return news(started=StartNews(at=at, detail=detail), as_of=at)


def end_news(outcome: Outcome, seconds: int = 0) -> RequestRecord:
    detail = finished(outcome).detail
    assert isinstance(detail, JobFinished)
    at = END + timedelta(seconds=seconds)
    return news(ended=EndNews(at=at, detail=detail), as_of=at)


def rejection_news() -> RequestRecord:
    detail = rejected().detail
    assert isinstance(detail, JobRejected)
    return news(rejected=RejectionNews(at=END, detail=detail))


def execution_news(status: str, redrives: int = 0) -> RequestRecord:
    return news(execution=ExecutionNews(arn=ARN, status=status, started_at=REQUESTED, redrives=redrives))


ALL_NEWS = [
    news(request=record(None).request),
    execution_news("RUNNING"),
    execution_news("FAILED"),
    execution_news("RUNNING", 1),
    start_news(),
    start_news(3),
    end_news(Outcome.UNKNOWN),
    end_news(Outcome.FAILED, 60),
    end_news(Outcome.FAILED, 61),
    news(reports=(report("pending", REQUESTED),)),
    news(reports=(report("failed", END),)),
    news(supersedes="web-0"),
]


@given(st.permutations(ALL_NEWS), st.lists(st.sampled_from(ALL_NEWS), max_size=6))
def test_order_and_repeats_of_news_do_not_matter(order: list[RequestRecord], repeats: list[RequestRecord]) -> None:
    expected = reduce(RequestRecord.merge, ALL_NEWS)
    assert reduce(RequestRecord.merge, [*order, *repeats]) == expected
    assert expected.ended == end_news(Outcome.FAILED, 60).ended
    assert expected.execution == execution_news("RUNNING", 1).execution
    assert [each.text for each in expected.reports] == ["failed"]


@pytest.mark.parametrize(
    ("parts", "state", "outcome"),
    [
        ([execution_news("RUNNING")], RequestState.RECEIVED, None),
        ([start_news()], RequestState.STARTED, None),
        ([end_news(Outcome.SUCCEEDED)], RequestState.FINISHED, "SUCCEEDED"),
        ([end_news(Outcome.SUCCEEDED), start_news(), execution_news("RUNNING")], RequestState.FINISHED, "SUCCEEDED"),
        ([rejection_news(), execution_news("SUCCEEDED")], RequestState.REJECTED, "REJECTED"),
    ],
)
def test_states(parts: list[RequestRecord], state: RequestState, outcome: str | None) -> None:
    shown = summary(reduce(RequestRecord.merge, parts))
    assert (shown.state, shown.outcome) == (state, outcome)


@pytest.mark.parametrize("name", api_examples.examples())
def test_the_examples_are_what_the_models_make(name: str) -> None:
    path = api_examples.FOLDER / f"{name}.json"
    assert path.read_text() == api_examples.text(api_examples.examples()[name]), (
        "run python -m tests.support.api_examples"
    )


def test_the_timeline_is_in_order() -> None:
    timeline = story(record(Outcome.FAILED)).timeline
    assert [entry.time for entry in timeline] == sorted(entry.time for entry in timeline)
    assert [entry.what for entry in timeline if entry.what not in ("announced", "reported")] == [
        "received",
        "execution",
        "started",
        "ended",
    ]


def test_parameters_show_no_secret() -> None:
    parameters = {
        "sourceUrl": "https://host.example/a.zip?X-Amz-Signature=abc",
        "nested": [{"token": "ghp_0123456789"}],
    }
    assert shown_parameters(parameters) == {
        "sourceUrl": "https://host.example/a.zip",
        "nested": [{"token": "(secret left out)"}],
    }
    assert shown_parameters({"schema": ["x" * 900] * 100}) == {}


REMOVAL = news(
    request=JobRequest.model_validate(
        {
            "requestId": "web-1",
            "route": "web",
            "operation": "remove_preview",
            "parameters": {"appId": "d1", "branchName": "pr-7"},
            "preview": {"action": "remove", "source": "gitlab", "repository": "acme/web", "pullRequest": 7},
            "cause": {"source": "gitlab", "kind": "pull_request"},
            "receivedAt": REQUESTED,
        }
    )
)


def test_a_request_that_takes_a_preview_away_is_finished_when_its_execution_is() -> None:
    assert (summary(REMOVAL).state, summary(REMOVAL).outcome) == (RequestState.RECEIVED, None)
    ended = news(execution=ExecutionNews(arn=ARN, status="SUCCEEDED", started_at=REQUESTED, stopped_at=END))
    removed = summary(REMOVAL.merge(ended))
    assert (removed.state, removed.outcome, removed.ended_at) == (RequestState.FINISHED, "REMOVED", END)
    assert story(REMOVAL.merge(ended)).timeline[-1].what == "removed"
    refused = REMOVAL.merge(ended).merge(rejection_news())
    assert (summary(refused).state, summary(refused).outcome) == (RequestState.REJECTED, "REJECTED")
    assert "Not removed" in next(entry.text for entry in story(refused).timeline if entry.what == "rejected")


def test_a_branch_that_was_to_stay_is_kept_and_what_is_live_there_too() -> None:
    end = ExecutionNews(arn=ARN, status="SUCCEEDED", started_at=REQUESTED, stopped_at=END, is_preview=False)
    record_of_stay = REMOVAL.merge(news(execution=end))
    assert (summary(record_of_stay).state, summary(record_of_stay).outcome) == (RequestState.FINISHED, "KEPT")
    assert story(record_of_stay).timeline[-1].what == "kept"
    assert "is no preview of amplify-jobs" in story(record_of_stay).timeline[-1].text
    assert branch_news(summary(REMOVAL)) is None
    assert branch_news(summary(record_of_stay)) is None
    removal = REMOVAL.merge(news(execution=end.model_copy(update={"is_preview": True})))
    branch = branch_news(summary(removal))
    assert branch is not None
    assert branch.removed_at == END


def test_a_timeline_tells_what_follows_from_what_within_one_second() -> None:
    # EventBridge leaves out the milliseconds, which Step Functions tells.
    start = ExecutionNews(arn=ARN, status="RUNNING", started_at=END.replace(microsecond=900_000))
    timeline = story(REMOVAL.merge(rejection_news()).merge(news(execution=start))).timeline
    assert [entry.what for entry in timeline][-3:] == ["execution", "rejected", "announced"]


def test_what_was_live_on_a_preview_is_live_no_more_when_it_is_gone_whatever_comes_first() -> None:
    built = branch_news(summary(record(Outcome.SUCCEEDED)))
    assert built is not None
    assert built.live is not None
    gone = built.model_copy(update={"live": None, "removed_at": END + timedelta(days=1)})
    again = built.model_copy(update={"live": built.live.model_copy(update={"at": END + timedelta(days=2)})})
    for order in permutations([built, gone]):
        assert reduce(lambda left, right: left.merge(right), order).live is None
    for order in permutations([built, gone, again]):
        assert reduce(lambda left, right: left.merge(right), order).live == again.live
