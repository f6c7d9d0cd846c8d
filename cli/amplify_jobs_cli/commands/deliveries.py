"""`amplify-jobs deliveries`: what git hosts delivered, and what each route decided on it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.indexing.deliveries import DeliveryStory
from amplify_jobs_cli.commands.arguments import add_command, add_group, add_json, add_stack, limit
from amplify_jobs_cli.commands.selecting import jobs_client
from amplify_jobs_cli.jobs.client import JobsClient
from amplify_jobs_cli.jobs.lists import DELIVERY_COLUMNS, delivery_rows
from amplify_jobs_cli.output import words
from amplify_jobs_cli.output.screen import labelled, put, put_json, put_table, screen

_EXAMPLES = """\
amplify-jobs deliveries --repository acme/web
amplify-jobs deliveries show --repository acme/web
amplify-jobs deliveries show --repository acme/web --commit 4f2c1e0"""
# So many of a repository are looked through for a commit or ref.
_MOST_LOOKED_THROUGH = 200


class NoSuchDeliveryError(AmplifyJobsError):
    """No delivery fits; the message says what was looked for."""


def add_deliveries(commands: Any) -> None:
    """Add the commands and their options."""
    group = add_group(commands, "deliveries", "what git hosts delivered, and what came of it", _EXAMPLES)
    listing = add_command(group, "list", list_deliveries, "amplify-jobs deliveries --repository acme/web")
    showing = add_command(group, "show", show_delivery, _EXAMPLES.partition("\n")[2])
    replay = add_command(group, "replay", replay_delivery)
    showing.add_argument("delivery_id", metavar="DELIVERY_ID", nargs="?", help="as lists and the git host show it")
    replay.add_argument("delivery_id", metavar="DELIVERY_ID", help="as lists and the git host show it")
    for command in (listing, showing):
        command.add_argument("--source", metavar="NAME", help="only of this source of routes.yaml")
        command.add_argument("--repository", metavar="NAME", help="only of this repository, like acme/web")
    showing.add_argument("--commit", metavar="SHA", help="the newest that tells of this commit")
    showing.add_argument("--branch", metavar="BRANCH", help="the newest that tells of this branch")
    listing.add_argument("--limit", metavar="N", type=limit, default=20, help="how many at most (default: 20)")
    for command in (listing, showing, replay):
        add_stack(command)
        add_json(command)


def list_deliveries(options: argparse.Namespace) -> None:
    """List deliveries, newest first, and what came of each."""
    filters = {"source": options.source, "repository": options.repository}
    deliveries = jobs_client(options).deliveries(filters, options.limit)
    if options.json:
        put_json({"deliveries": deliveries})
        return
    otherwise = "Nothing was delivered. The git host's page of the webhook shows its own attempts."
    put_table(screen(), DELIVERY_COLUMNS, delivery_rows(deliveries, datetime.now(UTC)), otherwise)


def show_delivery(options: argparse.Namespace) -> None:
    """Show a delivery, or the newest that fits, and what each route decided on it."""
    client = jobs_client(options)
    story = client.delivery(options.delivery_id or _newest(client, options))
    if options.json:
        put_json(story)
        return
    _put_delivery(screen(), story, datetime.now(UTC))


def replay_delivery(options: argparse.Namespace) -> None:
    """Have the routes decide on a delivery's events once more, as they are now."""
    answer = jobs_client(options).replay_delivery(options.delivery_id)
    if options.json:
        put_json(answer)
        return
    put(screen(), f"The events of {options.delivery_id} are processed again; amplify-jobs jobs shows what comes of it.")


def _newest(client: JobsClient, options: argparse.Namespace) -> str:
    filters = {"source": options.source, "repository": options.repository}
    for delivery in client.deliveries(filters, _MOST_LOOKED_THROUGH):
        is_commit = not options.commit or (delivery.commit or "").startswith(options.commit.lower())
        is_branch = not options.branch or delivery.ref in (options.branch, f"refs/heads/{options.branch}")
        if is_commit and is_branch:
            return delivery.delivery_id
    query = {**filters, "commit": options.commit, "branch": options.branch}
    names = ", ".join(f"{name} {value}" for name, value in query.items() if value)
    raise NoSuchDeliveryError(
        f"no delivery{f' of {names}' if names else ''} was received; look at the webhook's page at the git host, "
        "and at amplify-jobs doctor"
    )


def _put_delivery(console: Console, story: DeliveryStory, now: datetime) -> None:
    about = " ".join(part for part in (words.words(story.kind), story.repository, story.ref) if part)
    put(console, Text(f"{about} {words.short(story.commit)}".strip(), "bold"))
    labelled(console, "Received", f"{words.local_time(story.received_at)}, {words.ago(story.received_at, now)}")
    labelled(console, "From", f"{story.source} ({story.provider})" if story.provider else story.source)
    labelled(console, "Result", story.summary)
    for decision in story.decisions:
        word, style = ("matched", "green") if decision.matched else ("not built", "yellow")
        put(console, Text.assemble("  ", (decision.route or "no route", "bold"), ": ", (word, style)))
        labelled(console, "", decision.reason)
        labelled(console, "", f"request {decision.request_id}" if decision.request_id else None)
    labelled(console, "Delivery", story.delivery_id)
