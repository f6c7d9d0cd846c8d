"""How values are said: statuses, durations, ages, commits, kinds of events."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from amplify_jobs_console.answers import RequestSummary

# Escape sequences of terminals: colours, cursor moves, titles.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Controls, and marks that change the direction of text or are invisible: a name could look like another one.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHORT_COMMIT = 7


@dataclass(frozen=True)
class Status:
    """How a request stands: `name` is for the style sheet, `label` for people."""

    name: str
    label: str
    is_over: bool = True


RUNNING = Status("running", "Running", is_over=False)
WAITING = Status("waiting", "Waiting", is_over=False)
_ENDS = {
    "SUCCEEDED": Status("succeeded", "Succeeded"),
    "FAILED": Status("failed", "Failed"),
    "CANCELLED": Status("cancelled", "Cancelled"),
    "TIMED_OUT": Status("timed-out", "Timed out"),
    "REJECTED": Status("rejected", "Rejected"),
    "REMOVED": Status("succeeded", "Removed"),
    "KEPT": Status("succeeded", "Kept"),
    "UNKNOWN": Status("unknown", "Unknown"),
}
_STEP_STATUSES = {
    "SUCCEED": _ENDS["SUCCEEDED"],
    "SUCCEEDED": _ENDS["SUCCEEDED"],
    "FAILED": _ENDS["FAILED"],
    "RUNNING": RUNNING,
    "PROVISIONING": RUNNING,
    "CANCELLED": _ENDS["CANCELLED"],
    "CANCELLING": _ENDS["CANCELLED"],
    "PENDING": WAITING,
    "CREATED": WAITING,
}
_REPORT_STATES = {
    "sent": _ENDS["SUCCEEDED"],
    "unchanged": Status("succeeded", "Unchanged"),
    "outdated": Status("cancelled", "Outdated"),
    "refused": _ENDS["FAILED"],
    "stopped": _ENDS["FAILED"],
    "waiting": WAITING,
}
_KINDS = {
    "push": "push",
    "tag": "tag",
    "pull_request": "pull request",
    "release": "release",
    "schedule": "schedule",
    "object": "file in S3",
    "request": "request",
    "repository": "repository",
}
_FIXERS = {
    "author": "the author of the commit",
    "operator": "the operator of the app",
    "amplify": "AWS Amplify",
    "upstream": "a service that the build uses",
}


def status_of(request: RequestSummary) -> Status:
    """How a request stands, whether or not it has an outcome yet."""
    if request.outcome is not None:
        return _ENDS.get(request.outcome, Status("unknown", request.outcome))
    if request.state == "REJECTED":
        return _ENDS["REJECTED"]
    if request.state == "FINISHED":
        return _ENDS["UNKNOWN"]
    return RUNNING if request.state == "STARTED" else WAITING


def step_status(name: str | None) -> Status:
    """How a step stands, in Amplify's word for it."""
    return _STEP_STATUSES.get(name or "PENDING", Status("unknown", name or ""))


def report_status(state: str | None) -> Status:
    """How a report stands."""
    form = _REPORT_STATES.get(state or "")
    return Status(form.name, (state or "").capitalize()) if form else Status("unknown", state or "Unknown")


def kind_of_event(kind: str | None) -> str:
    """The name of a kind of event."""
    return _KINDS.get(kind or "", (kind or "").replace("_", " "))


def fixer(who: str | None) -> str | None:
    """Who can fix a failure."""
    return _FIXERS.get(who or "")


def clean(text: str) -> str:
    """A foreign text without terminal escapes, controls and marks of direction; lines and tabs stay."""
    return _INVISIBLE.sub("", _ESCAPES.sub("", unicodedata.normalize("NFC", text)))


def duration(seconds: float | None) -> str:
    """A duration: `0.6 s`, `42 s`, `1 min 12 s`, `1 h 03 min`. The script counts on in the same words."""
    if seconds is None:
        return ""
    if 0 < seconds < 1:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def age(time: datetime, now: datetime) -> str:
    """How long ago a time is, or how soon it will be. The script counts on in the same words."""
    seconds = int((now - time).total_seconds())
    if seconds < 0:
        return f"in {_length(-seconds)}"
    return "just now" if seconds < 5 else f"{_length(seconds)} ago"


def _length(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} d"


def short_commit(commit: str | None) -> str:
    """The first characters of a commit; other words, such as HEAD, stay."""
    commit = commit or ""
    return commit[:_SHORT_COMMIT] if _COMMIT.fullmatch(commit) else commit[:40]


def is_same_commit(left: str | None, right: str | None) -> bool:
    """Whether two names of commits can be of one commit: equal, or one is the beginning of the other."""
    if not left or not right or "HEAD" in (left, right):
        return True
    return left.startswith(right) or right.startswith(left)


def first_line(text: str | None) -> str:
    """The first line of a text that has something in it."""
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), "")


def short_ref(ref: str | None) -> str:
    """A branch or tag without `refs/heads/` or `refs/tags/`."""
    return (ref or "").removeprefix("refs/heads/").removeprefix("refs/tags/")


def title_of(request: RequestSummary) -> str:
    """What a job is about, in a line: the commit's message, the reason, or the operation."""
    return first_line(request.commit_message) or first_line(request.reason) or _operation(request.operation)


def _operation(operation: str | None) -> str:
    return (operation or "request").replace("_", " ").capitalize()


def place_of(request: RequestSummary) -> str:
    """App and branch (or environment) of a request."""
    names = (request.app_name or request.app_id, request.branch_name or request.environment_name)
    return " / ".join(name for name in names if name)
