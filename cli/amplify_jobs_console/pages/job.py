"""The page of one job: how it ended and why, its steps and log, what triggered it, who was told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from amplify_jobs_console.answers import LogPart, Page, RequestStory, RequestSummary
from amplify_jobs_console.api import ApiError
from amplify_jobs_console.drawing import draw_history, draw_steps
from amplify_jobs_console.log_view import LogView, view_log
from amplify_jobs_console.pages.actions import job_actions
from amplify_jobs_console.pages.content import FAST_SECONDS, SLOW_SECONDS, Content
from amplify_jobs_console.pages.jobs import branch_jobs, live_commit
from amplify_jobs_console.place import Place
from amplify_jobs_console.reader import Problem, Reader, segment
from amplify_jobs_console.words import status_of

_HOSTING = frozenset({"start_job", "start_deployment"})
_ORDERS = {
    "start": "The request is accepted.",
    "retry": "The same request is accepted again.",
    "replay": "The event is processed again.",
    "stop": "The job is told to stop. It may take a moment, and some minutes for one that waits.",
}


def show_job(reader: Reader, place: Place, request_id: str, arguments: Mapping[str, str], now: datetime) -> Content:
    """Read and lay out a job. Raises ApiError."""
    order = _ORDERS.get(arguments.get("order", ""))
    try:
        story = reader.get(RequestStory, f"/requests/{segment(request_id)}")
    except ApiError as error:
        if error.status == 404 and order is not None:
            return _just_accepted(request_id)
        raise
    status = status_of(story)
    has_log = story.operation in _HOSTING and story.job_id is not None
    log = reader.later(lambda: reader.log(request_id, story.attempts or 1)) if has_log else None
    history = _history(reader, story)
    shown_log = _view(log(), show_all=arguments.get("log") == "all") if log else None
    is_live = isinstance(history, Page) and getattr(live_commit(history), "request_id", None) == request_id
    return Content(
        "job.html.j2",
        {
            "story": story,
            "order": order,
            "actions": job_actions(story, is_live=is_live),
            "is_live_now": is_live,
            "bars": draw_steps(story.steps, now),
            "log": shown_log,
            "history": draw_history(history.items) if isinstance(history, Page) else history,
            "delivery_id": story.event.delivery_id if story.event else None,
            "commands": commands(place, request_id, is_over=status.is_over),
        },
        section="jobs",
        refresh_seconds=SLOW_SECONDS if status.is_over else FAST_SECONDS,
    )


def commands(place: Place, request_id: str, *, is_over: bool) -> list[str]:
    """What does the same in a terminal."""
    if is_over:
        return [place.shell("jobs", word, request_id) for word in ("show", "logs", "retry")]
    return [
        place.shell("jobs", "wait", request_id),
        place.shell("jobs", "logs", request_id, "--follow"),
        place.shell("jobs", "stop", request_id),
    ]


def _history(reader: Reader, story: RequestSummary) -> Page[RequestSummary] | Problem | None:
    if not story.app_id or not story.branch_name:
        return None
    app_id, branch_name = story.app_id, story.branch_name
    return reader.later(lambda: branch_jobs(reader, app_id, branch_name))()


def _view(log: LogPart | Problem, *, show_all: bool) -> LogView | Problem:
    if isinstance(log, Problem):
        return log
    return view_log(log.text, log.failing_lines, is_complete=log.complete, show_all=show_all)


def _just_accepted(request_id: str) -> Content:
    return Content(
        "message.html.j2",
        {
            "title": "The request is accepted",
            "detail": f"Request {request_id} is on its way; this page shows it as soon as the index has news of it.",
            "advice": None,
        },
        section="jobs",
        refresh_seconds=FAST_SECONDS,
    )
