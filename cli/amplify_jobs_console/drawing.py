"""The geometry of the two pictures: the steps of a job as a bar, and the durations of a branch's jobs as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from amplify_jobs_console.answers import RequestSummary, Step
from amplify_jobs_console.words import Status, duration, status_of, step_status

WIDTH = 1000
"""The width of a picture in its own units."""

HEIGHT = 100
_LEAST_HEIGHT = 4
_LEAST_SHARE = 0.04
_MOST_COLUMNS = 30
_LEAST_SLOTS = 12


@dataclass(frozen=True)
class Bar:
    """A rectangle of a picture, with what it stands for."""

    x: float
    y: float
    width: float
    height: float
    status: Status
    label: str
    seconds: float | None


@dataclass(frozen=True)
class History:
    """The columns of the durations, oldest first, the height of the median, and a sentence that says the same."""

    bars: Sequence[Bar]
    median_y: float | None
    summary: str


def seconds_of(step: Step, now: datetime) -> float | None:
    """How long a step took, or has taken so far; None for one that did not start."""
    if step.started_at is None:
        return None
    end = step.ended_at or (now if not step_status(step.status).is_over else step.started_at)
    return max(0.0, (end - step.started_at).total_seconds())


def draw_steps(steps: Sequence[Step], now: datetime) -> Sequence[Bar]:
    """Lay the steps side by side: each one as wide as its share of the time, and never too narrow to see."""
    lengths = [seconds_of(step, now) for step in steps]
    total = sum(length or 0.0 for length in lengths)
    shares = [max(_LEAST_SHARE, (length or 0.0) / total if total else 1 / len(steps)) for length in lengths]
    scale = WIDTH / sum(shares) if shares else 0.0
    bars, x = [], 0.0
    for step, length, share in zip(steps, lengths, shares, strict=True):
        status = step_status(step.status)
        label = f"{step.name}: {status.label}" + (f", {duration(length)}" if length is not None else "")
        bars.append(Bar(round(x, 2), 0, round(share * scale, 2), HEIGHT, status, label, length))
        x += share * scale
    return bars


def draw_history(requests: Sequence[RequestSummary]) -> History:
    """Draw the durations of a branch's jobs; `requests` are newest first, and those without a duration are left out."""
    timed = [(request, request.duration_seconds) for request in requests if request.duration_seconds is not None][
        :_MOST_COLUMNS
    ]
    timed.reverse()
    if not timed:
        return History((), None, "No job of this branch has ended yet.")
    lengths = [length for _, length in timed]
    longest = max(lengths) or 1.0
    slots = max(len(timed), _LEAST_SLOTS)
    pitch = WIDTH / slots
    bars = []
    for index, (request, length) in enumerate(timed, slots - len(timed)):
        height = max(_LEAST_HEIGHT, HEIGHT * length / longest)
        status = status_of(request)
        name = f"#{request.job_id}" if request.job_id else request.request_id
        label = f"{name}: {status.label}, {duration(length)}"
        x, width = round(index * pitch, 2), round(pitch * 0.7, 2)
        bars.append(Bar(x, round(HEIGHT - height, 2), width, round(height, 2), status, label, length))
    middle = median(lengths)
    failures = sum(bar.status.name != "succeeded" for bar in bars)
    jobs = "1 job" if len(bars) == 1 else f"{len(bars)} jobs"
    summary = f"Median {duration(middle)}, longest {duration(longest)}; {failures} of the last {jobs} did not succeed."
    return History(bars, round(HEIGHT - HEIGHT * middle / longest, 2), summary)
