"""Warnings of targets of reports that get nothing, or show less than is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.routing.github_patterns import last_match
from amplify_jobs.routing.report_targets import CONTEXT_VALUES, CommitStatus, ReportConditions
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.target_addresses import improbable_api
from amplify_jobs_cli.routes_file.values import member, members

# Bitbucket's keys have at most so many characters (REST API: Commit statuses).
_LONGEST_KEY = 40
_PLACEHOLDER = re.compile(rf"\{{({'|'.join(CONTEXT_VALUES)})\}}")


def target_warnings(value: Any) -> Iterator[Problem]:
    """Find conditions that nothing meets, and statuses that replace or miss each other."""
    providers = {name: member(source, "provider") for name, source in members(value, "sources")}
    for name, target in members(value, "reports"):
        path: Path = ("reports", name)
        try:
            conditions = ReportConditions.model_validate(member(target, "when") or {})
        except ValidationError:
            # Another check tells what is wrong.
            continue
        yield from _unmet(path, conditions)
        provider, api = providers.get(str(member(target, "source"))), member(target, "api")
        if isinstance(provider, str) and isinstance(api, str) and (right := improbable_api(api, provider)) is not None:
            yield Problem((*path, "api"), f"the API of provider {provider} is hardly there; use {right}")
        routes = _routes_of(target, conditions, value)
        match member(target, "kind"):
            case "commit_status":
                yield from _status_warnings(path, conditions)
                yield from _context_warnings(path, target, "status", routes)
                yield from _key_warnings(path, target, str(provider))
            case "codecommit_comment":
                yield from _codecommit_warnings(path, value, routes)
                yield from _context_warnings(path, target, "comment", routes)
            case "pull_request_comment":
                yield from _comment_warnings(path, routes)
                yield from _context_warnings(path, target, "comment", routes)


def _unmet(path: Path, conditions: ReportConditions) -> Iterator[Problem]:
    phases, outcomes = conditions.phases, conditions.outcomes
    if phases == ("started",) and conditions.changes:
        yield Problem((*path, "when", "changes"), "a start is no change, so nothing is reported; leave changes out")
    elif phases == ("started",) and outcomes is not None:
        yield Problem((*path, "when", "outcomes"), "a job that starts has no outcome; leave outcomes out")
    elif phases is not None and "started" not in phases and outcomes is not None:
        possible = set()
        if "finished" in phases:
            possible |= {"SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "UNKNOWN"}
        if "rejected" in phases:
            possible |= {"REJECTED", "CANCELLED"}
        if not possible & set(outcomes):
            words = " or ".join(phases)
            message = f"no request that is {words} has such an outcome; use one of {', '.join(sorted(possible))}"
            yield Problem((*path, "when", "outcomes"), message)


def _status_warnings(path: Path, conditions: ReportConditions) -> Iterator[Problem]:
    """Statuses that stay pending: a branch that requires them can't be merged."""
    phases = conditions.phases
    if conditions.changes:
        message = "most commits get no status, and a branch that requires it can't be merged; leave changes out"
        yield Problem((*path, "when", "changes"), message)
    elif phases is not None and "started" in phases and "finished" not in phases:
        message = "a status stays pending for ever; use finished too, or leave phases out"
        yield Problem((*path, "when", "phases"), message)
    elif conditions.outcomes is not None and (phases is None or "started" in phases):
        message = "a status stays pending after any other outcome; leave outcomes out"
        yield Problem((*path, "when", "outcomes"), message)


def _routes_of(target: Any, conditions: ReportConditions, value: Any) -> dict[str, set[str]]:
    """The routes whose jobs a target of a git host may report, each with the events that it takes."""
    is_codecommit = member(target, "kind") == "codecommit_comment"
    sources = (CODECOMMIT,) if is_codecommit else (None, member(target, "source"))
    routes = {
        name: {key for key, _ in members(route, "when")} & {"push", "pull_request", "release"}
        for name, route in members(value, "routes")
        if member(route, "source") in sources and (conditions.routes is None or last_match(conditions.routes, name))
    }
    return {name: events for name, events in routes.items() if events}


def _comment_warnings(path: Path, routes: dict[str, set[str]]) -> Iterator[Problem]:
    if not any("pull_request" in events for events in routes.values()):
        message = (
            "no route of this source takes pull requests, so there is none to comment on; use pull_request in when"
        )
        yield Problem((*path, "source"), message)


def _codecommit_warnings(path: Path, value: Any, routes: dict[str, set[str]]) -> Iterator[Problem]:
    if not routes and not member(value, "follow"):
        message = f"no route takes events of CodeCommit, so nothing is commented; use source: {CODECOMMIT} in a route"
        yield Problem((*path, "kind"), message)


def _context_warnings(path: Path, target: Any, noun: str, routes: dict[str, set[str]]) -> Iterator[Problem]:
    context = _context(target)
    if context and "{route}" not in context and "{app}" not in context and len(routes) > 1:
        message = f"the routes {', '.join(routes)} share this {noun}, and the last one wins; use {{route}} in it"
        yield Problem((*path, "context"), message)


def _key_warnings(path: Path, target: Any, provider: str) -> Iterator[Problem]:
    context = _context(target)
    if provider == "bitbucket" and len(_PLACEHOLDER.sub("", context)) > _LONGEST_KEY:
        message = f"a key of Bitbucket's has at most {_LONGEST_KEY} characters, so a digest takes the place of the end"
        yield Problem((*path, "context"), f"{message}; use a shorter one")


def _context(target: Any) -> str:
    """The context of a target; empty for what is none."""
    context = member(target, "context")
    if context is None:
        context = CommitStatus.model_fields["context"].default
    return context if isinstance(context, str) else ""
