"""`amplify-jobs dead-letters`, `replay` and `redrive`: what failed is processed again."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any

from amplify_jobs.errors import RequestRejected
from amplify_jobs_cli.commands.arguments import add_command, add_group, add_json, add_stack, duration, find_stack
from amplify_jobs_cli.output.screen import put_json
from amplify_jobs_cli.recovery.recover import DeadLetterMessage, Recovery
from amplify_jobs_cli.recovery.redrive import (
    REDRIVE_PERIOD,
    FailedExecution,
    RedriveResult,
    select_redrivable,
)
from amplify_jobs_cli.text import count


def add_recovery(commands: Any) -> None:
    """Add the commands and their options."""
    dead_letters = add_group(commands, "dead-letters", "events that could not be processed")
    replay = add_command(commands, "replay", replay_request)
    listing, sending = (
        add_command(dead_letters, name, run)
        for name, run in (("list", list_dead_letters), ("replay", replay_dead_letters))
    )
    for command in (listing, sending, replay):
        add_stack(command)
        add_json(command)
    replay.add_argument(
        "request_id", metavar="REQUEST_ID", help="the id that announcements and answers to webhooks show"
    )
    redrive = add_command(commands, "redrive", redrive_executions)
    add_stack(redrive)
    redrive.add_argument(
        "request_id",
        metavar="REQUEST_ID",
        nargs="*",
        help="the requests whose executions to redrive (default: all that failed)",
    )
    redrive.add_argument(
        "--since",
        metavar="DURATION",
        type=duration,
        default=REDRIVE_PERIOD,
        help="only those that ended in the last 30m, 2h, 3d … (default: 14d, as long as Step Functions redrives)",
    )
    redrive.add_argument("--aborted", action="store_true", help="also executions that somebody stopped")
    redrive.add_argument("--dry-run", action="store_true", help="show the executions, and redrive none")
    add_json(redrive)


def list_dead_letters(options: argparse.Namespace) -> None:
    """List the events in the dead-letter queue, with the reason of each."""
    messages = find_stack(options).recovery().dead_letters()
    if options.json:
        put_json({"deadLetters": [_letter(message) for message in messages]})
        return
    for message in messages:
        print(f"{message.sent_at:%Y-%m-%d %H:%M:%S}  {_line(message)}")
    print(f"{count(len(messages), 'dead letter')}.")


def replay_dead_letters(options: argparse.Namespace) -> None:
    """Process the events in the dead-letter queue again; an event that can't be replayed stays there."""
    recovery = find_stack(options).recovery()
    messages = recovery.dead_letters()
    replayable = [message for message in messages if message.letter is not None]
    for message in replayable:
        recovery.process_again(message)
        if not options.json:
            print(f"Sent again: {_line(message)}")
    if options.json:
        put_json(
            {"deadLetters": [{**_letter(message), "sentAgain": message.letter is not None} for message in messages]}
        )
        return
    for message in messages:
        if message.letter is None:
            print(f"Left in the queue: {_line(message)}")
    print(f"{count(len(replayable), 'dead letter')} sent again.")


def replay_request(options: argparse.Namespace) -> None:
    """Make the same request again, under a new id."""
    request_id = find_stack(options).recovery().request_again(options.request_id)
    if options.json:
        put_json({"requestId": request_id})
        return
    print(f"Started {request_id}.")


def redrive_executions(options: argparse.Namespace) -> int:
    """Continue failed executions where they failed; executions that somebody stopped are left out."""
    recovery = find_stack(options).recovery()
    with_aborted = options.aborted or options.request_id
    failed = recovery.failed_executions(("FAILED", "TIMED_OUT", "ABORTED") if with_aborted else ("FAILED", "TIMED_OUT"))
    if options.request_id:
        failed = [execution for execution in failed if execution.request_id in options.request_id]
    results = []
    for execution in select_redrivable(failed, datetime.now(UTC), options.since):
        refusal = None if options.dry_run else _redrive(recovery, execution)
        result = RedriveResult(execution, options.dry_run, refusal)
        results.append(result)
        if not options.json:
            print(result.line(), flush=True)
    unknown = sorted(set(options.request_id) - {result.execution.request_id for result in results})
    refused = [result for result in results if result.reason is not None]
    if options.json:
        executions = [result.as_json() for result in results]
        content = {"stack": options.stack, "dryRun": options.dry_run, "executions": executions, "unknown": unknown}
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return int(bool(refused or unknown))
    for request_id in unknown:
        print(f"amplify-jobs: {request_id} has no failed execution that can be redriven", file=sys.stderr)
    total = count(len(results) - len(refused), "execution")
    print(f"A dry run: {total} would be redriven." if options.dry_run else f"{total} redriven.")
    return int(bool(refused or unknown))


def _redrive(recovery: Recovery, execution: FailedExecution) -> str | None:
    """Redrive an execution; the answer says why Step Functions refuses it, if it does."""
    try:
        recovery.redrive(execution)
    except RequestRejected as rejected:
        return str(rejected)
    return None


def _letter(message: DeadLetterMessage) -> dict[str, Any]:
    letter = message.letter
    return {
        "sentAt": message.sent_at.isoformat(),
        "what": letter.description if letter else None,
        "function": letter.function.rpartition(":")[2] if letter else None,
        "reason": letter.reason if letter else message.fault,
    }


def _line(message: DeadLetterMessage) -> str:
    letter = message.letter
    if letter is None:
        return f"unknown message: {message.fault}"
    return f"{letter.description} for {letter.function.rpartition(':')[2]}" + (
        f": {letter.reason}" if letter.reason else ""
    )
