"""A poll: asks for a job's state, decides what it means for the request, records it, and answers the state machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from aws_lambda_powertools import Logger

from amplify_jobs.errors import AmplifyJobsError, NotFoundError, ServiceTrouble
from amplify_jobs.following.answer import FollowedJob, PollAnswer, poll_answer
from amplify_jobs.following.record import Record
from amplify_jobs.following.wait import Deadlines, EarlierJob, left_queue, past_deadline
from amplify_jobs.model.job import Job, JobState, RecordKey, State
from amplify_jobs.model.request import JobRequest
from amplify_jobs.model.results import Results, limit_results, merge_errors

if TYPE_CHECKING:
    from amplify_jobs.following.collect import CollectionResult
    from amplify_jobs.following.log_analysis import Analysis

# GetJob may not show a job at once that StartJob has just named, and that neither it nor an event has shown before.
VISIBLE_AFTER = timedelta(minutes=2)
# After a job's end, collecting its results is tried for so long before the outcome is announced without them.
RESULTS_TRIED_FOR = timedelta(minutes=5)
# After a job's end, its logs are tried to be read for so long before the outcome is announced without what they tell.
LOGS_TRIED_FOR = timedelta(minutes=2)
# After a deadline, StopJob is tried for so long before the outcome is announced without it.
STOP_TRIED_FOR = timedelta(minutes=10)

STOPPED = "amplify-jobs stopped it."
NOT_STOPPED = "amplify-jobs stopped following it and did not stop it."


@dataclass(frozen=True)
class PollResult:
    """The answer, how many polls the job had, and the time from the job's end to this poll, if it has ended."""

    answer: PollAnswer
    polls: int
    detection_delay: timedelta | None = None


class JobService(Protocol):
    """A service of the registry of operations. Only Amplify Hosting stops jobs."""

    def get_job(self, job: Job) -> JobState: ...

    def stop_job(self, job: Job) -> None: ...


class Jobs(Protocol):
    """The jobs table, as aws.jobs_table provides it."""

    def record_poll(self, key: RecordKey, now: datetime) -> Record: ...

    def record_state(self, key: RecordKey, state: JobState, left_queue_at: datetime | None, now: datetime) -> None: ...

    def earlier_jobs(self, key: RecordKey) -> Sequence[EarlierJob]: ...

    def superseding_request(self, request_id: str) -> str | None: ...


class ResultCollector(Protocol):
    """The collector of results, as following.collect provides it."""

    def collect(self, job: Job, request: JobRequest, until: float) -> CollectionResult: ...


class LogAnalyst(Protocol):
    """The analysis of logs, as following.log_analysis provides it."""

    def analyse(self, state: JobState, request: JobRequest, until: float) -> Analysis: ...


@dataclass(frozen=True)
class Poll:
    """Polls jobs; `services` are those of the operations, as aws.services connects them, `now` is the clock."""

    services: Mapping[str, JobService]
    jobs: Jobs
    collector: ResultCollector
    logs: LogAnalyst
    logger: Logger
    now: Callable[[], datetime]

    def poll(self, followed: FollowedJob, seconds_left: Callable[[], float]) -> PollResult:
        """Poll a job once; `seconds_left` says how long collecting its results and reading its logs may take.

        Raises ServiceTrouble if the poll is to be repeated.
        """
        now = self.now()
        record = self.jobs.record_poll(followed.key, now)
        answer = self._ask(followed, record, now)
        record = replace(record, left_queue_at=left_queue(answer, record.left_queue_at, now))
        state = self._decide(followed, answer, record, now)
        self.jobs.record_state(followed.key, state, record.left_queue_at, now)
        if state.state is State.TIMED_OUT and answer.state is not State.CANCELLED:
            state = self._stop(followed.with_state(state), record, now)
        if state.state is State.SUCCEEDED and not state.job.sends_events:
            state = self._collect(followed.with_state(state), now, seconds_left)
        if state.state.is_outcome and state.job.sends_events and not state.gone:
            state = self._analyse(followed.with_state(state), now, seconds_left)
        earlier = () if state.state.is_outcome else self.jobs.earlier_jobs(followed.key)
        return PollResult(
            answer=poll_answer(followed.with_state(state), record, earlier, now),
            polls=record.polls,
            detection_delay=detection_delay(state, now),
        )

    def _ask(self, followed: FollowedJob, record: Record, now: datetime) -> JobState:
        last = followed.job
        try:
            state = self.services[last.job.operation].get_job(last.job)
        except NotFoundError as error:
            return not_found(last, record, now, error)
        except AmplifyJobsError as error:
            return no_answer(followed, record, now, error)
        return state.model_copy(update={"started_at": state.started_at or last.started_at})

    def _decide(self, followed: FollowedJob, answer: JobState, record: Record, now: datetime) -> JobState:
        if answer.state is not State.CANCELLED:
            return timed_out(answer, record.left_queue_at, followed.deadlines, now)
        if record.state is State.TIMED_OUT and followed.may_be_stopped(record):
            # An earlier poll stopped it, and was cut short.
            return stopped_in_time_out(answer, record.left_queue_at, followed.deadlines).with_note(STOPPED)
        if followed.request.supersede:
            newer = self.jobs.superseding_request(followed.request.request_id)
            return answer if newer is None else answer.cancelled_for(newer)
        return answer

    def _stop(self, followed: FollowedJob, record: Record, now: datetime) -> JobState:
        state = followed.job
        if not followed.may_be_stopped(record):
            return state.with_note(NOT_STOPPED)
        try:
            self.services[state.job.operation].stop_job(state.job)
        except AmplifyJobsError as error:
            # A refusal, too, may only mean that it has ended since, or was stopped by a call whose answer was lost.
            if now - followed.deadlines.next_after(record.left_queue_at) < STOP_TRIED_FOR:
                raise ServiceTrouble(str(error)) from error
            return state.with_note(f"amplify-jobs stopped following it and could not stop it: {error}")
        return state.with_note(STOPPED)

    def _collect(self, followed: FollowedJob, now: datetime, seconds_left: Callable[[], float]) -> JobState:
        state = followed.job
        until = time.monotonic() + max(seconds_left(), 1)
        collection = self.collector.collect(state.job, followed.request, until)
        for missing in collection.results.missing:
            self.logger.warning("Not stored", extra={"file": missing.name, "reason": missing.reason})
        if collection.try_again and state.finished_at is not None and now - state.finished_at < RESULTS_TRIED_FOR:
            raise ServiceTrouble("Not all results of the job are available now.")
        return with_results(state, collection.results)

    def _analyse(self, followed: FollowedJob, now: datetime, seconds_left: Callable[[], float]) -> JobState:
        state = followed.job
        analysis = self.logs.analyse(state, followed.request, time.monotonic() + max(seconds_left(), 1))
        for reason in analysis.missing:
            self.logger.warning("A log is missing", extra={"reason": reason})
        if analysis.try_again and state.finished_at is not None and now - state.finished_at < LOGS_TRIED_FOR:
            raise ServiceTrouble("The job's logs can't all be read now.")
        has_failed = state.state in {State.FAILED, State.TIMED_OUT}
        failure = analysis.failure if has_failed else None
        return state.model_copy(update={"failure": failure, "commit_built": analysis.commit_built})


def not_found(last: JobState, record: Record, now: datetime, error: NotFoundError) -> JobState:
    """The state of a job that Amplify does not know: it is gone.

    Raises ServiceTrouble for a job that was only just started and may not be visible yet.
    """
    # Of a job that somebody else started, the first event told before it was followed.
    was_seen = record.state is not None or record.changes > 0 or last.job.origin is not None
    if not was_seen and last.started_at is not None and now - last.started_at < VISIBLE_AFTER:
        raise ServiceTrouble(str(error)) from error
    reason = "Amplify no longer knows this job: it was deleted, or its branch or app was."
    return last.model_copy(update={"state": State.CANCELLED, "reason": reason, "gone": True})


def no_answer(followed: FollowedJob, record: Record, now: datetime, error: AmplifyJobsError) -> JobState:
    """The state of a job past its deadline that Amplify gave no answer about. Raises ServiceTrouble before it."""
    state = timed_out(followed.job, record.left_queue_at, followed.deadlines, now)
    if state.state is not State.TIMED_OUT:
        raise ServiceTrouble(str(error)) from error
    return state.with_note(f"Amplify's last answer: {error}")


def timed_out(state: JobState, left_queue_at: datetime | None, deadlines: Deadlines, now: datetime) -> JobState:
    """Turn the state into TIMED_OUT, with the reason, if a deadline has passed."""
    reason = past_deadline(state, left_queue_at, deadlines, now)
    return state if reason is None else state.model_copy(update={"state": State.TIMED_OUT, "reason": reason})


def stopped_in_time_out(state: JobState, left_queue_at: datetime | None, deadlines: Deadlines) -> JobState:
    """The state of a cancelled job that amplify-jobs stopped past its deadline: the deadline ended it."""
    running = state.model_copy(update={"state": State.RUNNING})
    return timed_out(running, left_queue_at, deadlines, deadlines.next_after(left_queue_at))


def with_results(state: JobState, results: Results) -> JobState:
    """Add the collected results to a state, which may have partial errors already."""
    earlier = state.results.partial_errors if state.results is not None else ()
    errors = merge_errors(earlier, results.partial_errors)
    return state.model_copy(update={"results": limit_results(results.model_copy(update={"partial_errors": errors}))})


def detection_delay(state: JobState, now: datetime) -> timedelta | None:
    """Give the time from the job's end to now; None of a job that has not ended or whose end is unknown."""
    if not state.state.is_outcome or state.finished_at is None:
        return None
    return max(now - state.finished_at, timedelta(0))
