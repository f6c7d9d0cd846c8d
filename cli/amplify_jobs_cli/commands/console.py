"""`amplify-jobs console`: pages about the stack in a browser of this machine, read with the user's own credentials."""

from __future__ import annotations

import argparse
import shlex
import webbrowser
from typing import TYPE_CHECKING, Any

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs_cli.commands.arguments import add_command, add_stack, find_stack
from amplify_jobs_cli.console_api import ConsoleApi
from amplify_jobs_cli.output.screen import put, screen
from amplify_jobs_cli.stack import DEFAULT_STACK

if TYPE_CHECKING:
    from amplify_jobs_console.serving import ConsoleServer


class PortInUseError(AmplifyJobsError):
    """Another program listens at the port."""


def add_console(commands: Any) -> None:
    """Add the command and its options."""
    examples = "amplify-jobs console\namplify-jobs console --open --stack web --profile team"
    command = add_command(commands, "console", serve_console, examples)
    command.add_argument("--port", type=_port, default=0, metavar="N", help="the port (default: any free one)")
    command.add_argument("--open", action="store_true", help="open the browser too")
    add_stack(command)


def serve_console(options: argparse.Namespace) -> None:
    """Show jobs, deliveries and routes in a browser of this machine, until Ctrl-C."""
    server = _server(options)
    try:
        put(screen(), f"Console of {options.stack}: {server.address}")
        put(screen(), "Only who has this address comes in. Ctrl-C ends.")
        if options.open:
            webbrowser.open(server.address)
        server.serve_forever()
    except KeyboardInterrupt:
        # The ordinary end.
        put(screen(), "Stopped.")
    finally:
        server.server_close()
        server.console.close()


def _server(options: argparse.Namespace) -> ConsoleServer:
    # Templates and their engine: no other command needs them.
    from amplify_jobs_console.console import Console  # noqa: PLC0415
    from amplify_jobs_console.place import Place  # noqa: PLC0415
    from amplify_jobs_console.serving import ConsoleServer  # noqa: PLC0415

    stack = find_stack(options)
    detail = f"{stack.region}, {stack.api_url}"
    place = Place(options.stack, detail=detail, options=_as_options(options), api_url=stack.api_url)
    console = Console(ConsoleApi(stack.jobs_api()), place)
    try:
        return ConsoleServer(console, options.port)
    except OSError as error:
        console.close()
        reason = error.strerror or str(error)
        raise PortInUseError(f"port {options.port} can't be used: {reason}; choose another with --port") from None


def _as_options(options: argparse.Namespace) -> str:
    """What a command needs to be about the same stack in another terminal."""
    answers = {
        "--stack": options.stack if options.stack != DEFAULT_STACK else None,
        "--profile": options.profile,
        "--region": options.region,
    }
    return shlex.join(word for name, value in answers.items() if value for word in (name, value))


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a number up to 65535")
    return int(text)
