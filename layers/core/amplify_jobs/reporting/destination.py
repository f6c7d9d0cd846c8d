"""A target with what the routes know beside it: its name, and which git host its source is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from amplify_jobs.errors import NotSetUpError
from amplify_jobs.model.request import FOLLOWED, Cause
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.routing.report_targets import STATUS_HOSTS, RepositoryTarget, Target
from amplify_jobs.routing.routes import Routes

Credentials = Mapping[str, str]
"""The values of a target's secrets by the names of their SSM parameters."""
INSTALLATION_TOKEN = "installation token"  # noqa: S105 -- not a value
"""The name, in credentials, of what stands for the token where a target has an App."""


def token_of(target: RepositoryTarget, credentials: Credentials) -> str:
    """The token for a git host: the target's own, or that of its App's installation."""
    return credentials[target.token or INSTALLATION_TOKEN]


@dataclass(frozen=True)
class Destination:
    """Where a report goes. `provider` is None for targets that are no git hosts."""

    name: str
    target: Target
    provider: str | None = None

    @property
    def repository_target(self) -> RepositoryTarget:
        """The target as one of a git host's. Raises TypeError for any other."""
        if not isinstance(self.target, RepositoryTarget):
            raise TypeError(f"{self.target.kind} is no target of a repository")
        return self.target

    def reports_to_source_of(self, cause: Cause) -> bool:
        """Whether a cause is of the target's source; of a job that somebody else started, by the repository's host."""
        target = self.repository_target
        if cause.kind != FOLLOWED:
            return cause.source == target.source
        return cause.host is not None and cause.host == _repository_host(target, self.provider)


def _repository_host(target: RepositoryTarget, provider: str | None) -> str | None:
    """The name of the host whose API a target calls. The API of github.com has another name, as that of ghe.com has."""
    if target.api is None:
        return STATUS_HOSTS.get(provider or "")
    return (urlsplit(target.api).hostname or "").removeprefix("api.")


def current_destinations(routes: CurrentRoutes) -> list[Destination]:
    """The destinations of the routes as they are now; none before the first push. Raises ServiceTrouble."""
    try:
        return destinations(routes.current())
    except NotSetUpError:
        return []


def destinations(routes: Routes) -> list[Destination]:
    """All destinations of reports, in the order of routes.yaml."""
    return [
        Destination(
            name,
            target,
            routes.sources[target.source].provider
            if isinstance(target, RepositoryTarget) and target.source in routes.sources
            else None,
        )
        for name, target in routes.reports.items()
    ]
