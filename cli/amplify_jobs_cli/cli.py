"""The command line `amplify-jobs`: pushes routes to a stack, and has things processed again."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from amplify_jobs.diagnosing.bounds import bounded
from amplify_jobs.diagnosing.diagnose import BUILD_TIMEOUT_MINUTES, diagnose
from amplify_jobs.diagnosing.diagnosis import StepLog
from amplify_jobs.errors import (
    AmplifyJobsError,
    InvalidRoutesError,
    RequestRejected,
    UnreadableDeliveryError,
    UnreadableLogError,
)
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.diagnosis import as_json as diagnosis_as_json
from amplify_jobs_cli.diagnosis import lines as diagnosis_lines
from amplify_jobs_cli.explain import as_json, explain, lines
from amplify_jobs_cli.push.push_routes import PushOptions, counted, push, summary
from amplify_jobs_cli.recorded_events import read_content
from amplify_jobs_cli.recovery.recover import DeadLetterMessage, Recovery
from amplify_jobs_cli.recovery.redrive import REDRIVABLE, FailedExecution, Redriven, duration, redrivable
from amplify_jobs_cli.routes_file.load import CheckedRoutes, check_routes
from amplify_jobs_cli.stack import Stack

DEFAULT_STACK = "amplify-jobs"
_EPILOG = """\
examples:
  amplify-jobs routes check routes.yaml
  amplify-jobs routes explain routes.yaml payload.json --source github
  amplify-jobs routes push routes.yaml
  amplify-jobs diagnose BUILD.txt

environment: AWS_PROFILE, AWS_REGION and the other variables of AWS's SDKs say which account and Region;
AWS_ENDPOINT_URL=http://127.0.0.1:4566 is the local cloud.
exit codes: 0 done, 1 something is wrong, 2 wrong call, 130 interrupted."""


class _Parser(argparse.ArgumentParser):
    """Shows the whole help where no command is given."""

    def error(self, message: str) -> NoReturn:
        if message.endswith("required: COMMAND"):
            self.print_help(sys.stderr)
            self.exit(2)
        super().error(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, 1 when something is wrong, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except InvalidRoutesError as invalid:
        for fault in invalid.faults:
            print(fault, file=sys.stderr)
        return 1
    except AmplifyJobsError as error:
        print(f"amplify-jobs: {' '.join(str(error).split())}", file=sys.stderr)
        return 1


def routes_check(options: argparse.Namespace) -> int:
    """Read a routes file and say whether it is right."""
    checked = check_routes(_content(options.file), options.stack)
    failed = checked.routes is None or (options.strict and checked.warnings)
    if options.json:
        _print_checked(checked, options.file)
        return int(bool(failed))
    _show_findings(checked, options.file)
    counts = [counted(len(checked.faults), "fault")] if checked.faults else ["no faults"]
    counts += [counted(len(checked.warnings), "warning")] if checked.warnings else []
    contents = [summary(checked.routes)] if checked.routes else []
    print(f"{options.file}: {', '.join((*contents, *counts))}.", file=sys.stderr if failed else sys.stdout)
    return int(bool(failed))


def routes_explain(options: argparse.Namespace) -> None:
    """Say for a recorded event which routes match, which condition decided, and what they would request."""
    content = _event_content(options)
    routes, now = _routes(options), datetime.now(UTC)
    deliveries = read_content(content, routes, source=options.source, headers=dict(options.header))
    found = [(recorded, explain(routes, recorded, now)) for recorded in deliveries]
    if options.json:
        content_as_json = {"deliveries": [as_json(recorded, explained) for recorded, explained in found]}
        print(json.dumps(content_as_json, indent=2, ensure_ascii=False))
        return
    for recorded, explained in found:
        for line in lines(recorded, explained):
            print(line)


def routes_push(options: argparse.Namespace) -> int:
    """Check a routes file, show what changes, and put it into effect."""
    checked = check_routes(_content(options.file), options.stack)
    if options.json and checked.routes is None:
        _print_checked(checked, options.file)
        return 1
    if not options.json:
        _show_findings(checked, options.file)
    if checked.routes is None:
        return 1
    how = PushOptions(
        options.file,
        dry_run=options.dry_run,
        yes=options.yes,
        lookup=options.lookup,
        as_json=options.json,
        warnings=tuple(warning.as_json() for warning in checked.warnings),
    )
    push(checked.routes, Stack.find(options.stack), how)
    return 0


def dead_letters_list(options: argparse.Namespace) -> None:
    """Say what waits in the dead-letter queue, and why."""
    waiting = Stack.find(options.stack).recovery().dead_letters()
    for one in waiting:
        print(f"{one.sent_at:%Y-%m-%d %H:%M:%S}  {_described(one)}")
    print(f"{counted(len(waiting), 'dead letter')}.")


def dead_letters_replay(options: argparse.Namespace) -> None:
    """Have everything in the dead-letter queue processed again; what can't be replayed stays there."""
    recovery = Stack.find(options.stack).recovery()
    waiting = recovery.dead_letters()
    for one in waiting:
        if one.letter is not None:
            recovery.process_again(one)
            print(f"Sent again: {_described(one)}")
    left = [one for one in waiting if one.letter is None]
    for one in left:
        print(f"Left in the queue: {_described(one)}")
    print(f"{counted(len(waiting) - len(left), 'dead letter')} sent again.")


def replay(options: argparse.Namespace) -> None:
    """Make the same request once more, as a new one."""
    print(f"Started {Stack.find(options.stack).recovery().request_again(options.request_id)}.")


def redrive(options: argparse.Namespace) -> int:
    """Set failed executions going again where they failed; those that somebody stopped are left out."""
    recovery = Stack.find(options.stack).recovery()
    stopped_too = options.aborted or options.request_id
    failed = recovery.failed_executions(("FAILED", "TIMED_OUT", "ABORTED") if stopped_too else ("FAILED", "TIMED_OUT"))
    named = [one for one in failed if not options.request_id or one.request_id in options.request_id]
    report = []
    for execution in redrivable(named, datetime.now(UTC), options.since):
        redriven = Redriven(execution, options.dry_run, None if options.dry_run else _refusal(recovery, execution))
        report.append(redriven)
        if not options.json:
            print(redriven.line(), flush=True)
    unknown = sorted(set(options.request_id) - {one.execution.request_id for one in report})
    refused = [one for one in report if one.reason is not None]
    if options.json:
        executions = [one.as_json() for one in report]
        content = {"stack": options.stack, "dryRun": options.dry_run, "executions": executions, "unknown": unknown}
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return int(bool(refused or unknown))
    for request_id in unknown:
        print(f"amplify-jobs: {request_id} has no failed execution that can be redriven", file=sys.stderr)
    done = counted(len(report) - len(refused), "execution")
    print(f"A dry run: {done} would be redriven." if options.dry_run else f"{done} redriven.")
    return int(bool(refused or unknown))


def _refusal(recovery: Recovery, execution: FailedExecution) -> str | None:
    """Redrive an execution; the answer says why Step Functions refuses it, if it does."""
    try:
        recovery.redrive(execution)
    except RequestRejected as rejected:
        return str(rejected)
    return None


def diagnose_log(options: argparse.Namespace) -> None:
    """Say why a build failed, by its log."""
    try:
        if options.file == "-":
            content = bounded(sys.stdin.buffer)
        else:
            with Path(options.file).open("rb") as file:
                content = bounded(file)
    except OSError as error:
        raise UnreadableLogError(f"{options.file}: can't be read: {error.strerror}") from None
    step = StepLog(
        "BUILD",
        content,
        status=options.status,
        status_reason=options.status_reason,
        duration_seconds=options.duration_seconds,
        log=None if options.file == "-" else options.file,
    )
    diagnosis = diagnose([step], build_timeout_minutes=options.build_timeout)
    if options.json:
        print(json.dumps(diagnosis_as_json(diagnosis), indent=2, ensure_ascii=False))
        return
    for line in diagnosis_lines(diagnosis):
        print(line)


def _routes(options: argparse.Namespace) -> Routes:
    """Read the routes file, and warn of what is allowed but rarely meant. Raises InvalidRoutesError."""
    checked = check_routes(_content(options.file), options.stack)
    if checked.routes is None:
        raise InvalidRoutesError([fault.text(options.file) for fault in checked.faults])
    _show_findings(checked, options.file)
    return checked.routes


def _print_checked(checked: CheckedRoutes, file: str) -> None:
    print(json.dumps({"file": file, **checked.as_json()}, indent=2, ensure_ascii=False))


def _show_findings(checked: CheckedRoutes, file: str) -> None:
    for finding in (*checked.faults, *checked.warnings):
        print(finding.text(file), file=sys.stderr)


def _content(file: str) -> bytes:
    """Read a routes file; - is standard input. Raises InvalidRoutesError."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise InvalidRoutesError([f"{file}: can't be read: {error.strerror}"]) from None


def _event_content(options: argparse.Namespace) -> bytes:
    """Read the recorded event; - is standard input. Raises UnreadableDeliveryError."""
    if options.event == options.file == "-":
        raise UnreadableDeliveryError("- can't be both files; use a file for the routes or for the event")
    try:
        return sys.stdin.buffer.read() if options.event == "-" else Path(options.event).read_bytes()
    except OSError as error:
        raise UnreadableDeliveryError(f"{options.event}: can't be read: {error.strerror}") from None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not a header; use one like 'X-GitHub-Event: push'")
    return name.strip(), value.strip()


def _described(one: DeadLetterMessage) -> str:
    if one.letter is None:
        return f"unknown message: {one.fault}"
    function = one.letter.function.rpartition(":")[2]
    return f"{one.letter.what} for {function}" + (f": {one.letter.reason}" if one.letter.reason else "")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="amplify-jobs",
        description="Manage an amplify-jobs stack.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"amplify-jobs {version('amplify-jobs')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    routes = _group(commands, "routes", "check, explain and push the routes file: who may send, and what becomes a job")
    for name, run in (("check", routes_check), ("explain", routes_explain), ("push", routes_push)):
        command = _command(routes, name, run)
        command.add_argument("file", metavar="FILE", help="for example routes.yaml; - is standard input")
        if run is routes_check:
            command.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
            command.add_argument("--strict", action="store_true", help="exit with 1 for a warning too")
        if run is routes_explain:
            _add_explain_options(command)
        if run is routes_push:
            _add_push_options(command)
    dead_letters = _group(commands, "dead-letters", "events that could not be processed")
    for name, run in (("list", dead_letters_list), ("replay", dead_letters_replay)):
        _command(dead_letters, name, run)
    again = _command(commands, "replay", replay)
    again.add_argument("request_id", metavar="REQUEST_ID", help="as announcements and answers to webhooks give it")
    _add_redrive_options(_command(commands, "redrive", redrive))
    _add_diagnose(commands)
    return parser


def _add_redrive_options(command: argparse.ArgumentParser) -> None:
    flag = "store_true"
    command.add_argument(
        "request_id",
        metavar="REQUEST_ID",
        nargs="*",
        help="the requests whose executions are meant (default: all that failed)",
    )
    command.add_argument(
        "--since",
        metavar="DURATION",
        type=_duration,
        default=REDRIVABLE,
        help="only those that ended in the last 30m, 2h, 3d … (default: 14d, as long as Step Functions redrives)",
    )
    command.add_argument("--aborted", action=flag, help="those that somebody stopped too")
    command.add_argument("--dry-run", action=flag, help="show which executions are meant, and redrive none")
    command.add_argument("--json", action=flag, help="print one JSON object instead of lines")


def _duration(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_diagnose(commands: Any) -> None:
    what = diagnose_log.__doc__
    command = commands.add_parser("diagnose", help="say why a build failed, by its log", description=what)
    command.add_argument("file", metavar="FILE", help="a build's log from Amplify's console; - is standard input")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    command.add_argument("--status", metavar="STATUS", help="the status of the step or job, like FAILED or SUCCEED")
    command.add_argument("--status-reason", metavar="TEXT", help="the statusReason of the step in GetJob's answer")
    command.add_argument("--duration-seconds", metavar="N", type=float, help="how long the step ran")
    command.add_argument(
        "--build-timeout",
        metavar="MINUTES",
        type=float,
        default=BUILD_TIMEOUT_MINUTES,
        help=f"the app's _BUILD_TIMEOUT (default: {BUILD_TIMEOUT_MINUTES})",
    )
    command.set_defaults(run=diagnose_log)


def _add_explain_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "event",
        metavar="EVENT",
        help="a file with the body that the git host sent, the answer to a delivery, one of its events, or an example "
        "of events/; - is standard input",
    )
    command.add_argument("--source", metavar="NAME", help="the source that sent the event, where the file does not say")
    command.add_argument(
        "--header",
        metavar="'NAME: VALUE'",
        type=_header,
        action="append",
        default=[],
        help="a header that the body was sent with, like 'X-GitHub-Event: push'; as often as needed",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def _add_push_options(command: argparse.ArgumentParser) -> None:
    flag = "store_true"
    command.add_argument("--dry-run", action=flag, help="show what changes, and write nothing")
    command.add_argument("--yes", action=flag, help="remove routes and sources without a question")
    command.add_argument(
        "--no-lookup",
        dest="lookup",
        action="store_false",
        help="do not look whether apps, branches and buckets exist and auto-build is off",
    )
    command.add_argument("--json", action=flag, help="print one JSON object instead of lines")


def _group(commands: Any, name: str, what: str) -> Any:
    return commands.add_parser(name, help=what).add_subparsers(required=True, metavar="COMMAND")


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int | None]) -> argparse.ArgumentParser:
    what = (run.__doc__ or "").rstrip(".")
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=what[:1].lower() + what[1:], description=run.__doc__
    )
    command.add_argument("--stack", default=DEFAULT_STACK, help=f"the stack's name (default: {DEFAULT_STACK})")
    command.set_defaults(run=run)
    return command
