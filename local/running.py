"""Starts the local cloud and keeps it up until it is told to stop, for `python -m local`.

LOCAL_AWS_PORT and LOCAL_HTTP_PORT name other ports than 4566 and 3000; LOCAL_HOST an address of this machine to listen
at besides 127.0.0.1, or `docker` for that at which containers find it (docs/sam-local.md says whom that lets in).
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import signal
import sys
import threading
from pathlib import Path

from local.cloud import CloudSettings, LocalCloud
from local.console import BASE
from local.permissions.authorization import NOT_EVALUATED
from local.server.callers import DOCKER_NAME
from local.server.docker import bridge_address
from local.server.http_server import LOOPBACK, PortOccupiedError
from local.server.ports import ports
from local.services.moto import ACCOUNT
from local.state_folder import FolderInUseError, claimed_folder, free_folder
from local.template.loader import Pseudo, Template, TemplateError
from local.template.resources import left_out

PROJECT = Path(__file__).parent.parent
STATE = PROJECT / ".local" / "cloud"
# What the resources are does not depend on where they are.
REGION, STACK_NAME = "eu-west-1", "amplify-jobs"
LIST_LEFT_OUT = ".venv/bin/python -m local --left-out"


def main() -> int:
    """Run until SIGINT or SIGTERM; 0 after a clean stop, 1 with one line of error if it can't start."""
    arguments = _arguments()
    if arguments.left_out:
        return show_left_out(arguments.template)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # Most of what start-up makes are service models, which stay: to look for garbage among them takes a third of it.
    gc.disable()
    try:
        aws_port, http_port = ports()
        also_at, names = callers_of()
        # Only a folder that somebody chose must be that one.
        folder = claimed_folder(arguments.state_dir) if arguments.state_dir else free_folder(STATE)
        with (
            folder as state_dir,
            LocalCloud(
                arguments.template,
                CloudSettings(
                    aws_port=aws_port,
                    http_port=http_port,
                    also_at=also_at,
                    names=names,
                    parameters=_parameters(arguments.parameter),
                    state_dir=state_dir,
                    show=_print,
                ),
            ) as cloud,
        ):
            cloud.functions.load_packages()
            gc.freeze()
            # At the default, 200 executions at once spend a third of their time in looking for garbage.
            gc.set_threshold(100_000, 20, 20)
            gc.enable()
            _print(f"AWS endpoint  {cloud.endpoint_url}")
            _print(f"HTTP API      {cloud.api_url}")
            _print(f"console       {cloud.endpoint_url}{BASE}/")
            if also_at != LOOPBACK:
                _print(f"both also at  {also_at}")
            for route in cloud.http_api.route_keys:
                _print(f"              {route}")
            _print(f"function logs {cloud.state_dir / 'logs'}")
            roles = cloud.authorization.roles
            _print(f"policies      of {len(roles.all())} roles are enforced, by identity-based policies alone")
            for role, texts in roles.not_evaluated().items():
                _print(f"              not evaluated in {role}: {', '.join(texts)}")
            _print(f"left out      {len(cloud.left_out)} resources and some policies; to list them: {LIST_LEFT_OUT}")
            _print("ready")
            stop.wait()
    except PortOccupiedError as error:
        print(f"local cloud: {error}; set LOCAL_AWS_PORT or LOCAL_HTTP_PORT to another", file=sys.stderr)  # noqa: T201
        return 1
    except FolderInUseError as error:
        print(f"local cloud: {error}; give another with --state-dir", file=sys.stderr)  # noqa: T201
        return 1
    except (TemplateError, ValueError) as error:
        print(f"local cloud: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def show_left_out(template: Path) -> int:
    """List what the local cloud leaves out of a template, and what it never evaluates, without running it."""
    try:
        left = left_out(Template(template, {}, Pseudo(ACCOUNT, REGION, STACK_NAME)))
    except TemplateError as error:
        print(f"local cloud: {error}", file=sys.stderr)  # noqa: T201
        return 1
    for resource in left:
        _print(f"{resource.logical_id} ({resource.type}): {resource.reason}")
    for text in NOT_EVALUATED:
        _print(f"not evaluated: {text}")
    return 0


def callers_of() -> tuple[str, tuple[str, ...]]:
    """The address of LOCAL_HOST, and the names under which those find it for whom it was set: containers, mostly."""
    host = os.environ.get("LOCAL_HOST")
    if not host:
        return LOOPBACK, ()
    if host != "docker":
        return host, (DOCKER_NAME, host)
    try:
        return bridge_address() or LOOPBACK, (DOCKER_NAME,)
    except ValueError as error:
        raise ValueError(f"LOCAL_HOST=docker: {error}") from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="Runs the project's template on this machine.")
    parser.add_argument("--template", type=Path, default=PROJECT / "template.yaml", help="another template")
    parser.add_argument(
        "--state-dir",
        type=Path,
        help="where logs and builds are kept (default: .local/cloud, .local/cloud-2 beside another local cloud, …)",
    )
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the template; repeatable"
    )
    parser.add_argument("--left-out", action="store_true", help="list what is left out on one machine, and end")
    return parser.parse_args()


def _parameters(texts: list[str]) -> dict[str, str]:
    for text in texts:
        if not re.match(r"\w+=", text):
            raise ValueError(f"--parameter takes NAME=VALUE, not {text!r}")
    return dict(text.split("=", 1) for text in texts)


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201
