"""`amplify-jobs reports`: whether targets work, what waits, and how a target gets what it missed."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.dynamodb import Table
from amplify_jobs.aws.outgoing_http import OutgoingHttp
from amplify_jobs.aws.report_calls import CONFIG, ReportCalls
from amplify_jobs.aws.report_records import ReportRecords
from amplify_jobs.errors import RequestRejected
from amplify_jobs.reporting.checking.checker import Checker
from amplify_jobs.reporting.checking.finding import Finding, Result
from amplify_jobs.reporting.checking.trial import Trial, send_trial
from amplify_jobs.reporting.destination import Destination
from amplify_jobs.routing.report_targets import CodeCommitComment
from amplify_jobs.settings import names_in
from amplify_jobs_cli.commands.arguments import add_command, add_group, add_json, add_stack, duration, find_stack
from amplify_jobs_cli.commands.files import read_routes_file
from amplify_jobs_cli.output.screen import put_json
from amplify_jobs_cli.reports.dead_reports import ReportQueues
from amplify_jobs_cli.reports.replays import ARCHIVE_PERIOD, start_replay
from amplify_jobs_cli.reports.secrets import StackSecrets
from amplify_jobs_cli.reports.targets import ChosenTarget, chosen_targets, routes_in_effect
from amplify_jobs_cli.routes_file.load import read_routes
from amplify_jobs_cli.stack import Stack
from amplify_jobs_cli.text import count

_EXAMPLES = """
amplify-jobs reports check
amplify-jobs reports check --target statuses --send --repository acme/web --commit COMMIT
"""
_CONFIG = client_config(attempts=3, connect_timeout=3, read_timeout=10)


def add_reports(commands: Any) -> None:
    """Add the commands and their options."""
    group = add_group(commands, "reports", "check targets of reports, and send what they missed")
    check = add_command(group, "check", check_targets, _EXAMPLES)
    check.add_argument("file", metavar="FILE", nargs="?", help="a routes file (default: the routes that were pushed)")
    check.add_argument("--target", metavar="NAME", action="append", default=[], help="only this one; may be repeated")
    check.add_argument("--send", action="store_true", help="send a test report to each target, and show its answer")
    check.add_argument(
        "--repository",
        metavar="NAME",
        help="the repository to look at and to report to (default: those that routes name without a pattern)",
    )
    check.add_argument("--commit", metavar="SHA", help="with --send: the commit that gets a test status")
    check.add_argument("--branch", metavar="NAME", help="with --send: the git branch of the commit")
    check.add_argument("--pull-request", metavar="NUMBER", type=int, help="with --send: the pull request to report to")
    listing = add_command(group, "list", list_reports)
    resume = add_command(group, "resume", resume_target)
    resume.add_argument("target", metavar="TARGET", help="a target's name in routes.yaml")
    replay = add_command(group, "replay", replay_reports)
    replay.add_argument("target", metavar="TARGET", nargs="?", help="a target's name in routes.yaml (default: all)")
    replay.add_argument(
        "--since",
        metavar="DURATION",
        type=_since,
        help="send TARGET all announcements of the last 30m, 2h, 3d … that it did not get, at most 30d",
    )
    for command in (check, listing, resume, replay):
        add_stack(command)
        add_json(command)


def check_targets(options: argparse.Namespace) -> int:
    """Say for each target whether it would work: its secret, its host, its token and the right that it needs."""
    if not options.send and (options.commit or options.branch or options.pull_request):
        raise RequestRejected("--commit, --branch and --pull-request are of a test report; use them with --send")
    stack = find_stack(options)
    routes = (
        read_routes(read_routes_file(options.file), options.file, stack.name)
        if options.file
        else routes_in_effect(stack)
    )
    records, results = _records(stack), []
    for chosen in chosen_targets(routes, options.target, [options.repository] if options.repository else []):
        findings = _findings(chosen, records, stack, options)
        results.append((chosen.destination, findings))
        if not options.json:
            for finding in findings:
                print(f"{chosen.destination.name}: {finding.text()}", flush=True)
    faults = sum(any(finding.result is Result.FAULT for finding in findings) for _, findings in results)
    if options.json:
        targets = [_as_json(destination, findings) for destination, findings in results]
        put_json({"stack": stack.name, "targets": targets})
    else:
        summary = f"{count(faults, 'target')} can't work" if faults else "no faults"
        print(f"{count(len(results), 'target')}, {summary}.", file=sys.stderr if faults else sys.stdout)
    return int(faults > 0)


def list_reports(options: argparse.Namespace) -> None:
    """List the targets with those that were stopped, and the reports that wait or were given up."""
    stack = find_stack(options)
    records = _records(stack)
    targets = [chosen.destination for chosen in chosen_targets(routes_in_effect(stack), [], [])]
    stops = {destination.name: records.stop_reason(destination) for destination in targets}
    queues = _queues(stack)
    waiting, dead = queues.waiting(), queues.dead_reports()
    if options.json:
        content = [
            {"target": target.name, "kind": target.target.kind, "stopped": stops[target.name]} for target in targets
        ]
        dead_reports = [report.as_json() for report in dead]
        put_json({"stack": stack.name, "targets": content, "waiting": waiting, "deadReports": dead_reports})
        return
    for destination in targets:
        reason = stops[destination.name]
        print(f"{destination.name} ({destination.target.kind}): {f'stopped: {reason}' if reason else 'in use'}")
    for report in dead:
        print(f"given up: {report.text()}")
    print(f"{count(waiting, 'report')} on the way or waiting, {len(dead)} given up.")


def resume_target(options: argparse.Namespace) -> None:
    """Send reports to a stopped target again; those that it missed are sent by `reports replay`."""
    stack = find_stack(options)
    (chosen,) = chosen_targets(routes_in_effect(stack), [options.target], [])
    records = _records(stack)
    reason = records.stop_reason(chosen.destination)
    if reason is None:
        raise RequestRejected(f"the target {options.target} is not stopped")
    records.resume(chosen.destination)
    if options.json:
        put_json({"stack": stack.name, "target": options.target, "reason": reason})
        return
    print(f"{options.target} gets reports again. It had been stopped: {reason}.")
    print(f"What it missed: amplify-jobs reports replay {options.target} --since 2h")


def replay_reports(options: argparse.Namespace) -> None:
    """Send reports again that were given up, or with --since all that a target did not get."""
    stack = find_stack(options)
    if options.target is not None:
        chosen_targets(routes_in_effect(stack), [options.target], [])
    if options.since is not None:
        _replay_announcements(stack, options)
        return
    reports_sent = []
    for report in _queues(stack).send_again(options.target):
        reports_sent.append(report)
        if not options.json:
            print(f"Sent again: {report.text()}", flush=True)
    if options.json:
        put_json({"stack": stack.name, "reports": [report.as_json() for report in reports_sent]})
        return
    print(f"{count(len(reports_sent), 'report')} sent again.")


def _replay_announcements(stack: Stack, options: argparse.Namespace) -> None:
    if options.target is None:
        raise RequestRejected("--since needs the name of a target")
    name = start_replay(stack, options.target, options.since, datetime.now(UTC))
    if options.json:
        put_json({"stack": stack.name, "target": options.target, "replay": name})
        return
    print(f"Started {name}: {options.target} gets what it did not get, within minutes.")


def _findings(chosen: ChosenTarget, records: ReportRecords, stack: Stack, options: argparse.Namespace) -> list[Finding]:
    secrets, http = StackSecrets(stack.ssm), _calls(stack)
    destination = chosen.destination
    findings = [*_stop(destination, records), *_rights(chosen, stack)]
    findings += Checker(secrets=secrets, http=http, clock=time.time).check(destination, chosen.repositories)
    can_send = not any(finding.check == "secret" and finding.result is Result.FAULT for finding in findings)
    if options.send and can_send:
        trial = Trial(
            destination,
            time.time(),
            repository=next(iter(chosen.repositories), None),
            commit=options.commit,
            branch=options.branch,
            pull_request=options.pull_request,
        )
        findings.append(send_trial(trial, secrets, http, time.time))
    return findings


def _calls(stack: Stack) -> ReportCalls:
    def make_client(service: str) -> Any:
        client: Any = stack.session.client(service, config=CONFIG)  # type: ignore[call-overload]  # any service
        return client

    http = OutgoingHttp(os.environ.get("AWS_ENDPOINT_URL") or None)
    return ReportCalls(http, stack.output("chatTopicArn"), make_client)


def _stop(destination: Destination, records: ReportRecords) -> Iterator[Finding]:
    reason = records.stop_reason(destination)
    if reason is not None:
        remedy = f"amplify-jobs reports resume {destination.name}, once the cause is removed"
        yield Finding("state", Result.FAULT, f"the target was stopped: {reason}", remedy=remedy)


def _rights(chosen: ChosenTarget, stack: Stack) -> Iterator[Finding]:
    """Repositories of CodeCommit on which the stack may not comment, whatever who asks may do."""
    if not isinstance(chosen.destination.target, CodeCommitComment):
        return
    for name in chosen.repositories:
        if name not in names_in(stack.output("commentRepositories")):
            remedy = "name it in the parameter CommentRepositories, and deploy"
            yield Finding("right", Result.FAULT, f"the stack may not comment in {name}", remedy=remedy)


def _as_json(destination: Destination, findings: list[Finding]) -> dict[str, Any]:
    return {
        "target": destination.name,
        "kind": destination.target.kind,
        "works": not any(finding.result is Result.FAULT for finding in findings),
        "checks": [finding.as_json() for finding in findings],
    }


def _records(stack: Stack) -> ReportRecords:
    table = Table(stack.session.client("dynamodb", config=_CONFIG), stack.output("jobsTable"))
    return ReportRecords(table, lambda: datetime.now(UTC))


def _queues(stack: Stack) -> ReportQueues:
    return ReportQueues(
        stack.session,
        queue_url=stack.output("reportQueueUrl"),
        dead_letter_queue_url=stack.output("reportDeadLetterQueueUrl"),
    )


def _since(text: str) -> timedelta:
    since = duration(text)
    if since > ARCHIVE_PERIOD:
        raise argparse.ArgumentTypeError(f"announcements are kept for {ARCHIVE_PERIOD.days} days; use at most 30d")
    return since
