"""How long to wait for a job's next change, and when waiting is over: pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from amplify_jobs.model.job import JobState, State

EARLIER_JOBS = 10

# A branch's first job has no history: its event tells of the end. Polls are for an event that got lost, and for a job
# that somebody cancels, since no event of that is documented. Each wait is longer than the one before: two polls within
# twenty minutes, five within two hours.
FIRST_WAIT_WITH_EVENTS = timedelta(minutes=5)
_GROWTH_OF_FIRST_WAITS = 0.6
SHORTEST_WAIT = timedelta(seconds=5)

# Jobs that send no events at all, which generate code or models, take seconds.
FIRST_WAIT_WITHOUT_EVENTS = timedelta(seconds=1)


@dataclass(frozen=True)
class EarlierJob:
    """The duration of a job that succeeded, from leaving the queue, and whether a status event told of its end."""

    seconds: float
    end_event_received: bool


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    `queued` is the time since its start, `running` the time since it left the queue (None while it is in it), `polls`
    counts the polls until now. `end_event_received`: an event told of the end, which Amplify's answer does not show
    yet. `sends_events` is False of jobs whose end only a poll finds.
    """

    queued: timedelta
    running: timedelta | None
    polls: int
    end_event_received: bool = False
    sends_events: bool = True


@dataclass(frozen=True)
class Deadlines:
    """`start_by` bounds the queue; the run is bounded from the moment the job left it."""

    start_by: datetime
    run_for: timedelta

    def next_after(self, left_queue_at: datetime | None) -> datetime:
        return self.start_by if left_queue_at is None else left_queue_at + self.run_for


def events_expected(earlier: Sequence[EarlierJob]) -> bool:
    """Say whether a status event will tell of the end: as for three of four earlier jobs; without any, it will."""
    return sum(job.end_event_received for job in earlier) * 4 >= len(earlier) * 3


def first_look(earlier: Sequence[EarlierJob]) -> float | None:
    """Say when to poll a job first, in seconds from leaving the queue; None without earlier jobs.

    Where events tell of the end, the poll only insures against a lost one: it comes a little after the longest of the
    earlier jobs. Where no events come, polls find the end. The first comes when the shortest third of the earlier jobs
    would have ended, and those that took about as long: one poll finds the end of builds that hardly vary.
    """
    if not earlier:
        return None
    durations = sorted(job.seconds for job in earlier)
    if events_expected(earlier):
        return durations[-1] * 1.08 + 1
    short = durations[math.ceil(len(durations) * 0.3) - 1]
    return max(seconds for seconds in durations if seconds <= short + max(short * 0.1, 7)) * 1.02 + 1


def wait_seconds(earlier: Sequence[EarlierJob], progress: Progress, until_deadline: timedelta) -> int:
    """Say how many whole seconds (at least 1) to wait for the next change before the next poll.

    `earlier` are the last jobs of the same app and branch, `until_deadline` is the time until the job times out.
    """
    first = first_look(earlier)
    ran = max(progress.running.total_seconds(), 0) if progress.running is not None else 0
    in_queue = max(progress.queued.total_seconds(), 0) if progress.running is None else 0
    if not progress.sends_events:
        wait = _wait_without_events(first, ran + in_queue, progress.polls)
    elif progress.end_event_received:
        wait = _wait_by_tenths(ran + in_queue)
    else:
        wait = _wait_for_event(earlier, first, ran, in_queue)
    return max(1, math.ceil(min(wait, until_deadline.total_seconds())))


def _wait_for_event(earlier: Sequence[EarlierJob], first: float | None, ran: float, in_queue: float) -> float:
    if first is None:
        return FIRST_WAIT_WITH_EVENTS.total_seconds() + (ran + in_queue) * _GROWTH_OF_FIRST_WAITS
    if ran < first:
        # In a long queue, quick jobs too are polled seldom: an execution's history has room for 25,000 events.
        return max(first - ran, in_queue / 10, SHORTEST_WAIT.total_seconds())
    if events_expected(earlier):
        return max((ran + in_queue) / 4, SHORTEST_WAIT.total_seconds())
    return _wait_by_tenths(ran + in_queue)


def _wait_by_tenths(elapsed: float) -> float:
    """A tenth of the time that has passed keeps the mean delay at a twentieth, however long the job turns out."""
    return max(elapsed / 10, SHORTEST_WAIT.total_seconds())


def _wait_without_events(first: float | None, elapsed: float, polls: int) -> float:
    """The first poll is at once and finds what fails at once; the next when such jobs ended; then the waits grow."""
    if polls == 0:
        return FIRST_WAIT_WITHOUT_EVENTS.total_seconds()
    if first is not None and elapsed < first:
        return first - elapsed
    return elapsed / 5


def past_deadline(state: JobState, left_queue_at: datetime | None, deadlines: Deadlines, now: datetime) -> str | None:
    """Say why an unfinished job counts as timed out, or None while it does not."""
    if state.state.is_outcome or now < deadlines.next_after(left_queue_at):
        return None
    if left_queue_at is None:
        return "The job was still in Amplify's queue when its time to start ran out (startWithinMinutes)."
    minutes = round(deadlines.run_for.total_seconds() / 60)
    return f"The job had not ended {minutes} minutes after it left Amplify's queue (timeoutMinutes)."


def left_queue(state: JobState, recorded: datetime | None, now: datetime) -> datetime | None:
    """Say when the job left Amplify's queue: as recorded, else as its steps tell, else now, if it runs.

    None while it is queued, and for a job that the first poll finds at its end and that does not tell: a guess would
    become a duration that the next jobs are measured by.
    """
    if recorded is not None or state.state is State.WAITING:
        return recorded
    return state.left_queue_at or (now if state.state is State.RUNNING else None)
