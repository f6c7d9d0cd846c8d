"""The command line `amplify-jobs`: its parser, and how commands fail."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from amplify_jobs.errors import AmplifyJobsError, InvalidRoutesError
from amplify_jobs_cli.commands.arguments import with_default_command
from amplify_jobs_cli.commands.badge import add_badge
from amplify_jobs_cli.commands.completion import add_completion
from amplify_jobs_cli.commands.console import add_console
from amplify_jobs_cli.commands.deliveries import add_deliveries
from amplify_jobs_cli.commands.diagnose import add_diagnose
from amplify_jobs_cli.commands.doctor import add_doctor
from amplify_jobs_cli.commands.jobs import add_jobs
from amplify_jobs_cli.commands.reconcile import add_reconcile
from amplify_jobs_cli.commands.recovery import add_recovery
from amplify_jobs_cli.commands.reports import add_reports
from amplify_jobs_cli.commands.rollback import add_rollback
from amplify_jobs_cli.commands.routes import add_routes
from amplify_jobs_cli.commands.run import add_run

_EPILOG = """\
examples:
  amplify-jobs jobs --state running
  amplify-jobs jobs show --app web --branch main
  amplify-jobs run web --branch main --wait
  amplify-jobs deliveries --repository acme/web
  amplify-jobs routes push routes.yaml
  amplify-jobs doctor
  amplify-jobs console

environment:
  AMPLIFY_JOBS_STACK       the stack's name
  AWS_PROFILE, AWS_REGION  the account and Region, as for AWS's SDKs
  AWS_ENDPOINT_URL         http://127.0.0.1:4566 is the local cloud
  NO_COLOR                 if set, no colours

exit codes: 0 done, 1 something is wrong, 2 wrong call, 130 interrupted;
jobs wait has its own."""


class _Parser(argparse.ArgumentParser):
    """Shows the whole help where no command is given."""

    def error(self, message: str) -> NoReturn:
        if message.endswith("required: COMMAND"):
            self.print_help(sys.stderr)
            self.exit(2)
        super().error(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, 1 when something is wrong, 2 for a wrong call."""
    options = parser().parse_args(with_default_command(sys.argv[1:] if arguments is None else arguments))
    try:
        return options.run(options) or 0
    except InvalidRoutesError as invalid:
        for fault in invalid.faults:
            print(fault, file=sys.stderr)
        return 1
    except AmplifyJobsError as error:
        print(f"amplify-jobs: {' '.join(str(error).split())}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = _Parser(
        prog="amplify-jobs",
        description="Manage an amplify-jobs stack.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"amplify-jobs {version('amplify-jobs')}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        *(add_jobs, add_run, add_rollback, add_badge, add_deliveries, add_routes),
        *(add_reports, add_recovery, add_reconcile, add_diagnose, add_doctor, add_console),
    ):
        add(commands)
    add_completion(commands, top)
    return top
