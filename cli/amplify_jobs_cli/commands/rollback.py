"""`amplify-jobs rollback`: brings live again what was live on a branch before."""

from __future__ import annotations

import argparse
from typing import Any

from amplify_jobs_cli.commands.arguments import add_command, add_json, add_stack
from amplify_jobs_cli.commands.selecting import jobs_client
from amplify_jobs_cli.commands.waiting import add_patience, wait_for

_EXAMPLES = """\
amplify-jobs rollback web main --wait
amplify-jobs rollback web main --to 17 --reason "the shop shows no prices"

A mirrored route builds the commit of that job, and a deployment deploys the same
version of its artifact. An app that is connected to its Git host directly can't
go back: revert the change in Git and push."""


def add_rollback(commands: Any) -> None:
    """Add the command and its options."""
    rollback = add_command(commands, "rollback", roll_back, _EXAMPLES)
    rollback.add_argument("app", metavar="APP", help="the app's id or name")
    rollback.add_argument("branch", metavar="BRANCH", help="the branch of the app")
    rollback.add_argument("--to", metavar="JOB", help="the number of a job that succeeded (default: the one before)")
    rollback.add_argument("--reason", metavar="TEXT", help="why; announcements repeat it")
    rollback.add_argument("--wait", action="store_true", help="wait for its end, as jobs wait does")
    add_patience(rollback)
    add_stack(rollback)
    add_json(rollback)


def roll_back(options: argparse.Namespace) -> int:
    """Bring live again what was live on a branch before."""
    order = {"app": options.app, "branch": options.branch, "job": options.to, "reason": options.reason}
    client = jobs_client(options)
    return wait_for(client, client.roll_back({name: value for name, value in order.items() if value}), options)
