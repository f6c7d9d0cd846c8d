"""`amplify-jobs reconcile`: look now for pushes whose delivery was lost, or show what would be found."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from amplify_jobs.routing.reconciled import reasons_against
from amplify_jobs.settings import names_in
from amplify_jobs_cli.commands.arguments import add_command, add_json, add_stack, find_stack
from amplify_jobs_cli.output.screen import put_json
from amplify_jobs_cli.recovery.reconcile import ReconcileResult, reconcile
from amplify_jobs_cli.reports.targets import routes_in_effect

_EXAMPLES = """\
amplify-jobs reconcile --dry-run
amplify-jobs reconcile --after 0"""
_LONGEST_MINUTES = 1440


def add_reconcile(commands: Any) -> None:
    """Add the command and its options."""
    command = add_command(commands, "reconcile", reconcile_now, _EXAMPLES)
    add_stack(command)
    command.add_argument("--dry-run", action="store_true", help="show what was missed, and ask for nothing")
    command.add_argument(
        "--after",
        metavar="MINUTES",
        type=minutes,
        default=5,
        help="how long a push may be known before its delivery counts as lost (default: 5)",
    )
    add_json(command)


def minutes(text: str) -> int:
    """The number of --after."""
    if not text.isdecimal() or int(text) > _LONGEST_MINUTES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes from 0 to {_LONGEST_MINUTES}")
    return int(text)


def reconcile_now(options: argparse.Namespace) -> int:
    """Ask git hosts now where their refs stand, and for the jobs of pushes whose delivery was lost."""
    stack = find_stack(options)
    order = {"dryRun": options.dry_run, "afterMinutes": options.after}
    result = reconcile(stack.session, stack.output("reconcileStateMachineArn"), order)
    left_out = reasons_against(routes_in_effect(stack), names_in(stack.output("reconcileRepositories")))
    if options.json:
        put_json({"stack": options.stack, **order, **asdict(result), "leftOut": left_out})
    else:
        for line in lines(result, left_out, dry_run=options.dry_run):
            print(line)
    return int(bool(result.unreached or result.errors))


def lines(result: ReconcileResult, left_out: Mapping[str, str], *, dry_run: bool) -> Iterator[str]:
    """What is told to people."""
    for push in result.pushes:
        note = f": {push['note']}" if "note" in push else ""
        yield f"Missed: {push['repository']} {push['ref']} {push['commit'][:12]} (source {push['source']}){note}"
    if len(result.pushes) < result.missed:
        yield f"… and {result.missed - len(result.pushes)} more"
    if result.redelivered:
        yield f"Failed deliveries that the host was asked for again: {result.redelivered}"
    for each in result.first:
        yield f"First look: {each['repository']} (source {each['source']}): nothing is built for what is there"
    for each in result.unreached:
        yield f"Not reached: {each['repository']} (source {each['source']}): {each['reason']}"
    for error in result.errors:
        yield f"A batch of repositories failed with {error}; the log of the function reconcile has the reason"
    for route, reason in left_out.items():
        yield f"Not looked at: route {route}: {reason}"
    if not result.repositories and not result.errors:
        yield "No repository to look at: no route for push names one that can be read."
        return
    end = "would be asked for" if dry_run else "asked for"
    waiting = f"pushes that may still be delivered: {result.waiting}"
    yield f"Repositories: {result.repositories}; refs: {result.refs}; {waiting}."
    yield f"Missed pushes {end}: {result.missed}."
