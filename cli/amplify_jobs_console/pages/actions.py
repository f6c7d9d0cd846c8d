"""Which buttons a job and a branch have."""

from __future__ import annotations

from collections.abc import Sequence

from amplify_jobs_console.answers import RequestStory, RequestSummary
from amplify_jobs_console.pages.content import Action
from amplify_jobs_console.words import status_of

_RETRIED = frozenset({"failed", "timed-out", "cancelled", "rejected", "unknown"})
_START_DEPLOYMENT = "start_deployment"
_REMOVAL = "remove_preview"
# A deployment that was uploaded (jobId) is gone with its job.
_ADDRESSES = ("artifact", "sourceUrl")


def build_branch(last: RequestSummary | None, subject: str = "") -> Action | None:
    """The button that builds a branch as its last job was built; None if nothing says how, or a preview was to go."""
    if last is None or last.operation == _REMOVAL:
        return None
    # A route for pull requests takes values from one, which an order does not have.
    if last.route is None or last.trigger == "pull_request":
        return Action("Build again", "Make the same request again", ("jobs", last.request_id, "retry"), subject=subject)
    fields = (("route", last.route), ("branch", last.branch_name or ""))
    hint = f"Start a job by the route {last.route}"
    return Action("Build again", hint, ("start",), tuple(item for item in fields if item[1]), subject)


def job_actions(story: RequestStory, *, is_live: bool) -> Sequence[Action]:
    """The buttons of a job, the likeliest first."""
    status = status_of(story)
    orders = ("jobs", story.request_id)
    if not status.is_over:
        return [Action("Stop", "Stop this job; its end is announced as CANCELLED", (*orders, "stop"))]
    actions = []
    if status.name in _RETRIED:
        actions.append(Action("Retry", "Make the same request again, with the same parameters", (*orders, "retry")))
    build = build_branch(story)
    if build is not None and build.path == ("start",):
        actions.append(build)
    elif build is not None and status.name not in _RETRIED and not can_restore(story):
        actions.append(Action("Build again", "Make the same request again", (*orders, "retry")))
    if can_restore(story) and not is_live:
        hint = "Deploy what this job deployed again, so that it is live"
        actions.append(Action("Make live again", hint, (*orders, "retry")))
    if story.event is not None and story.event.kind != "request":
        actions.append(Action("Replay", "Process the event again, with the routes of today", (*orders, "replay")))
    return actions


def can_restore(story: RequestStory) -> bool:
    """Whether a job deployed something that can be deployed again.

    No build is so: Amplify builds the newest commit of a branch, whatever commit it is asked for.
    """
    is_deployment = story.operation == _START_DEPLOYMENT and status_of(story).name == "succeeded"
    return is_deployment and any((story.parameters or {}).get(name) for name in _ADDRESSES)
