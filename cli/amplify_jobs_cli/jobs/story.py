"""Prints a request with its whole story."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import Console
from rich.text import Text

from amplify_jobs.indexing.answers import RequestStory
from amplify_jobs.model.failure import Failure
from amplify_jobs.text import indented, one_line, without_controls
from amplify_jobs_cli.jobs.progress import step_line, title
from amplify_jobs_cli.output import words
from amplify_jobs_cli.output.screen import labelled, put


def put_story(console: Console, story: RequestStory, now: datetime) -> None:
    """Print it: what it is, why it is, how it went, who was told."""
    word = words.state_word(story)
    put(console, Text.assemble((word, f"bold {words.style_of(word)}"), " ", (title(story), "bold")))
    for label, text in _facts(story, now):
        labelled(console, label, text)
    if story.failure is not None:
        put_failure(console, story.failure)
    if story.steps:
        put(console, Text("Steps", "bold"))
        for step in story.steps:
            put(console, step_line(step, now))
    if story.timeline:
        put(console, Text("Timeline", "bold"))
        for entry in story.timeline:
            labelled(console, f"  {words.clock(entry.time)}", one_line(entry.text))
    if story.reports:
        put(console, Text("Reports", "bold"))
        for report in story.reports:
            text = " ".join(part for part in (f"{report.target} ({report.kind}): {report.state}", report.text) if part)
            labelled(console, f"  {words.clock(report.at)}", one_line(text))
    labelled(console, "Site", story.links.site)
    labelled(console, "Console", story.links.console)
    if story.links.log:
        labelled(console, "Log", f"amplify-jobs jobs logs {story.request_id}")
    labelled(console, "Request", story.request_id)
    for note in story.notes:
        labelled(console, "Note", note)


def put_failure(console: Console, failure: Failure) -> None:
    """Print why a job failed, and what helps."""
    labelled(console, "Cause", failure.summary)
    labelled(console, "Advice", failure.advice)
    labelled(console, "Who", f"the {failure.who} can mend it" if failure.who else None)
    labelled(console, "Command", failure.command)
    for line in without_controls(failure.excerpt or "").splitlines():
        put(console, Text(f"    {line}", "red"))


def _facts(story: RequestStory, now: datetime) -> Iterator[tuple[str, str | None]]:
    commit = " ".join(part for part in (words.short(story.commit), words.first_line(story.commit_message)) if part)
    yield "Commit", f"{commit}, by {story.author}" if commit and story.author else commit
    if story.commit_built and story.commit_built != story.commit:
        yield "Built", f"{words.short(story.commit_built)}, the newest commit of the branch when the job ran"
    yield "Trigger", _trigger(story)
    yield "Reason", indented(story.reason) if story.reason and story.failure is None else None
    if story.requested_at is not None:
        yield "Requested", f"{words.local_time(story.requested_at)}, {words.ago(story.requested_at, now)}"
    attempts = f", {story.attempts} attempts" if (story.attempts or 1) > 1 else ""
    yield "Took", f"{words.took(story)}{attempts}" if words.took(story) else None
    yield "Superseded", f"by {story.superseded_by}" if story.superseded_by else None
    yield "Supersedes", story.supersedes
    for warning in story.warnings:
        yield "Warning", warning


def _trigger(story: RequestStory) -> str:
    parts = (
        words.words(story.trigger) if story.trigger else None,
        f"of {story.repository}" if story.repository else None,
        (story.ref or "").removeprefix("refs/heads/").replace("refs/tags/", "tag ") or None,
        f"by {story.pusher}" if story.pusher else None,
    )
    text = " ".join(part for part in parts if part)
    return f"{text}, route {story.route}" if story.route else text
