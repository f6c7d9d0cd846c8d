"""Which repositories are reconciled: those that a route names, and that can be read.

Those of a source are read by its git. Those of CodeCommit are read by a role, if a parameter of the stack names them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.events.refs import BRANCHES, TAGS
from amplify_jobs.routing.conditions import Push
from amplify_jobs.routing.github_patterns import literal_prefixes
from amplify_jobs.routing.mirrors import Git, plain_name
from amplify_jobs.routing.routes import Route, Routes


@dataclass(frozen=True)
class ReconciledRepository:
    """A repository by its full name, and the beginnings of the full names of refs that routes may wait for.

    `git` is None for one of CodeCommit.
    """

    source: str
    provider: str
    repository: str
    git: Git | None
    prefixes: tuple[str, ...]


def reconciled_repositories(routes: Routes, codecommit: Collection[str] = ()) -> tuple[ReconciledRepository, ...]:
    """The repositories to list, each once for its source, in the order of the routes.

    A route whose repository is a pattern names none; one without a source means the only source with git. Of
    repositories of CodeCommit, those are listed that `codecommit` names too.
    """
    prefixes: dict[tuple[str, str], list[str]] = {}
    names: dict[tuple[str, str], str] = {}
    for source, repository, push in _named(routes):
        if source == CODECOMMIT and repository not in codecommit:
            continue
        key = (source, repository.casefold())
        names.setdefault(key, repository)
        prefixes.setdefault(key, []).extend(_prefixes(push))
    return tuple(_repository(routes, source, name, prefixes[source, key]) for (source, key), name in names.items())


def reasons_against(routes: Routes, codecommit: Collection[str] = ()) -> dict[str, str]:
    """Why nothing is listed for routes that wait for an event of a repository, by the routes' names."""
    sources = _sources(routes)
    enabled = {name: route for name, route in routes.routes.items() if route.enabled}
    reasons = ((name, _reason_against(route, sources, codecommit)) for name, route in enabled.items())
    return {name: reason for name, reason in reasons if reason is not None}


def _reason_against(route: Route, sources: list[str], codecommit: Collection[str]) -> str | None:
    when = route.when
    if when.pull_request is not None:
        return "refs do not tell what happens to pull requests"
    if when.release is not None:
        return "refs do not tell which releases were published; a route for their tags is looked at"
    if when.push is None:
        return None
    if route.source is not None and route.source not in {CODECOMMIT, *sources}:
        return f"source {route.source} has no git, by which its repositories can be read"
    if route.source is None and len(sources) != 1:
        return f"it has no source, and {', '.join(sources) or 'no source'} {'have' if sources else 'has'} git"
    if plain_name(when.push.repository) is None:
        return f"{when.push.repository} is a pattern, and git does not list a host's repositories; name each one"
    if route.source == CODECOMMIT and when.push.repository not in codecommit:
        return f"the parameter ReconcileRepositories of the stack does not name {when.push.repository}"
    return None


def is_reconciled(routes: Routes, source: str, event: Event) -> bool:
    """Whether an event is a change of a ref of such a repository."""
    if event.kind not in (EventKind.PUSH, EventKind.TAG) or event.repository is None or event.ref is None:
        return False
    name_of_ref = (source, event.repository.casefold())
    return any((name, repository.casefold()) == name_of_ref for name, repository, _ in _named(routes))


def _repository(routes: Routes, source: str, name: str, prefixes: list[str]) -> ReconciledRepository:
    sender = routes.sources.get(source)
    provider, git = (CODECOMMIT, None) if sender is None else (sender.provider, sender.git)
    return ReconciledRepository(source, provider, name, git, _shortest(prefixes))


def _named(routes: Routes) -> Iterator[tuple[str, str, Push]]:
    sources = _sources(routes)
    for route in routes.routes.values():
        source = _source(route, sources)
        push = route.when.push
        if push is None or source is None or not route.enabled:
            continue
        if (repository := plain_name(push.repository)) is not None:
            yield source, repository, push


def _sources(routes: Routes) -> list[str]:
    return [name for name, source in routes.sources.items() if source.git is not None]


def _source(route: Route, sources: list[str]) -> str | None:
    if route.source is None:
        return sources[0] if len(sources) == 1 else None
    return route.source if route.source in {CODECOMMIT, *sources} else None


def _prefixes(push: Push) -> Iterator[str]:
    for beginning, patterns in ((BRANCHES, push.branch_patterns), (TAGS, push.tags or ())):
        for prefix in literal_prefixes(patterns):
            yield beginning + prefix


def _shortest(prefixes: list[str]) -> tuple[str, ...]:
    """Prefixes without those that begin with another one."""
    unique = sorted(set(prefixes))
    return tuple(one for one in unique if not any(one != other and one.startswith(other) for other in unique))
