"""Which targets a command is about: those of the routes in effect, or of a file, with the repositories of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from amplify_jobs.errors import InvalidRoutesError, NotSetUpError, UnknownTargetError
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.routing.report_targets import RepositoryTarget
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.stack import Stack
from amplify_jobs_cli.suggestions import one_of

_WILDCARD = re.compile(r"[*?+!\[\]\\]")
# So many repositories show whether a token sees them.
MOST_REPOSITORIES = 5


@dataclass(frozen=True)
class ChosenTarget:
    """A target, and repositories that it may be asked to report to."""

    destination: Destination
    repositories: tuple[str, ...]


def routes_in_effect(stack: Stack) -> Routes:
    """The routes that were pushed last. Raises NotSetUpError, InvalidRoutesError, ServiceTrouble."""
    content = stack.stored_routes()
    place = f"s3://{stack.bucket}/{stack.routes_key}"
    if content is None:
        raise NotSetUpError(f"{place} does not exist; run `amplify-jobs routes push`")
    try:
        return Routes.model_validate_json(content)
    except ValidationError:
        raise InvalidRoutesError([f"{place}: the routes are not of this version; push them again"]) from None


def chosen_targets(routes: Routes, names: Sequence[str], repositories: Sequence[str]) -> list[ChosenTarget]:
    """The targets of these names, or all. Raises UnknownTargetError."""
    by_name = {destination.name: destination for destination in destinations(routes)}
    for name in names:
        if name not in by_name:
            use = one_of(name, list(by_name)) if by_name else "add it under reports in routes.yaml, and push"
            raise UnknownTargetError(f"there is no target {name}; {use}")
    return [
        ChosenTarget(destination, tuple(repositories) or repositories_of(routes, destination))
        for name, destination in by_name.items()
        if not names or name in names
    ]


def repositories_of(routes: Routes, destination: Destination) -> tuple[str, ...]:
    """The repositories that routes of the target's source name without a pattern."""
    target = destination.target
    if not isinstance(target, RepositoryTarget):
        return ()
    named = (
        condition.repository
        for route in routes.routes.values()
        if route.source in (None, target.source)
        for condition in (route.when.push, route.when.pull_request, route.when.release)
        if condition is not None
    )
    return tuple(_plain(named))[:MOST_REPOSITORIES]


def _plain(patterns: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(pattern for pattern in patterns if not _WILDCARD.search(pattern)))
