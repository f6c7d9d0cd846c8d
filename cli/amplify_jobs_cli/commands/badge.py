"""`amplify-jobs badge`: the address of a branch's badge, and what to write into a page to show it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.text import without_controls
from amplify_jobs_cli.commands.arguments import add_command, add_json, add_stack, find_stack
from amplify_jobs_cli.jobs.client import JobsClient
from amplify_jobs_cli.output.screen import LABEL_WIDTH, put, put_json, screen
from amplify_jobs_console.badge import make_badge


class NoBadgeError(AmplifyJobsError):
    """The branch has no badge; the message says why."""


def add_badge(commands: Any) -> None:
    """Add the command and its options."""
    command = add_command(commands, "badge", show_badge, "amplify-jobs badge web main")
    command.add_argument("app", metavar="APP", help="the app's id or name")
    command.add_argument("branch", metavar="BRANCH", help="the branch's name")
    add_stack(command)
    add_json(command)


def show_badge(options: argparse.Namespace) -> None:
    """Print the address of a branch's badge, and the Markdown that shows it."""
    stack = find_stack(options)
    branch = JobsClient(stack.jobs_api()).branch(options.app, options.branch)
    if branch is None:
        place = f"the branch {options.branch} of the app {options.app}"
        raise NoBadgeError(f"no job of {place} was followed yet; amplify-jobs branches lists those that have one")
    if branch.badge is None:
        advice = "deploy the stack with the parameter BadgeKey, a random text of 32 characters or more"
        raise NoBadgeError(f"badges are switched off; {advice}")
    badge = make_badge(stack.api_url, branch.badge, f"{branch.app_name or branch.app_id} {branch.branch_name}")
    if options.json:
        put_json(asdict(badge))
        return
    for label, text in (("Image", badge.image), ("Shields.io", badge.shields), ("Markdown", badge.markdown)):
        put(screen(), f"{label:<{LABEL_WIDTH}}{without_controls(text)}")
