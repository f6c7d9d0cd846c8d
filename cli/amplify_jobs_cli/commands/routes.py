"""`amplify-jobs routes`: check, explain, push and show routes."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any

from amplify_jobs.errors import InvalidRoutesError, UnreadableDeliveryError
from amplify_jobs_cli.commands.arguments import add_command, add_group, add_json, add_stack, add_stack_name, find_stack
from amplify_jobs_cli.commands.files import read_file, read_routes_file
from amplify_jobs_cli.commands.routes_show import add_routes_show
from amplify_jobs_cli.explaining.explain import as_json, explain, lines
from amplify_jobs_cli.explaining.recorded_events import read_content
from amplify_jobs_cli.push.push_routes import PushOptions, push, summary
from amplify_jobs_cli.routes_file.load import CheckedRoutes, check_routes
from amplify_jobs_cli.text import count


def add_routes(commands: Any) -> None:
    """Add the commands and their options."""
    group = add_group(
        commands,
        "routes",
        "check, explain, push and show routes, which say which event starts which job",
    )
    check, explanation, pushing = (
        add_command(group, name, run)
        for name, run in (("check", check_file), ("explain", explain_event), ("push", push_file))
    )
    add_routes_show(group)
    for command in (check, explanation, pushing):
        command.add_argument("file", metavar="FILE", help="for example routes.yaml; - reads standard input")
    add_stack_name(check)
    add_stack_name(explanation)
    add_stack(pushing)
    add_json(check)
    check.add_argument("--strict", action="store_true", help="exit with 1 for warnings too")
    _add_event_options(explanation)
    add_json(explanation)
    pushing.add_argument("--dry-run", action="store_true", help="show what changes, and write nothing")
    pushing.add_argument("--yes", action="store_true", help="remove routes, sources and targets without asking")
    pushing.add_argument(
        "--no-lookup",
        dest="lookup",
        action="store_false",
        help="do not look up apps, branches, buckets and auto-build",
    )
    add_json(pushing)


def _add_event_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "event",
        metavar="EVENT",
        help="a file with the body that the git host sent, the answer to a delivery, one of its events, or an example "
        "of events/; - is standard input",
    )
    command.add_argument("--source", metavar="NAME", help="the source of the event, if the file does not name it")
    command.add_argument(
        "--header",
        metavar="'NAME: VALUE'",
        type=_header,
        action="append",
        default=[],
        help="a header that the body was sent with, like 'X-GitHub-Event: push'; as often as needed",
    )


def check_file(options: argparse.Namespace) -> int:
    """Check a routes file, and show every fault."""
    checked = check_routes(read_routes_file(options.file), options.stack)
    failed = checked.routes is None or bool(options.strict and checked.warnings)
    if options.json:
        _print_json(checked, options.file)
        return int(failed)
    _print_findings(checked, options.file)
    counts = [count(len(checked.faults), "fault")] if checked.faults else ["no faults"]
    counts += [count(len(checked.warnings), "warning")] if checked.warnings else []
    contents = [summary(checked.routes)] if checked.routes else []
    print(f"{options.file}: {', '.join((*contents, *counts))}.", file=sys.stderr if failed else sys.stdout)
    return int(failed)


def explain_event(options: argparse.Namespace) -> None:
    """Show which routes match a recorded event, which condition decided, and what they would request."""
    content = _read_event(options)
    checked = check_routes(read_routes_file(options.file), options.stack)
    if checked.routes is None:
        raise InvalidRoutesError([fault.text(options.file) for fault in checked.faults])
    _print_findings(checked, options.file)
    now = datetime.now(UTC)
    events = read_content(content, checked.routes, source=options.source, headers=dict(options.header))
    explanations = [(event, explain(checked.routes, event, now)) for event in events]
    if options.json:
        deliveries = [as_json(event, explanation) for event, explanation in explanations]
        print(json.dumps({"deliveries": deliveries}, indent=2, ensure_ascii=False))
        return
    for event, explanation in explanations:
        for line in lines(event, explanation):
            print(line)


def push_file(options: argparse.Namespace) -> int:
    """Check a routes file, show what changes, and write it to the stack."""
    checked = check_routes(read_routes_file(options.file), options.stack)
    if options.json and checked.routes is None:
        _print_json(checked, options.file)
        return 1
    if not options.json:
        _print_findings(checked, options.file)
    if checked.routes is None:
        return 1
    push_options = PushOptions(
        options.file,
        dry_run=options.dry_run,
        yes=options.yes,
        lookup=options.lookup,
        as_json=options.json,
        warnings=tuple(warning.as_json() for warning in checked.warnings),
    )
    push(checked.routes, find_stack(options), push_options)
    return 0


def _print_json(checked: CheckedRoutes, file: str) -> None:
    print(json.dumps({"file": file, **checked.as_json()}, indent=2, ensure_ascii=False))


def _print_findings(checked: CheckedRoutes, file: str) -> None:
    for finding in (*checked.faults, *checked.warnings):
        print(finding.text(file), file=sys.stderr)


def _read_event(options: argparse.Namespace) -> bytes:
    """Read the recorded event; - is standard input. Raises UnreadableDeliveryError."""
    if options.event == options.file == "-":
        raise UnreadableDeliveryError("- can't be both files; use a file for the routes or for the event")
    try:
        return read_file(options.event)
    except OSError as error:
        raise UnreadableDeliveryError(f"{options.event}: can't be read: {error.strerror}") from None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not a header; use one like 'X-GitHub-Event: push'")
    return name.strip(), value.strip()
