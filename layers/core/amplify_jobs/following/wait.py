"""How long to wait for a job's next change, and when waiting is over; pure functions of what is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from amplify_jobs.model.job import JobState, State

EARLIER_JOBS = 10

# Of a branch's first job nothing is known: its event tells of the end, and polls are there for an event that got lost,
# and for a job that somebody cancels, of which no event is documented. Each wait is longer than the one before: two
# polls within twenty minutes, five within two hours.
FIRST_WAIT_WITH_EVENTS = timedelta(minutes=5)
_GROWTH_OF_FIRST_WAITS = 0.6
SHORTEST_WAIT = timedelta(seconds=5)

# Jobs that send no events at all, which generate code or models, take seconds.
FIRST_WAIT_WITHOUT_EVENTS = timedelta(seconds=1)


@dataclass(frozen=True)
class EarlierJob:
    """How long a job that succeeded took from leaving the queue, and whether a status event told of its end."""

    seconds: float
    told_by_event: bool


@dataclass(frozen=True)
class Deadlines:
    """`start_by` bounds the queue; the run is bounded from the moment the job left it."""

    start_by: datetime
    run_for: timedelta

    def next_after(self, left_queue_at: datetime | None) -> datetime:
        return self.start_by if left_queue_at is None else left_queue_at + self.run_for


def events_expected(earlier: Sequence[EarlierJob]) -> bool:
    """Say whether a status event will tell of the end: as for three of four earlier jobs; without any, it will."""
    return sum(job.told_by_event for job in earlier) * 4 >= len(earlier) * 3


def first_look(earlier: Sequence[EarlierJob]) -> float | None:
    """Say when to look at a job first, in seconds from leaving the queue; None without earlier jobs.

    Where events tell of the end, the poll only insures against a lost one: it comes a little after the longest of the
    earlier jobs. Where no events come, polls are what finds the end. The first comes when the shortest third of the
    earlier jobs would have ended, and those that took about as long: builds that hardly vary are found by one poll.
    """
    if not earlier:
        return None
    durations = sorted(job.seconds for job in earlier)
    if events_expected(earlier):
        return durations[-1] * 1.08 + 1
    short = durations[math.ceil(len(durations) * 0.3) - 1]
    return max(seconds for seconds in durations if seconds <= short + max(short * 0.1, 7)) * 1.02 + 1


def wait_seconds(
    earlier: Sequence[EarlierJob],
    *,
    queued: timedelta,
    running: timedelta | None,
    polls: int,
    until_deadline: timedelta,
    end_was_told: bool = False,
    sends_events: bool = True,
) -> int:
    """Say how many whole seconds (at least 1) to wait for the next change before asking again.

    `earlier` are the last jobs of the same app and branch, `queued` is how long ago this one was started, `running` how
    long it has been out of the queue (None while it is in it), `polls` how often Amplify was asked already,
    `until_deadline` what is left until the job counts as timed out. `end_was_told`: an event told of the end already,
    which Amplify's answer does not show yet. `sends_events` is False of jobs that live by polls alone.
    """
    first = first_look(earlier)
    ran = max(running.total_seconds(), 0) if running is not None else 0
    in_queue = max(queued.total_seconds(), 0) if running is None else 0
    elapsed = ran + in_queue
    if not sends_events:
        wait = _wait_without_events(first, elapsed, polls)
        return max(1, math.ceil(min(wait, until_deadline.total_seconds())))
    if first is not None and ran < first and not end_was_told:
        # In a long queue, quick jobs too are asked for seldom: an execution's history has room for 25,000 events.
        wait = max(first - ran, in_queue / 10)
    elif first is None and not end_was_told:
        wait = FIRST_WAIT_WITH_EVENTS.total_seconds() + elapsed * _GROWTH_OF_FIRST_WAITS
    elif events_expected(earlier) and not end_was_told:
        wait = elapsed / 4
    else:
        # A tenth of the time that has passed keeps the mean delay at a twentieth, however long the job turns out.
        wait = elapsed / 10
    wait = max(wait, SHORTEST_WAIT.total_seconds())
    return max(1, math.ceil(min(wait, until_deadline.total_seconds())))


def _wait_without_events(first: float | None, elapsed: float, polls: int) -> float:
    """A first look at once, which finds what fails at once; the next where such jobs ended; then growing waits."""
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


def left_queue(state: JobState, known: datetime | None, now: datetime) -> datetime | None:
    """Say when the job left Amplify's queue: as recorded, else as its steps tell, else now that it is seen running.

    None while it is queued, and for a job that is seen only at its end and does not tell: a guess would become a
    duration that the next jobs are measured by.
    """
    if known is not None or state.state is State.WAITING:
        return known
    return state.left_queue_at or (now if state.state is State.RUNNING else None)
