"""The routes as a stage reads them while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from amplify_jobs.routing.routes import Routes


class CurrentRoutes(Protocol):
    """The routes that were pushed; aws.stored_routes.StoredRoutes."""

    def current(self, *, fresh: bool = False) -> Routes: ...
