"""`amplify-jobs routes show`: the routes that are in effect, with the next times of their schedules."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from amplify_jobs.indexing.deliveries import ScheduleState
from amplify_jobs_cli.commands.arguments import add_command, add_json, add_stack
from amplify_jobs_cli.commands.selecting import jobs_client
from amplify_jobs_cli.output import words
from amplify_jobs_cli.output.screen import labelled, put, put_json, put_table, screen
from amplify_jobs_cli.output.table import Cell, Column

_COLUMNS = (
    Column("ROUTE"),
    Column("EVENT", in_title=False, flexible=True, shortest=24),
    Column("JOB", importance=1, in_title=False, flexible=True, shortest=24),
    Column("NEXT", importance=2, in_title=False),
)


def add_routes_show(group: Any) -> None:
    """Add the command and its options."""
    showing = add_command(group, "show", show_routes, "amplify-jobs routes show\namplify-jobs routes show web")
    showing.add_argument("route", metavar="ROUTE", nargs="?", help="all members of one route")
    add_stack(showing)
    add_json(showing)


def show_routes(options: argparse.Namespace) -> int:
    """Show the routes that are in effect, and when their schedules fire next."""
    client, console = jobs_client(options), screen()
    in_effect = client.routes()
    routes: Mapping[str, Any] = in_effect.routes.get("routes") or {}
    if options.route and options.route not in routes:
        put(console, f"There is no route {options.route}; there are {', '.join(routes) or 'none'}.")
        return 1
    if options.route:
        put_json(routes[options.route])
        return 0
    schedules = client.schedules()
    if options.json:
        put_json({**in_effect.model_dump(mode="json", by_alias=True), "schedules": schedules})
        return 0
    now = datetime.now(UTC)
    put_table(console, _COLUMNS, route_rows(routes, schedules), "No routes were pushed: amplify-jobs routes push FILE")
    labelled(console, "Sources", ", ".join(in_effect.routes.get("sources") or {}))
    labelled(console, "Targets", ", ".join(in_effect.routes.get("reports") or {}))
    if in_effect.pushed_at is not None:
        labelled(console, "Pushed", f"{words.local_time(in_effect.pushed_at)}, {words.ago(in_effect.pushed_at, now)}")
    return 0


def route_rows(routes: Mapping[str, Any], schedules: Iterable[ScheduleState]) -> list[Sequence[Cell]]:
    """The rows of the table: a route, its event, its job, and its next time if it is a schedule's."""
    times = {schedule.route: schedule.next for schedule in schedules}
    rows: list[Sequence[Cell]] = []
    for name, route in routes.items():
        is_off = route.get("enabled") is False
        upcoming = times.get(name) or ()
        style = "dim" if is_off else ""
        rows.append(
            (
                (f"{name} (off)" if is_off else name, style),
                (_event(route.get("when") or {}), style),
                (_job(route.get("request") or {}), style),
                (words.local_time(upcoming[0]) if upcoming else "", style),
            )
        )
    return rows


def _event(when: Mapping[str, Any]) -> str:
    """The kind of event and its first conditions: "push acme/web main, release/*"."""
    parts = []
    for kind, conditions in when.items():
        values = conditions.values() if isinstance(conditions, Mapping) else ()
        parts.append(" ".join([words.words(kind), *(_text(value) for value in values if value not in (None, [], {}))]))
    return "; ".join(parts)


def _job(request: Mapping[str, Any]) -> str:
    parameters = request.get("parameters") or {}
    names = ("appId", "branchName", "environmentName", "AppId", "BackendEnvironmentName")
    return " ".join(
        [str(request.get("operation", "")), *(str(parameters[name]) for name in names if name in parameters)]
    )


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
