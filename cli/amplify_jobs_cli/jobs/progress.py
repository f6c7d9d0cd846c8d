"""How requests get on, as lines: drawn anew on a terminal, or one for each change in the log of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from amplify_jobs.announcing.text import duration
from amplify_jobs.indexing.answers import RequestSummary, StepState
from amplify_jobs.text import one_line
from amplify_jobs_cli.output import words
from amplify_jobs_cli.output.screen import put

_NOT_BEGUN = ("created", "pending")


@dataclass(frozen=True)
class Progress:
    """A request, and the steps of its job where they are known."""

    request: RequestSummary
    steps: tuple[StepState, ...] = ()


class View(Protocol):
    """Shows how requests get on."""

    def show(self, progresses: Sequence[Progress], now: datetime) -> None:
        """Show how things stand now."""
        ...

    def note(self, text: str, now: datetime) -> None:
        """Say something that is no state of a job."""
        ...

    def close(self) -> None:
        """Show no more."""
        ...


class PlainView:
    """A line with the time for each change."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[str, str] = {}

    def show(self, progresses: Sequence[Progress], now: datetime) -> None:
        """See View."""
        for progress in progresses:
            text = change(progress)
            if self._shown.get(progress.request.request_id) != text:
                self._shown[progress.request.request_id] = text
                self._put(text, now)

    def note(self, text: str, now: datetime) -> None:
        """See View."""
        if self._shown.get("") != text:
            self._shown[""] = text
            self._put(text, now)

    def close(self) -> None:
        """See View."""

    def _put(self, text: str, now: datetime) -> None:
        put(self._console, f"{words.clock(now)}  {one_line(text)}")
        self._console.file.flush()


class LiveView:
    """Requests and their steps, drawn anew each time."""

    def __init__(self, console: Console) -> None:
        self._note = ""
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def show(self, progresses: Sequence[Progress], now: datetime) -> None:
        """See View."""
        lines = [line for progress in progresses for line in live_lines(progress, now, with_steps=len(progresses) == 1)]
        self._draw(lines or [Text(self._note)])

    def note(self, text: str, now: datetime) -> None:  # noqa: ARG002 -- View's
        """See View."""
        self._note = one_line(text)
        self._draw([Text(self._note)])

    def close(self) -> None:
        """See View."""
        self._live.stop()

    def _draw(self, lines: Sequence[Text]) -> None:
        for line in lines:
            line.truncate(self._live.console.width, overflow="ellipsis")
        self._live.update(Group(*lines), refresh=True)


def title(request: RequestSummary) -> str:
    """The job in a few words: app, branch, number."""
    return " ".join(part for part in (words.place(request), words.job_number(request)) if part)


def change(progress: Progress) -> str:
    """How a request stands, without what changes every second."""
    request, word = progress.request, words.state_word(progress.request)
    after = f" after {words.took(request)}" if request.state.is_end and words.took(request) else ""
    step = next((step.name for step in progress.steps if words.words(step.status) == "running"), None)
    running = f", {step}" if step and not request.state.is_end else ""
    return f"{title(request)}: {word}{running}{after}"


def live_lines(progress: Progress, now: datetime, *, with_steps: bool) -> Iterator[Text]:
    """A request and its steps, with the time that each has taken so far."""
    request, word = progress.request, words.state_word(progress.request)
    since = None if request.state.is_end else request.started_at or request.requested_at
    lasting = words.took(request) or (_since(since, now) if since else "")
    about = " ".join(part for part in (words.short(request.commit), request.commit_message or request.reason) if part)
    yield Text.assemble((f"{word:<9}", f"bold {words.style_of(word)}"), f" {title(request)}  {lasting}")
    if about:
        yield Text(f"{'':<9} {one_line(about)}", "dim")
    if with_steps:
        yield from (step_line(step, now) for step in progress.steps)


def step_line(step: StepState, now: datetime) -> Text:
    """A step with how long it took, or has taken so far."""
    word = words.words(step.status)
    lasting = "" if step.started_at is None or word in _NOT_BEGUN else _since(step.started_at, step.ended_at or now)
    line = Text.assemble(f"  {step.name:<9}", (f"{word:<10}", words.style_of(word)), lasting)
    line.rstrip()
    return line


def _since(start: datetime, end: datetime) -> str:
    return duration(max(0, int((end - start).total_seconds())))
