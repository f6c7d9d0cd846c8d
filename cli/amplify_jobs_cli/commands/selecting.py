"""Options that say which request is meant."""

from __future__ import annotations

import argparse

from amplify_jobs_cli.commands.arguments import find_stack
from amplify_jobs_cli.jobs.client import JobsClient
from amplify_jobs_cli.jobs.selection import Selection


def add_selection(command: argparse.ArgumentParser) -> None:
    """Add REQUEST_ID and the options that stand for it."""
    command.add_argument(
        "request_id", metavar="REQUEST_ID", nargs="?", help="as answers to webhooks, announcements and lists show it"
    )
    command.add_argument("--app", metavar="APP", help="the newest of this app; its id or name")
    command.add_argument("--branch", metavar="BRANCH", help="the newest of this branch of the app")
    command.add_argument("--job", metavar="NUMBER", help="the job of that number of the branch")
    command.add_argument("--repository", metavar="NAME", help="of a push to this repository, like acme/web")
    command.add_argument("--commit", metavar="SHA", help="of a push of this commit")
    command.add_argument("--route", metavar="ROUTE", help="that this route made")
    command.set_defaults(usage_error=command.error)


def named_selection(options: argparse.Namespace) -> Selection:
    """What the options name, be it a selection that can be looked for or not."""
    return Selection(
        options.request_id,
        app=options.app,
        branch=options.branch,
        job=options.job,
        repository=options.repository,
        commit=options.commit,
        route=options.route,
    )


def selection(options: argparse.Namespace) -> Selection:
    """What the options mean; a wrong call ends the program."""
    chosen = named_selection(options)
    if (fault := chosen.fault()) is not None:
        options.usage_error(fault)
    return chosen


def jobs_client(options: argparse.Namespace) -> JobsClient:
    """The jobs API of the stack that the options name."""
    return JobsClient(find_stack(options).jobs_api())
