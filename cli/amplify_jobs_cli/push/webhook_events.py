"""What the webhook of a source must be set to send, in the host's own words, for the routes that it may start."""

from __future__ import annotations

from amplify_jobs.events.git_hosts import TITLES, git_host
from amplify_jobs.routing.routes import Routes


def webhook_events(routes: Routes, source: str) -> list[str]:
    """The events to switch on at the host of a source; none where it is no git host, or no route waits for it."""
    provider = routes.sources[source].provider
    if provider not in TITLES:
        return []
    needs: set[str] = set()
    for route in routes.routes.values():
        if route.source in (None, source):
            needs.update(route.when.kinds)
            if route.preview is not None and route.preview.approval is not None:
                needs.add("approval")
    named = (name for need, names in git_host(provider).WEBHOOK_EVENTS.items() if need in needs for name in names)
    return list(dict.fromkeys(named))
