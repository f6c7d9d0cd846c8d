"""The result card of a job: what an announcement tells, in a title and a few facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from amplify_jobs.announcing.text import duration
from demo.screen import Mark

_COMMIT_LENGTH = 7
_MOST_FILES = 6
_MARKS = {"SUCCEEDED": Mark.GOOD, "CANCELLED": Mark.NONE}


def mark_of(detail: Mapping[str, Any]) -> Mark:
    """How the end of a request is marked."""
    return _MARKS.get(detail["outcome"], Mark.BAD)


def title(detail: Mapping[str, Any]) -> tuple[str, ...]:
    """What happened, to which commit, and how long it took."""
    outcome = detail["outcome"].replace("_", " ").lower()
    commit = (detail.get("cause") or {}).get("commit") or ""
    message = (detail.get("cause") or {}).get("message") or ""
    subject = f"{commit[:_COMMIT_LENGTH]} {message.partition(chr(10))[0]}".strip()
    job = detail.get("job")
    if job is None:
        names = (detail.get("appName") or detail.get("appId"), detail.get("branchName"))
        return f"{' '.join(name for name in names if name) or 'request'} {outcome}", subject
    return f"{_job(job)} {outcome}", subject, _took(detail)


def facts(detail: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Label and text of each fact; the texts may be missing."""
    failure = detail.get("failure") or {}
    yield "Cause", failure.get("summary")
    yield "Advice", failure.get("advice")
    yield "Command", failure.get("command")
    yield "Log", failure.get("excerpt")
    if not failure:
        yield "Reason", detail.get("reason")
    files = (detail.get("results") or {}).get("files") or ()
    yield "Files", ", ".join(file.rpartition("/")[2] for file in files[:_MOST_FILES])
    links = detail.get("links") or {}
    yield "Page", links.get("console")
    # What is deployed there is an earlier job's, if this one failed.
    yield "Site", links.get("site") if detail["outcome"] == "SUCCEEDED" else None


def _job(job: Mapping[str, Any]) -> str:
    """The app, the branch or backend environment, and the number; only the jobs of a branch are counted."""
    number = f"#{job['jobId']}" if job["branchName"] else job["operation"]
    return f"{job['appName'] or job['appId']} {job['branchName'] or job['environmentName']} {number}"


def _took(detail: Mapping[str, Any]) -> str:
    began, ended = (detail["job"].get(name) for name in ("startedAt", "finishedAt"))
    if began and ended:
        seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
        if 0 <= seconds < 10:
            return f"{seconds:.1f} s"
    whole = detail.get("durationSeconds")
    return duration(whole) if whole is not None else ""


def started_line(job: Mapping[str, Any]) -> str:
    """The job that Amplify accepted, in one line."""
    return f"  {_job(job)} started"


def step_line(step: Mapping[str, Any]) -> str:
    """A step as GetJob shows it, in one line: one that never began has no time."""
    began, ended = step.get("startTime"), step.get("endTime")
    took = f"  {(ended - began).total_seconds():.1f} s" if began is not None and ended is not None else ""
    words = {"SUCCEED": "succeeded"}.get(step["status"], step["status"].lower())
    return f"  {step['stepName']:<7} {words:<10}{took}".rstrip()
