"""The events that a push of routes says are to be switched on at the host of a source."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.push.webhook_events import webhook_events

START = {"operation": "start_job", "parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}}
PUSH = {"push": {"repository": "acme/web", "branches": ["main"], "tags": ["v*"]}}
PULLS = {"pull_request": {"repository": "acme/web"}}
PREVIEW = {
    "when": PULLS,
    "request": {
        "operation": "start_job",
        "parameters": {"appId": "d1", "branchName": "pr-{pullRequest.number}", "jobType": "RELEASE"},
    },
    "mirror": {"to": "codecommit::web"},
    "preview": {"approval": {"comment": "/preview", "by": ["ada"]}},
}


def events(provider: str, *parameters: dict[str, Any]) -> list[str]:
    git = {"url": "https://git.example.com/{repository}.git"}
    sources = {name: {"provider": name, "secrets": ["/s"], "git": git} for name in (provider, "github")}
    routes = {
        f"route-{number}": {"source": provider, "request": START, **route} for number, route in enumerate(parameters)
    }
    return webhook_events(Routes.model_validate({"sources": sources, "routes": routes}), provider)


@pytest.mark.parametrize(
    ("provider", "routes", "expected"),
    [
        ("gitlab", [{"when": PUSH}], ["Push events", "Tag push events"]),
        ("gitlab", [{"when": PULLS}, {"when": PUSH}], ["Push events", "Tag push events", "Merge request events"]),
        ("bitbucket", [{"when": PUSH}], ["Repository: Push"]),
        ("gitea", [PREVIEW], ["Pull Request", "Pull Request Synchronized", "Pull Request Comment"]),
        ("azure-devops", [{"when": PULLS}], ["Pull request created", "Pull request updated"]),
        ("gitea", [{"when": PUSH, "source": "github"}], []),
        ("gitea", [{"when": PUSH, "source": None}], ["Push"]),
        ("gitea", [{"when": {"request": {}}}], []),
        ("standard", [{"when": {"request": {}}}], []),
    ],
)
def test_they_are_those_that_the_routes_of_the_source_wait_for(
    provider: str, routes: list[dict[str, Any]], expected: list[str]
) -> None:
    assert events(provider, *routes) == expected
