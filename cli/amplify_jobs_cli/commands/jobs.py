"""`amplify-jobs jobs` and `branches`: lists jobs, shows one with its story and log, stops and retries one."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import Any

from amplify_jobs.indexing.answers import LogText
from amplify_jobs_cli.commands.arguments import add_command, add_group, add_json, add_stack, limit
from amplify_jobs_cli.commands.selecting import add_selection, jobs_client, selection
from amplify_jobs_cli.commands.waiting import add_patience, add_waits, wait_for
from amplify_jobs_cli.jobs.lists import BRANCH_COLUMNS, REQUEST_COLUMNS, branch_rows, request_rows
from amplify_jobs_cli.jobs.selection import find_request
from amplify_jobs_cli.jobs.story import put_story
from amplify_jobs_cli.output.log import LogMarker
from amplify_jobs_cli.output.screen import put, put_json, put_table, screen

_STATES = ("running", "waiting", "finished")
_LOG_POLL_SECONDS = 2
_EXAMPLES = """\
amplify-jobs jobs --state running
amplify-jobs jobs show --app web --branch main
amplify-jobs jobs logs --app web --branch main --failed
amplify-jobs jobs wait --repository acme/web --commit 4f2c1e0
amplify-jobs jobs stop REQUEST_ID"""


def add_jobs(commands: Any) -> None:
    """Add the commands and their options."""
    group = add_group(commands, "jobs", "list, show, wait for, stop and retry jobs", _EXAMPLES)
    listing = add_command(group, "list", list_jobs, "amplify-jobs jobs --state running\namplify-jobs jobs --app web")
    _add_filters(listing)
    showing = add_command(group, "show", show_job, "amplify-jobs jobs show --app web --branch main --job 17")
    logs = add_command(group, "logs", show_log, "amplify-jobs jobs logs --app web --branch main --follow")
    logs.add_argument("--step", metavar="STEP", help="BUILD, DEPLOY or VERIFY (default: the one that failed, or BUILD)")
    logs.add_argument("--follow", action="store_true", help="go on until the step has ended")
    logs.add_argument("--failed", action="store_true", help="only the lines that show the cause")
    add_waits(group)
    stop = add_command(group, "stop", stop_job, "amplify-jobs jobs stop --app web --branch main")
    retry = add_command(group, "retry", retry_job, "amplify-jobs jobs retry --app web --branch main --wait")
    for command in (stop, retry):
        command.add_argument("--reason", metavar="TEXT", help="why; announcements repeat it")
    add_patience(retry)
    retry.add_argument("--wait", action="store_true", help="wait for its end, as jobs wait does")
    for command in (showing, logs, stop, retry):
        add_selection(command)
    branches = add_command(commands, "branches", list_branches, "amplify-jobs branches --app web")
    branches.add_argument("--app", metavar="APP", help="only of this app; its id or name")
    branches.add_argument("--branch", metavar="BRANCH", help="only branches of this name")
    for command in (listing, showing, logs, stop, retry, branches):
        add_stack(command)
        add_json(command)


def _add_filters(command: argparse.ArgumentParser) -> None:
    command.add_argument("--app", metavar="APP", help="only of this app; its id or name")
    command.add_argument("--branch", metavar="BRANCH", help="only of this branch")
    command.add_argument("--repository", metavar="NAME", help="only of this repository, like acme/web")
    command.add_argument("--commit", metavar="SHA", help="only of this commit")
    command.add_argument("--route", metavar="ROUTE", help="only those that this route made")
    command.add_argument("--state", choices=_STATES, help="running, waiting for their start, or finished")
    command.add_argument("--limit", metavar="N", type=limit, default=20, help="how many at most (default: 20)")


def list_jobs(options: argparse.Namespace) -> None:
    """List jobs of all apps, newest first."""
    names = ("app", "branch", "repository", "commit", "route", "state")
    requests = jobs_client(options).requests({name: getattr(options, name) for name in names}, options.limit)
    if options.json:
        put_json({"requests": requests})
        return
    put_table(screen(), REQUEST_COLUMNS, request_rows(requests, datetime.now(UTC)), "There are no such jobs.")


def show_job(options: argparse.Namespace) -> None:
    """Show a job: what triggered it, how it went, why it failed, who was told."""
    client = jobs_client(options)
    story = client.request(find_request(client, selection(options)))
    if options.json:
        put_json(story)
        return
    put_story(screen(), story, datetime.now(UTC))


def show_log(options: argparse.Namespace) -> None:
    """Show the log of a job's step."""
    client, console = jobs_client(options), screen()
    request_id = find_request(client, selection(options))
    marker = LogMarker(only_failing=options.failed)
    offset = 0
    texts: list[str] = []
    while True:
        part = client.log(request_id, options.step, offset)
        if options.json:
            texts.append(part.text)
        else:
            for line in marker.lines(part):
                put(console, line)
            sys.stdout.flush()
        if part.complete or (not part.text and not options.follow):
            break
        if not part.text:
            time.sleep(_LOG_POLL_SECONDS)
        offset = part.offset
    if options.json:
        put_json({"requestId": request_id, **_log_members(part, "".join(texts))})
        return
    for line in marker.rest():
        put(console, line)


def stop_job(options: argparse.Namespace) -> None:
    """Stop a job that waits or runs."""
    client = jobs_client(options)
    request_id = find_request(client, selection(options), is_open=True)
    client.order(request_id, "stop", options.reason)
    if options.json:
        put_json({"requestId": request_id})
        return
    put(screen(), f"{request_id} is told to stop. Its end is announced as CANCELLED.")


def retry_job(options: argparse.Namespace) -> int:
    """Make the same request again, with the route as it is now."""
    client = jobs_client(options)
    request_id = client.order(find_request(client, selection(options)), "retry", options.reason)
    return wait_for(client, request_id, options)


def list_branches(options: argparse.Namespace) -> None:
    """Show which commit is live on each branch, and how its last job ended."""
    branches = [
        branch
        for branch in jobs_client(options).branches()
        if options.app in (None, branch.app_id, branch.app_name) and options.branch in (None, branch.branch_name)
    ]
    if options.json:
        put_json({"branches": branches})
        return
    put_table(screen(), BRANCH_COLUMNS, branch_rows(branches, datetime.now(UTC)), "No job was followed there yet.")


def _log_members(part: LogText, text: str) -> dict[str, Any]:
    return {"step": part.step, "text": text, "complete": part.complete, "failingLines": part.failing_lines}
