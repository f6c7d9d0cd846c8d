"""Which repositories are reconciled: those that a route names, and whose source has git to read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.events.refs import BRANCHES, TAGS
from amplify_jobs.routing.conditions import Push
from amplify_jobs.routing.github_patterns import literal_prefixes
from amplify_jobs.routing.mirrors import Git, plain_name
from amplify_jobs.routing.routes import Route, Routes


@dataclass(frozen=True)
class ReconciledRepository:
    """A repository by its full name, and the beginnings of the full names of refs that routes may wait for."""

    source: str
    provider: str
    repository: str
    git: Git
    prefixes: tuple[str, ...]


def reconciled_repositories(routes: Routes) -> tuple[ReconciledRepository, ...]:
    """The repositories to list, each once for its source, in the order of the routes.

    A route whose repository is a pattern names none; one without a source means the only source with git.
    """
    prefixes: dict[tuple[str, str], list[str]] = {}
    names: dict[tuple[str, str], str] = {}
    for source, repository, push in _named(routes):
        key = (source, repository.casefold())
        names.setdefault(key, repository)
        prefixes.setdefault(key, []).extend(_prefixes(push))
    return tuple(
        ReconciledRepository(key[0], routes.sources[key[0]].provider, name, git, _shortest(prefixes[key]))
        for key, name in names.items()
        if (git := routes.sources[key[0]].git) is not None
    )


def reasons_against(routes: Routes) -> dict[str, str]:
    """Why nothing is listed for routes that wait for pushes of a source that has git, by the routes' names."""
    sources = _sources(routes)
    reasons: dict[str, str] = {}
    for name, route in routes.routes.items():
        push = route.when.push
        if push is None or not route.enabled or not sources:
            continue
        if route.source is None and len(sources) > 1:
            reasons[name] = f"it has no source, and {', '.join(sources)} have git"
        elif _source(route, sources) is not None and plain_name(push.repository) is None:
            reasons[name] = f"{push.repository} is a pattern, and names no repository"
    return reasons


def is_reconciled(routes: Routes, source: str, event: Event) -> bool:
    """Whether an event is a change of a ref of such a repository."""
    if event.kind not in (EventKind.PUSH, EventKind.TAG) or event.repository is None or event.ref is None:
        return False
    name_of_ref = (source, event.repository.casefold())
    return any((name, repository.casefold()) == name_of_ref for name, repository, _ in _named(routes))


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
    return route.source if route.source in sources else None


def _prefixes(push: Push) -> Iterator[str]:
    for beginning, patterns in ((BRANCHES, push.branch_patterns), (TAGS, push.tags or ())):
        for prefix in literal_prefixes(patterns):
            yield beginning + prefix


def _shortest(prefixes: list[str]) -> tuple[str, ...]:
    """Prefixes without those that begin with another one."""
    unique = sorted(set(prefixes))
    return tuple(one for one in unique if not any(one != other and one.startswith(other) for other in unique))
