"""`amplify-jobs run`: asks for a job, by a route or by an operation."""

from __future__ import annotations

import argparse
import json
from typing import Any

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.operations import Operation
from amplify_jobs_cli.commands.arguments import add_command, add_json, add_stack
from amplify_jobs_cli.commands.files import read_file
from amplify_jobs_cli.commands.selecting import jobs_client
from amplify_jobs_cli.commands.waiting import add_patience, wait_for

_EXAMPLES = """\
amplify-jobs run web --branch main --wait
amplify-jobs run web --reason "the CMS has new texts"
amplify-jobs run --operation start_job --parameters parameters.json"""


def add_run(commands: Any) -> None:
    """Add the command and its options."""
    run = add_command(commands, "run", run_job, _EXAMPLES)
    run.add_argument("route", metavar="ROUTE", nargs="?", help="a route of routes.yaml; its conditions are not asked")
    run.add_argument("--branch", metavar="BRANCH", help="with ROUTE: the value {branch} of its parameters")
    run.add_argument("--commit", metavar="SHA", help="with ROUTE: the value {commit} of its parameters")
    run.add_argument("--operation", choices=[str(operation) for operation in Operation], help="instead of ROUTE")
    run.add_argument("--app", metavar="APP_ID", help="with --operation: appId, if the parameters do not name it")
    run.add_argument("--parameters", metavar="FILE", help="with --operation: JSON in the API's names; - reads stdin")
    run.add_argument("--reason", metavar="TEXT", help="why; announcements repeat it")
    run.add_argument("--wait", action="store_true", help="wait for its end, as jobs wait does")
    run.set_defaults(usage_error=run.error)
    add_patience(run)
    add_stack(run)
    add_json(run)


def run_job(options: argparse.Namespace) -> int:
    """Ask for a job, by a route or by an operation of Amplify."""
    order = _order(options)
    client = jobs_client(options)
    return wait_for(client, client.start(order), options)


def _order(options: argparse.Namespace) -> dict[str, Any]:
    if bool(options.route) == bool(options.operation):
        options.usage_error("say what to run: ROUTE, or --operation with --parameters")
    if options.route:
        if options.parameters or options.app:
            options.usage_error("--parameters and --app go with --operation; a route has its own")
        order = {"route": options.route, "branch": options.branch, "commit": options.commit}
    else:
        if options.branch or options.commit:
            options.usage_error("--branch and --commit go with ROUTE; write branchName into the parameters")
        parameters = _read_parameters(options.parameters) if options.parameters else {}
        app_id = options.app or parameters.get("appId") or parameters.get("AppId")
        order = {"operation": options.operation, "appId": app_id, "parameters": parameters}
    return {name: value for name, value in {**order, "reason": options.reason}.items() if value is not None}


def _read_parameters(file: str) -> dict[str, Any]:
    """Read the parameters of a request. Raises RequestRejected."""
    try:
        content = read_file(file)
        document = json.loads(content)
    except OSError as error:
        raise RequestRejected(f"{file}: can't be read: {error.strerror}") from None
    except ValueError as error:
        place = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise RequestRejected(f"{file}{place}: is not JSON; write the parameters as docs/jobs.md shows them") from None
    if not isinstance(document, dict):
        raise RequestRejected(f'{file}: is no JSON object; write one like {{"appId": "d1a2b3c4d5e6", …}}')
    return document
