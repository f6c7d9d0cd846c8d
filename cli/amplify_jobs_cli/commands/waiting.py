"""`amplify-jobs jobs wait` and `watch`: follow jobs to their end, and tell by the exit code how they ended."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from typing import Any

from rich.console import Console

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs_cli.commands.arguments import add_command, add_json, add_stack, duration
from amplify_jobs_cli.commands.selecting import add_selection, jobs_client, named_selection, selection
from amplify_jobs_cli.jobs.client import EVERYTHING, JobsClient
from amplify_jobs_cli.jobs.progress import LiveView, PlainView, Progress, View
from amplify_jobs_cli.jobs.selection import Selection
from amplify_jobs_cli.jobs.story import put_failure
from amplify_jobs_cli.jobs.waiting import Clock, Outcome, Patience, Result, Waiter
from amplify_jobs_cli.output.screen import is_live, labelled, put, put_json, screen

_WATCH_SECONDS = 3
# An execution lives up to 12.5 days.
_LONGEST_LIFE = timedelta(days=13)
_WAIT_EXAMPLES = """\
amplify-jobs jobs wait REQUEST_ID
amplify-jobs jobs wait --app web --branch main --timeout 30m
amplify-jobs jobs wait --repository acme/web --commit "$GITHUB_SHA"

exit codes: 0 succeeded, 1 failed or rejected, 2 wrong call or the stack can't be asked, 3 waiting timed out,
4 cancelled. Of several jobs of a commit, the worst counts."""


def add_waits(group: Any) -> None:
    """Add both commands and their options."""
    wait = add_command(group, "wait", wait_for_jobs, _WAIT_EXAMPLES)
    add_patience(wait)
    wait.add_argument("--allow-none", action="store_true", help="exit with 0 if no route wants the commit")
    watch = add_command(group, "watch", watch_jobs, "amplify-jobs jobs watch\namplify-jobs jobs watch --app web")
    for command in (wait, watch):
        add_selection(command)
        add_stack(command)
    add_json(wait)


def add_patience(command: argparse.ArgumentParser) -> None:
    """Add how long to wait."""
    command.add_argument(
        "--timeout", metavar="DURATION", type=duration, default=timedelta(hours=1), help="like 30m (default: 1h)"
    )
    command.add_argument(
        "--start-timeout",
        metavar="DURATION",
        type=duration,
        default=timedelta(minutes=10),
        help="how long until there must be a job (default: 10m)",
    )


def wait_for_jobs(options: argparse.Namespace) -> int:
    """Wait for a job's end, or for that of all jobs of a commit. The job need not exist yet."""
    chosen = selection(options)
    try:
        patience = Patience(options.timeout, options.start_timeout, options.allow_none)
        return _wait(jobs_client(options), chosen, patience, as_json=options.json)
    except AmplifyJobsError as error:
        # 1 says that the job failed, and nobody knows that.
        print(f"amplify-jobs: {' '.join(str(error).split())}", file=sys.stderr)
        return Outcome.NOT_ASKED


def wait_for(client: JobsClient, request_id: str, options: argparse.Namespace) -> int:
    """Say which request was made and, with --wait, wait for its end."""
    if options.wait:
        if not options.json:
            put(screen(), f"Requested {request_id}.")
        patience = Patience(options.timeout, options.start_timeout)
        return _wait(client, Selection(request_id), patience, as_json=options.json)
    if options.json:
        put_json({"requestId": request_id})
    else:
        put(screen(), f"Requested {request_id}. To follow it: amplify-jobs jobs wait {request_id}")
    return 0


def watch_jobs(options: argparse.Namespace) -> int:
    """Show live what runs and waits, or one job until it has ended."""
    client, console = jobs_client(options), screen()
    if named_selection(options) != Selection():
        return _wait(client, selection(options), Patience(_LONGEST_LIFE, _LONGEST_LIFE), as_json=False)
    view, clock = _view(console), Clock()
    try:
        while True:
            requests = [
                request for state in ("running", "waiting") for request in client.requests({"state": state}, EVERYTHING)
            ]
            if requests:
                view.show([Progress(request) for request in requests], clock.now())
            else:
                view.note("nothing runs or waits; Ctrl-C ends", clock.now())
            clock.sleep(_WATCH_SECONDS)
    finally:
        view.close()


def _wait(client: JobsClient, chosen: Selection, patience: Patience, *, as_json: bool) -> int:
    # What a program reads is on standard output alone.
    console = screen(sys.stderr) if as_json else screen()
    view = _view(console)
    try:
        result = Waiter(client, chosen, view, Clock()).wait(patience)
    finally:
        view.close()
    if as_json:
        put_json({"outcome": result.outcome.name, "text": result.text, "requests": result.requests})
    else:
        _put_result(console, client, result)
    return result.outcome


def _view(console: Console) -> View:
    return LiveView(console) if is_live(console) else PlainView(console)


def _put_result(console: Console, client: JobsClient, result: Result) -> None:
    """Say why, where it is not plain from the lines above."""
    if result.text:
        put(console, result.text)
    if result.outcome in (Outcome.SUCCEEDED, Outcome.TIMED_OUT):
        return
    for request in result.requests:
        if request.outcome != "SUCCEEDED":
            story = client.request(request.request_id)
            if story.failure is not None:
                put_failure(console, story.failure)
            labelled(console, "Reason", None if story.failure else story.reason)
            labelled(console, "Superseded", f"by {story.superseded_by}" if story.superseded_by else None)
            labelled(console, "More", f"amplify-jobs jobs show {request.request_id}")
