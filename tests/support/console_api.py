"""The API as the console's tests call it: it answers with the examples, and keeps what it was asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from amplify_jobs_console.api import ApiError
from tests.support.console_answers import (
    ADMIN,
    ASKED,
    DOCS,
    FAILED,
    FINISHED,
    FIXED,
    HISTORY,
    LIVE_LOG,
    LOG,
    REJECTED,
    RUNNING,
    SHOP,
    STORIES,
    WAITING,
    at,
)

API_URL = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
BRANCHES: list[dict[str, Any]] = [
    {
        "appId": SHOP,
        "appName": "shop",
        "branchName": "main",
        "live": {"commit": HISTORY[0]["commit"], "jobId": "16", "at": at(hours=2), "requestId": "shop-0016"},
        "last": FAILED,
        "running": None,
        "badge": "/badges/kQ3c2a9vY0d1.svg",
    },
    {"appId": SHOP, "appName": "shop", "branchName": "production", "live": None, "last": REJECTED, "running": None},
    {
        "appId": ADMIN,
        "appName": "admin",
        "branchName": "release/2026-11",
        "live": {
            "commit": "5c0ffee1a2b3c4d5e6f708192a3b4c5d6e7f8091",
            "jobId": "42",
            "at": at(days=1),
            "requestId": "a-42",
        },
        "last": RUNNING,
        "running": RUNNING,
    },
    {
        "appId": DOCS,
        "appName": "docs",
        "branchName": "main",
        "live": {
            "commit": "0ddba11cafe0123456789abcdef0123456789abc",
            "jobId": "208",
            "at": at(days=3),
            "requestId": "d-208",
        },
        "last": WAITING,
        "running": WAITING,
    },
]

DELIVERY = {
    "deliveryId": "91024057-87c1-11f0",
    "source": "github",
    "provider": "github",
    "receivedAt": at(minutes=5),
    "kind": "push",
    "repository": "acme/mono",
    "ref": "refs/heads/main",
    "commit": ASKED,
    "requests": 1,
    "summary": "1 of 3 routes requests a job: shop",
}
DELIVERIES = [
    DELIVERY,
    {
        **DELIVERY,
        "deliveryId": "9101aa",
        "receivedAt": at(minutes=17),
        "ref": "refs/heads/try-fonts",
        "requests": 0,
        "summary": "No route wants this push: branch try-fonts does not match main",
        "commit": FIXED,
    },
    {
        **DELIVERY,
        "deliveryId": "9100ff",
        "receivedAt": at(minutes=31),
        "kind": "tag",
        "ref": "refs/tags/v1.2.4",
        "summary": "1 of 3 routes requests a job: shop-production",
        "commit": FIXED,
    },
]
DELIVERY_STORY = {
    **DELIVERY,
    "decisions": [
        {
            "route": "shop",
            "matched": True,
            "reason": "push to main of acme/mono; 2 files match apps/shop/**",
            "requestId": "shop-cde836c2a17f4d0b",
        },
        {
            "route": "admin",
            "matched": False,
            "reason": "none of 2 changed files matches apps/admin/**",
            "requestId": None,
        },
        {"route": "docs", "matched": False, "reason": "none of 2 changed files matches docs/**", "requestId": None},
    ],
    "isReplayable": True,
}
ROUTES = {
    "routes": {
        "sources": {"github": {"provider": "github", "secrets": ["/amplify-jobs/secrets/github"]}},
        "routes": {
            "shop": {
                "source": "github",
                "when": {"push": {"repository": "acme/mono", "branches": ["main"], "paths": ["apps/shop/**"]}},
                "request": {
                    "operation": "start_job",
                    "parameters": {"appId": SHOP, "branchName": "main", "jobType": "RELEASE"},
                },
            },
            "docs": {
                "when": {"schedule": {"expression": "cron(0 3 * * ? *)", "timezone": "Europe/Berlin"}},
                "request": {
                    "operation": "start_job",
                    "parameters": {"appId": DOCS, "branchName": "main", "jobType": "RELEASE"},
                },
            },
        },
    },
    "pushedAt": at(days=1, hours=2),
    "asOf": at(seconds=0),
}
SCHEDULES = [
    {
        "name": "docs-1f2e",
        "expression": "cron(0 3 * * ? *)",
        "timezone": "Europe/Berlin",
        "route": "docs",
        "next": [at(hours=-11.667), at(hours=-35.667), at(hours=-59.667)],
        "state": "ENABLED",
    }
]
HEALTH = {"asOf": at(seconds=3), "lagSeconds": 1, "warnings": []}


def listed(items: list[Any], following: str | None = None) -> dict[str, Any]:
    return {"items": items, "next": following, "asOf": at(seconds=0)}


# Fewer than a caller asks for, as the API may do.
_PAGE = 5


@dataclass
class ExampleApi:
    """The API with the answers above. `posted` is what was asked for; `failures` are answers of paths that fail."""

    posted: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    failures: dict[str, ApiError] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        if path in self.failures:
            raise self.failures[path]
        if path in self.answers:
            return self.answers[path]
        match [unquote(one) for one in path.split("/")[1:]]:
            case ["requests"]:
                return self._requests(query)
            case ["requests", request_id] if request_id in STORIES:
                return STORIES[request_id]
            case ["requests", request_id, "log"] if request_id in STORIES:
                log = LIVE_LOG if request_id == RUNNING["requestId"] else LOG
                return log if query.get("offset", "0") == "0" else {**log, "text": ""}
            case ["branches"]:
                return listed([one for one in BRANCHES if _is_asked_for(one, query)])
            case ["deliveries"]:
                return listed(DELIVERIES)
            case ["deliveries", delivery_id] if delivery_id == DELIVERY["deliveryId"]:
                return DELIVERY_STORY
            case [name] if name in _ANSWERS:
                return _ANSWERS[name]
        raise ApiError(404, "There is no such request", f"{path} is not in the index")

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        if path in self.failures:
            raise self.failures[path]
        self.posted.append((path, dict(body)))
        return {"requestId": "shop-new0001"}

    def _requests(self, query: Mapping[str, str]) -> Any:
        match query.get("state", ""):
            case "running":
                return listed([RUNNING])
            case "waiting":
                return listed([WAITING])
        every = FINISHED if query.get("state") else [WAITING, RUNNING, *FINISHED]
        app, branch = query.get("app"), query.get("branch")
        chosen = [
            one for one in every if app in (None, one["appId"], one["appName"]) and branch in (None, one["branchName"])
        ]
        start, limit = int(query.get("next", "0")), min(_PAGE, int(query.get("limit", "30")))
        following = str(start + limit) if len(chosen) > start + limit else None
        return listed(chosen[start : start + limit], following)


def _is_asked_for(branch: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    app, name = query.get("app"), query.get("branch")
    return app in (None, branch["appId"], branch["appName"]) and name in (None, branch["branchName"])


_ANSWERS = {
    "routes": ROUTES,
    "schedules": listed(SCHEDULES),
    "health": HEALTH,
}
