"""What the commands have in common: how they are added to the parser, and the options that find the stack."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from amplify_jobs_cli.recovery.redrive import parse_duration
from amplify_jobs_cli.stack import DEFAULT_STACK, Stack

# Runs a command; the exit code is 0 where it is None.
Run = Callable[[argparse.Namespace], int | None]
# Group -> the command that is run where none is given.
DEFAULT_COMMANDS = {"jobs": "list", "deliveries": "list", "dead-letters": "list"}


def with_default_command(arguments: Sequence[str]) -> list[str]:
    """The arguments, with the group's own command where a group is called without one."""
    group, *rest = arguments or [""]
    is_bare = not rest or (rest[0].startswith("-") and rest[0] not in ("-h", "--help"))
    if group in DEFAULT_COMMANDS and is_bare:
        return [group, DEFAULT_COMMANDS[group], *rest]
    return list(arguments)


def add_group(commands: Any, name: str, about: str, examples: str = "") -> Any:
    """Add a name below which there are commands."""
    default = f" Without a command: {DEFAULT_COMMANDS[name]}." if name in DEFAULT_COMMANDS else ""
    description = f"{about[:1].upper()}{about[1:]}.{default}"
    group = commands.add_parser(name, help=about, description=description, **_epilog(examples))
    return group.add_subparsers(required=True, metavar="COMMAND")


def add_command(commands: Any, name: str, run: Run, examples: str = "") -> argparse.ArgumentParser:
    """Add a command; its help is the docstring of the function that runs it, and examples, one a line."""
    about = (run.__doc__ or "").rstrip(".")
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=about[:1].lower() + about[1:], description=run.__doc__, **_epilog(examples)
    )
    command.set_defaults(run=run)
    return command


def add_stack_name(command: argparse.ArgumentParser) -> None:
    """Add --stack, for commands that make no call."""
    name = os.environ.get("AMPLIFY_JOBS_STACK") or DEFAULT_STACK
    about = f"the stack's name (default: AMPLIFY_JOBS_STACK, or {DEFAULT_STACK})"
    command.add_argument("--stack", metavar="NAME", default=name, help=about)


def add_stack(command: argparse.ArgumentParser) -> None:
    """Add --stack, and which credentials and Region to use."""
    add_stack_name(command)
    command.add_argument("--profile", metavar="NAME", help="a profile of the AWS CLI (default: AWS_PROFILE)")
    command.add_argument(
        "--region", metavar="REGION", help="the stack's Region (default: AWS_REGION, or the profile's)"
    )


def find_stack(options: argparse.Namespace) -> Stack:
    """Find the stack that the options of add_stack name. Raises StackNotFoundError, ServiceTrouble."""
    return Stack.find(options.stack, profile=options.profile, region=options.region)


def add_json(command: argparse.ArgumentParser) -> None:
    """Add --json."""
    command.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def limit(text: str) -> int:
    """The number of a --limit."""
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000")
    return int(text)


def duration(text: str) -> timedelta:
    """The time of an option such as 30m."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _epilog(examples: str) -> dict[str, Any]:
    if not examples:
        return {}
    lines = "".join(f"\n  {line}" for line in examples.strip().splitlines())
    return {"epilog": f"examples:{lines}", "formatter_class": argparse.RawDescriptionHelpFormatter}
