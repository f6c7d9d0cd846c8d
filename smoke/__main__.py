"""Checks a deployed stack from the outside: `make smoke STACK=…`, or `python -m smoke --stack … [--json]`."""

from __future__ import annotations

import argparse
import json
import sys

from amplify_jobs_cli.stack import DEFAULT_STACK
from smoke.checks import check_stack
from smoke.findings import as_json, exit_code, lines


def main(arguments: list[str] | None = None) -> int:
    """Check a stack: 0 if all that can be shown holds, 1 if something does not, 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("--stack", default=DEFAULT_STACK, help=f"the stack's name ({DEFAULT_STACK})")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--patience", type=_seconds, default=120, help="seconds for the rejected request (120)")
    options = parser.parse_args(arguments)
    findings = check_stack(options.stack, options.patience)
    shown = [json.dumps(as_json(findings), indent=2)] if options.json else lines(findings)
    print("\n".join(shown))
    return exit_code(findings)


def _seconds(text: str) -> int:
    seconds = int(text)
    if not 1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("must be from 1 to 3600")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
