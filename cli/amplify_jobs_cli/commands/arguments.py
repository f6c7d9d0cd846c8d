"""What the commands have in common: how they are added to the parser, and the option --stack."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from amplify_jobs_cli.stack import DEFAULT_STACK

# Runs a command; the exit code is 0 where it is None.
Run = Callable[[argparse.Namespace], int | None]


def add_group(commands: Any, name: str, about: str) -> Any:
    """Add a name below which there are commands."""
    return commands.add_parser(name, help=about).add_subparsers(required=True, metavar="COMMAND")


def add_command(commands: Any, name: str, run: Run) -> argparse.ArgumentParser:
    """Add a command; its help is the docstring of the function that runs it."""
    about = (run.__doc__ or "").rstrip(".")
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=about[:1].lower() + about[1:], description=run.__doc__
    )
    command.set_defaults(run=run)
    return command


def add_stack(command: argparse.ArgumentParser) -> None:
    """Add --stack."""
    command.add_argument("--stack", default=DEFAULT_STACK, help=f"the stack's name (default: {DEFAULT_STACK})")


def add_json(command: argparse.ArgumentParser) -> None:
    """Add --json."""
    command.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
