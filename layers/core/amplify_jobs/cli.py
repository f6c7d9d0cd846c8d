"""The command line `amplify-jobs`: checks routes files, and pushes them to a stack."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from amplify_jobs.errors import AmplifyJobsError, InvalidRoutes
from amplify_jobs.routes import Routes
from amplify_jobs.routes_file import read_routes
from amplify_jobs.stack import Stack

DEFAULT_STACK = "amplify-jobs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, 1 when something is wrong, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    try:
        routes = read_routes(Path(options.file).read_bytes(), options.file, options.stack)
        if options.command == "push":
            push(routes, Stack.find(options.stack))
        else:
            print(f"{options.file}: {_summary(routes)}, no faults.")
    except InvalidRoutes as invalid:
        for fault in invalid.faults:
            print(fault, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{options.file}: can't be read: {error.strerror}", file=sys.stderr)
        return 1
    except AmplifyJobsError as error:
        print(f"amplify-jobs: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def push(routes: Routes, stack: Stack) -> None:
    """Store the routes, then say where each source delivers to and how its missing secrets are made."""
    version = stack.store_routes(routes.model_dump_json(by_alias=True).encode())
    print(
        f"Pushed {_summary(routes)} to s3://{stack.bucket}/{stack.routes_key}"
        + (f", version {version}." if version else ".")
    )
    missing = stack.missing_secrets(name for source in routes.sources.values() for name in source.secrets)
    for name, source in routes.sources.items():
        print(f"\n{name}: {stack.api_url}/webhooks/{name}")
        for secret in source.secrets:
            if secret in missing:
                print(f"  {secret} is missing. Create it, and show it to copy it to the host's webhook settings:")
                print("\n".join(f"    {command}" for command in _secret_commands(secret, stack.region)))


def _secret_commands(name: str, region: str) -> tuple[str, str]:
    """The shell makes the value, so that it stands in no history."""
    place = f"--name {shlex.quote(name)} --region {shlex.quote(region)}"
    return (
        f'aws ssm put-parameter --type SecureString {place} --value "$(openssl rand -hex 32)"',
        f"aws ssm get-parameter --with-decryption {place} --query Parameter.Value --output text",
    )


def _summary(routes: Routes) -> str:
    return f"{_count(len(routes.sources), 'source')} and {_count(len(routes.routes), 'route')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="amplify-jobs", description="Checks and pushes the routes of amplify-jobs.")
    routes = parser.add_subparsers(required=True, metavar="routes").add_parser("routes", help="the routes file")
    commands = routes.add_subparsers(dest="command", required=True, metavar="check | push")
    for name, what in (("check", "say what is wrong in a routes file"), ("push", "check it and put it into effect")):
        command = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        command.add_argument("file", metavar="FILE", help="for example routes.yaml")
        command.add_argument("--stack", default=DEFAULT_STACK, help=f"the stack's name (default: {DEFAULT_STACK})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
