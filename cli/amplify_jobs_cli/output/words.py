"""States, outcomes and times in words, with the colour of each."""

from __future__ import annotations

from datetime import datetime, timedelta

from amplify_jobs.announcing.text import duration
from amplify_jobs.indexing.answers import RequestState, RequestSummary

COMMIT_LENGTH = 7

_STYLES = {
    "succeeded": "green",
    "succeed": "green",
    "running": "yellow",
    "waiting": "cyan",
    "failed": "red",
    "rejected": "red",
    "timed out": "red",
    "cancelled": "magenta",
    "unknown": "magenta",
}


def state_word(request: RequestSummary) -> str:
    """How a request stands, in one or two words: its outcome once it has one."""
    if request.outcome:
        return words(request.outcome)
    return {RequestState.RECEIVED: "waiting", RequestState.STARTED: "running"}.get(
        request.state, request.state.value.lower()
    )


def words(constant: str) -> str:
    """A constant of the API as people read it: TIMED_OUT is "timed out"."""
    return constant.replace("_", " ").lower()


def first_line(text: str | None) -> str:
    """The first line of a text that may be missing."""
    return (text or "").strip().partition("\n")[0]


def style_of(word: str) -> str:
    """The colour of a state; none for a word that is not known."""
    return _STYLES.get(word, "")


def place(request: RequestSummary) -> str:
    """The app and branch, or environment, of a request; what is known of them."""
    app = request.app_name or request.app_id
    branch = request.branch_name or request.environment_name
    return " ".join(part for part in (app, branch) if part) or request.route or "unknown app"


def job_number(request: RequestSummary) -> str:
    """The job as Amplify counts it: #17, or the whole id of a job that generates something."""
    if not request.job_id:
        return ""
    return f"#{int(request.job_id)}" if request.job_id.isdecimal() else request.job_id


def short(commit: str | None) -> str:
    """The first characters of a commit."""
    return (commit or "")[:COMMIT_LENGTH]


def took(request: RequestSummary) -> str:
    """How long the job took; nothing while it is unknown."""
    return "" if request.duration_seconds is None else duration(request.duration_seconds)


def ago(time: datetime | None, now: datetime) -> str:
    """How long ago something was: "12 min ago"; after two days its date."""
    if time is None:
        return ""
    seconds = max(0, int((now - time).total_seconds()))
    if seconds < 60:
        return "just now" if seconds < 2 else f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if now - time < timedelta(days=2):
        return f"{seconds // 3600} h ago"
    return f"{time.astimezone():%Y-%m-%d}"


def local_time(time: datetime | None) -> str:
    """A date and a time where the user is."""
    return "" if time is None else f"{time.astimezone():%Y-%m-%d %H:%M:%S %Z}".strip()


def clock(time: datetime) -> str:
    """The time of the day where the user is."""
    return f"{time.astimezone():%H:%M:%S}"
