"""`amplify-jobs routes push`: shows what changes, asks before something is removed, writes, and reports."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_jobs.errors import PushRefusedError
from amplify_jobs.events.git_hosts import TITLES
from amplify_jobs.routing.mirrors import git_tokens
from amplify_jobs.routing.previews import preview_logins
from amplify_jobs.routing.report_targets import Target, secrets_of
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.push.account_reader import AccountReader
from amplify_jobs_cli.push.codecommit_rights import missing_rights, unreconciled
from amplify_jobs_cli.push.lookup import uses, warnings
from amplify_jobs_cli.push.plan import PushPlan, plan_push
from amplify_jobs_cli.push.route_changes import StoredRoutes
from amplify_jobs_cli.push.schedules import schedule_changes, schedules_of
from amplify_jobs_cli.push.secret_commands import missing_text, pasted_text, source_commands
from amplify_jobs_cli.push.webhook_events import webhook_events
from amplify_jobs_cli.stack import Stack
from amplify_jobs_cli.text import count

_ANSWERS = ("y", "yes")


@dataclass(frozen=True)
class PushOptions:
    """How a push is made: `file` is named in warnings."""

    file: str
    dry_run: bool = False
    # Remove routes, sources and targets without a question.
    yes: bool = False
    lookup: bool = True
    as_json: bool = False
    # Of the file, for the JSON.
    warnings: tuple[Mapping[str, Any], ...] = ()


def push(routes: Routes, stack: Stack, options: PushOptions) -> None:
    """Show what changes and put it into effect, unless it is a dry run.

    Raises PushRefusedError where routes, sources or targets would be removed without consent, and ServiceTrouble.
    """
    scheduler = stack.scheduler()
    schedules = schedule_changes(scheduler.stored(), schedules_of(routes, stack.schedules))
    plan = plan_push(StoredRoutes.read(stack.stored_routes()), stack.stored_sources(), schedules, routes)
    account_warnings = _look_up(routes, stack, options)
    if not options.as_json:
        lines = [line for change in plan.changes for line in change.lines()]
        print("\n".join(lines) or "No change: the stack has these routes already.", flush=True)
    version = None
    if not options.dry_run:
        _consent(plan, options)
        version = stack.store_routes(plan.content) if plan.content is not None else None
        stack.change_sources(plan.sources_written, plan.sources_removed)
        # A schedule that fires finds its route there already.
        scheduler.apply(plan.schedules)
    missing = set(stack.missing_secrets(_secret_names(routes)))
    if options.as_json:
        report = {
            "stack": stack.name,
            "region": stack.region,
            "dryRun": options.dry_run,
            "changes": [change.json() for change in plan.changes],
            "object": f"s3://{stack.bucket}/{stack.routes_key}",
            # Of the object that was written; null where none was.
            "version": version,
            "warnings": [*options.warnings, *({"path": path, "message": text} for path, text in account_warnings)],
            "webhooks": [_webhook_report(stack, routes, name, missing) for name in routes.sources],
            "gitTokens": [
                {"place": place, "missingSecrets": [token] if token in missing else []}
                for place, token in git_tokens(routes)
            ],
            "previewLogins": [
                {"place": place, "missingSecrets": [login] if login in missing else []}
                for place, login in preview_logins(routes)
            ],
            "targets": [_target_report(name, target, missing) for name, target in routes.reports.items()],
        }
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return
    if options.dry_run:
        print("A dry run: nothing was written.")
    elif plan.content is not None:
        where = f"s3://{stack.bucket}/{stack.routes_key}"
        print(f"Pushed {summary(routes)} to {where}" + (f", version {version}." if version else "."))
    for name, source in routes.sources.items():
        print(f"\n{name}: {_webhook(stack, name)}")
        if events := webhook_events(routes, name):
            print(f"  Switch on at {TITLES[source.provider]}: {'; '.join(events)}")
        for secret in [secret for secret in source.secrets if secret in missing]:
            print(f"  {secret} is missing. Create it, and show it to copy it to the host's webhook settings:")
            print("\n".join(f"    {command}" for command in source_commands(secret, source.provider, stack.region)))
    for place, secret, noun in _secrets_of_others(routes):
        if secret in missing:
            print(f"\n{place}: {pasted_text(secret, noun, stack.region)}")
    for name, target in routes.reports.items():
        for secret in [secret for secret in secrets_of(target) if secret in missing]:
            print(f"\n{name}: {missing_text(secret, target, stack.region)}")


def summary(routes: Routes) -> str:
    """How many sources, routes and targets there are."""
    sources, routes_count = count(len(routes.sources), "source"), count(len(routes.routes), "route")
    if not routes.reports:
        return f"{sources} and {routes_count}"
    return f"{sources}, {routes_count} and {count(len(routes.reports), 'target')}"


def _secret_names(routes: Routes) -> Iterator[str]:
    for source in routes.sources.values():
        yield from source.secrets
    yield from (secret for _, secret, _ in _secrets_of_others(routes))
    for target in routes.reports.values():
        yield from secrets_of(target)


def _secrets_of_others(routes: Routes) -> Iterator[tuple[str, str, str]]:
    """Secrets that people paste: the place of each in the routes, its name, and what it is."""
    yield from ((place, token, "the token") for place, token in git_tokens(routes))
    yield from ((place, login, "user:password") for place, login in preview_logins(routes))


def _target_report(name: str, target: Target, missing: set[str]) -> dict[str, Any]:
    missing_secrets = [secret for secret in secrets_of(target) if secret in missing]
    return {"target": name, "kind": target.kind, "missingSecrets": missing_secrets}


def _look_up(routes: Routes, stack: Stack, options: PushOptions) -> list[tuple[str, str]]:
    """Warn of what does not fit in the account: a place in the routes, empty where it is none, and what is wrong."""
    if not options.lookup:
        return []
    used = uses(routes)
    reader = AccountReader.connect(stack.session)
    warnings_by_place = list(warnings(used, reader.read(used), stack.reach))
    rights = stack.codecommit_rights
    warnings_by_place += [*missing_rights(routes, rights), *unreconciled(routes, rights)]
    warnings_by_place += [("", trouble) for trouble in reader.troubles]
    if not options.as_json:
        # One app that is not there concerns many routes.
        for text in dict.fromkeys(text for _, text in warnings_by_place):
            places = ", ".join(place for place, message in warnings_by_place if message == text)
            print(": ".join((options.file, "warning", *filter(None, (places, text)))), file=sys.stderr)
    return warnings_by_place


def _consent(plan: PushPlan, options: PushOptions) -> None:
    """Ask before something is removed. Raises PushRefusedError."""
    if not plan.removals or options.yes:
        return
    removed = ", ".join(plan.removals)
    if not sys.stdin.isatty():
        raise PushRefusedError(
            f"the push would remove {removed}; nothing was written. Use --yes to remove without a question, "
            "or --dry-run to look at the changes"
        )
    print(f"The push removes {removed}. Continue? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in _ANSWERS:
        raise PushRefusedError("nothing was written")


def _webhook_report(stack: Stack, routes: Routes, source: str, missing: set[str]) -> dict[str, Any]:
    return {
        "source": source,
        "url": _webhook(stack, source),
        "events": webhook_events(routes, source),
        "missingSecrets": [secret for secret in routes.sources[source].secrets if secret in missing],
    }


def _webhook(stack: Stack, source: str) -> str:
    return f"{stack.api_url}/webhooks/{source}"
