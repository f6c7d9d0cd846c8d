"""Decides what observations of a stack mean. Nothing here calls anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from amplify_jobs.indexing.answers import Health
from amplify_jobs_cli.api import MOST_SKEW_SECONDS
from amplify_jobs_cli.doctor.findings import Finding, ok, problem, unknown, warning
from amplify_jobs_cli.doctor.observations import AccountMismatch, Observations, StoredRoutes, Unread
from amplify_jobs_cli.output.words import ago
from amplify_jobs_cli.text import count

Read = TypeVar("Read")

# Jobs that Amplify runs at once in a Region, unless its quota was raised (Amplify User Guide: Service quotas).
CONCURRENT_JOBS = 5
# Of the index: what it tells is worth less after that.
_MOST_LAG_SECONDS = 300
_QUIET = timedelta(days=7)
_RUNBOOK = "docs/runbook.md has a section for each"
_AUTO_BUILD = "auto-build"


def judge(seen: Observations) -> list[Finding]:
    """Every finding about a stack, in the order in which an event passes through it."""
    return [finding for check in _CHECKS for finding in check(seen)]


def _endpoint(seen: Observations) -> Iterator[Finding]:
    check, status = "webhook endpoint", seen.endpoint_status
    if isinstance(status, Unread):
        yield problem(check, status.reason, "look at the address, the network and the proxy; deploy the stack again")
    elif status == 404 or (status == 503 and isinstance(seen.routes, StoredRoutes) and not seen.routes.is_there):
        # Without routes it knows no source, and has the git host try again.
        yield ok(check, "it answers")
    elif status == 429:
        yield problem(check, "it throttles deliveries", "raise the parameters WebhookRateLimit and WebhookBurstLimit")
    else:
        yield problem(check, f"it answers {status}", "the log of the function receive-webhook says why")


def _clock(check: str, skew: float, _: Observations) -> Iterator[Finding]:
    if abs(skew) > MOST_SKEW_SECONDS:
        yield problem(check, f"this machine is {abs(skew):.0f} s off", "set its clock: AWS refuses such signatures")
    elif abs(skew) > 60:
        yield warning(check, f"this machine is {abs(skew):.0f} s off", "set its clock")
    else:
        yield ok(check, "this machine and AWS agree")


def _routes(check: str, stored: StoredRoutes, _: Observations) -> Iterator[Finding]:
    if not stored.is_there:
        yield problem(check, "none were pushed, so nothing starts a job", "amplify-jobs routes push routes.yaml")
    elif stored.routes is None:
        yield problem(check, "this version does not read them", "amplify-jobs routes push routes.yaml")
    else:
        off = [name for name, route in stored.routes.routes.items() if not route.enabled]
        yield ok(check, f"{count(len(stored.routes.routes), 'route')} of {count(len(stored.routes.sources), 'source')}")
        if off:
            yield warning(check, f"off: {', '.join(off)}", "take enabled: false out if they shall build")


def _left_behind(check: str, changes: Sequence[str], _: Observations) -> Iterator[Finding]:
    if changes:
        yield problem(check, f"they are not as the routes say: {', '.join(changes)}", "push the routes again")
    else:
        yield ok(check, "as the routes say")


def _secrets(check: str, missing: Sequence[str], _: Observations) -> Iterator[Finding]:
    if missing:
        advice = "amplify-jobs routes push prints the command that stores each"
        yield problem(check, f"SSM does not have {', '.join(missing)}", advice)
    else:
        yield ok(check, "all are stored")


def _deliveries(seen: Observations) -> Iterator[Finding]:
    if isinstance(seen.routes, Unread) or seen.routes.routes is None:
        return
    deliveries = seen.deliveries
    if isinstance(deliveries, Unread):
        yield unknown("deliveries", deliveries.reason)
        return
    for name in seen.routes.routes.sources:
        check = f"deliveries of {name}"
        times = [delivery.received_at for delivery in deliveries if delivery.source == name]
        if not times:
            advice = (
                f"enter the webhook's address, which ends in /webhooks/{name}, at the git host, and look at its page"
            )
            yield warning(check, "none was taken in", advice)
        elif seen.now - max(times) > _QUIET:
            yield warning(
                check, f"the last was {ago(max(times), seen.now)}", "look at the webhook's page at the git host"
            )
        else:
            yield ok(check, f"the last was {ago(max(times), seen.now)}")


def _account(check: str, account: AccountMismatch, _: Observations) -> Iterator[Finding]:
    for text, advice in _with_places(account.warnings):
        yield problem(_AUTO_BUILD if text.startswith(_AUTO_BUILD) else check, text, advice)
    for text, advice in _with_places(account.unreconciled):
        yield warning(check, text, advice)
    for trouble in account.troubles:
        yield unknown(check, trouble.removesuffix(" or use --no-lookup"))
    if not account.warnings and not account.unreconciled and not account.troubles:
        yield ok(check, "all that the routes name is there, and no push is built twice")


def _with_places(warnings: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each text once, with the places that it is about, and its advice."""
    for text in dict.fromkeys(text for _, text in warnings):
        message, advice = text.rpartition("; ")[::2]
        places = ", ".join(place for place, warning_text in warnings if warning_text == text)
        yield f"{message or text} ({places})", advice if message else ""


def _rules(check: str, rules: Mapping[str, str], seen: Observations) -> Iterator[Finding]:
    meant = set() if seen.reads_buckets else {f"{seen.stack}-object-created"}
    off = sorted(name for name, state in rules.items() if state == "DISABLED" and name not in meant)
    if not rules:
        yield problem(check, "EventBridge has none of this stack", "deploy the stack again")
    elif off:
        yield problem(check, f"disabled: {', '.join(off)}", f"aws events enable-rule --name {off[0]}")
    else:
        yield ok(check, f"{len(rules)} are as they should be")


def _queues(seen: Observations) -> Iterator[Finding]:
    advices = {
        "dead-letter queue": "amplify-jobs dead-letters list shows them, dead-letters replay processes them again",
        "dead-letter queue of the reports": "amplify-jobs reports list shows them, reports replay sends them again",
        "intake queue": "the log of the function drain-intake says why; they are tried again",
    }
    for name, waiting in seen.queues.items():
        if isinstance(waiting, Unread):
            yield unknown(name, waiting.reason)
        elif waiting:
            advice = advices.get(name, "docs/runbook.md says how to send them again")
            judged = warning if name == "intake queue" else problem
            yield judged(name, f"{count(waiting, 'message')} in it", advice)
        else:
            yield ok(name, "empty")


def _failed_executions(check: str, failed: int, _: Observations) -> Iterator[Finding]:
    if failed:
        advice = "amplify-jobs redrive --dry-run lists those that can go on, redrive continues them"
        yield warning(check, f"{count(failed, 'execution')} in the last 14 days", advice)
    else:
        yield ok(check, "none in the last 14 days")


def _running_builds(check: str, running: int, _: Observations) -> Iterator[Finding]:
    if running >= CONCURRENT_JOBS:
        text = f"{running} requests wait or run, and Amplify runs {CONCURRENT_JOBS} jobs at once in a Region"
        yield warning(
            check, text, "raise the quota “Concurrent jobs” of AWS Amplify in Service Quotas if pushes wait long"
        )
    else:
        yield ok(check, f"{running} of the {CONCURRENT_JOBS} that Amplify runs at once in a Region")


def _alarms(check: str, alarms: Mapping[str, str], seen: Observations) -> Iterator[Finding]:
    raised = sorted(name for name, state in alarms.items() if state == "ALARM")
    for name in raised:
        yield problem(check, f"{name} is raised", f"docs/runbook.md has a section for {name}")
    if raised:
        return
    if alarms:
        yield ok(check, f"none of {len(alarms)} is raised")
    elif seen.is_local:
        yield unknown(check, "the local cloud has none")
    else:
        yield problem(check, "CloudWatch has none of this stack", "deploy the stack again")


def _health(check: str, health: Health, _: Observations) -> Iterator[Finding]:
    for text in health.warnings:
        yield warning(check, text, _RUNBOOK)
    if health.lag_seconds is not None and health.lag_seconds > _MOST_LAG_SECONDS:
        yield warning(check, f"its index is {health.lag_seconds} s late", _RUNBOOK)
    elif not health.warnings:
        yield ok(check, "it answers, and its index is " + ("current" if health.as_of else "empty"))


def _check_of(
    check: str,
    read: Callable[[Observations], Read | Unread],
    judge_read: Callable[[str, Read, Observations], Iterator[Finding]],
) -> Callable[[Observations], Iterator[Finding]]:
    """A check of one observation, which is unknown where it could not be read."""

    def findings(seen: Observations) -> Iterator[Finding]:
        observation = read(seen)
        if isinstance(observation, Unread):
            yield unknown(check, observation.reason)
        else:
            yield from judge_read(check, observation, seen)

    return findings


_CHECKS: tuple[Callable[[Observations], Iterator[Finding]], ...] = (
    _endpoint,
    _check_of("clock", lambda seen: seen.skew_seconds, _clock),
    _check_of("routes", lambda seen: seen.routes, _routes),
    _check_of("schedules and copies of sources", lambda seen: seen.left_behind, _left_behind),
    _check_of("secrets", lambda seen: seen.missing_secrets, _secrets),
    _deliveries,
    _check_of("apps, branches and buckets", lambda seen: seen.account, _account),
    _check_of("rules", lambda seen: seen.rules, _rules),
    _queues,
    _check_of("failed executions", lambda seen: seen.failed_executions, _failed_executions),
    _check_of("running builds", lambda seen: seen.running_executions, _running_builds),
    _check_of("alarms", lambda seen: seen.alarms, _alarms),
    _check_of("jobs API", lambda seen: seen.health, _health),
)
