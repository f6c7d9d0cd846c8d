"""Faults of mirrors: routes without code to mirror, sources without an address, and secrets that can't be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amplify_jobs.model.operations import Operation
from amplify_jobs_cli.routes_file.name_faults import secret_problem
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.target_addresses import plain_http_fault
from amplify_jobs_cli.routes_file.values import member, members
from amplify_jobs_cli.suggestions import one_of

_WITH_CODE = ("push", "pull_request", "release")


def mirror_faults(value: Any, stack: str) -> Iterator[Problem]:
    """Find what is wrong with `git` of sources and `mirror` of routes, beyond what their models refuse."""
    sources = dict(members(value, "sources"))
    for name, source in sources.items():
        yield from _token_fault(("sources", name, "git"), member(source, "git"), stack, name)
        yield from _http_fault(("sources", name, "git", "url"), member(member(source, "git"), "url"))
    for name, route in members(value, "routes"):
        if isinstance(member(route, "mirror"), dict):
            yield from _token_fault(("routes", name, "mirror"), member(route, "mirror"), stack, f"mirror-{name}")
            yield from _http_fault(("routes", name, "mirror", "to"), member(member(route, "mirror"), "to"))
            yield from _code_faults(("routes", name), route, sources)


def _token_fault(path: Path, login: Any, stack: str, name: str) -> Iterator[Problem]:
    token = member(login, "token")
    if isinstance(token, str) and token:
        problem = secret_problem((*path, "token"), token, stack, f"/{stack}/secrets/{name}-token", "the token")
        if problem is not None:
            yield problem


def _http_fault(path: Path, address: Any) -> Iterator[Problem]:
    if isinstance(address, str) and (fault := plain_http_fault(address)) is not None:
        yield Problem(path, fault)


def _code_faults(path: Path, route: Any, sources: dict[str, Any]) -> Iterator[Problem]:
    operation, when = member(member(route, "request"), "operation"), member(route, "when")
    if isinstance(operation, str) and operation in set(Operation) - {Operation.START_JOB}:
        yield Problem((*path, "mirror"), f"{operation} builds nothing from a repository; leave it out", "key")
    elif isinstance(when, dict) and not when.keys() & set(_WITH_CODE):
        message = f"the route's event has no commit; use a route that waits for one of {', '.join(_WITH_CODE)}"
        yield Problem((*path, "mirror"), message, "key")
    name = member(route, "source")
    with_code = [name for name, source in sources.items() if isinstance(member(source, "git"), dict)]
    use = one_of(str(name), with_code) if with_code else "add git, with the url of its repositories, to the source"
    if name is None:
        yield Problem((*path, "source"), f"is missing; a mirror needs the source that has the code: {use}")
    elif name in sources and name not in with_code:
        message = f"source {name} has no git, from which a mirror could fetch the code; add git to sources.{name}"
        yield Problem((*path, "source"), f'{message}, like {{url: "https://git.example.com/{{repository}}.git"}}')
