"""What Amplify says of a job is told only as long as it is the request's: ids of jobs come again with a branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from amplify_jobs.announcing.announcement import JobFinished, Outcome
from amplify_jobs.errors import UnknownItemError
from amplify_jobs.indexing.record import EndNews, RequestRecord
from amplify_jobs.model.job import Job, JobState, State, Step, StepAddress
from amplify_jobs.steering.live_jobs import LiveJobs
from tests.support.announced import REQUESTED, finished

if TYPE_CHECKING:
    from amplify_jobs.diagnosing.bounds import Readable

HOUR = timedelta(hours=1)


@dataclass
class AmplifyHosting:
    """Shows one job, with one step, whatever its request was."""

    started_at: datetime | None

    def get_job(self, job: Job) -> JobState:
        return JobState(job=job, state=State.RUNNING, started_at=self.started_at, steps=(self._step(),))

    def step_addresses(self, job: Job) -> tuple[StepAddress, ...]:
        return (StepAddress(self._step(), f"https://example.com/{job.job_id}"),)

    def build_variables(self, _job: Job) -> Mapping[str, str]:
        return {}

    def get_bounded(self, _url: str, *, keep: Callable[[Readable], bytes], until: float) -> bytes:
        return b"the log of what is there\n"

    def _step(self) -> Step:
        return Step(name="BUILD", status="RUNNING", started_at=self.started_at)


def ended_record() -> RequestRecord:
    detail = finished(Outcome.FAILED).detail
    assert isinstance(detail, JobFinished)
    at = REQUESTED + HOUR
    return RequestRecord(request_id="web-1", as_of=at, ended=EndNews(at=at, detail=detail))


def live_jobs(started_at: datetime | None) -> LiveJobs:
    hosting = AmplifyHosting(started_at)
    return LiveJobs(hosting, hosting, now=lambda: REQUESTED, clock=lambda: 0.0)


def test_a_later_job_of_the_same_id_is_not_told_as_the_one_of_the_request() -> None:
    jobs = live_jobs(REQUESTED + 2 * HOUR)
    story = jobs.story(ended_record())
    assert "RUNNING" not in {step.status for step in story.steps}
    assert not story.is_live
    assert "another one by now" in story.notes[0]
    with pytest.raises(UnknownItemError, match="another one by now"):
        jobs.log(ended_record(), None, 0)


@pytest.mark.parametrize("started_at", [REQUESTED, None])
def test_the_job_of_the_request_is_told(started_at: datetime | None) -> None:
    jobs = live_jobs(started_at)
    story = jobs.story(ended_record())
    assert (story.is_live, story.notes) == (True, ())
    assert jobs.log(ended_record(), None, 0).text == "the log of what is there\n"
