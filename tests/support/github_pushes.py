"""Pushes of GitHub as API Gateway hands them to receive_webhook, and the routes that they match."""

from __future__ import annotations

import base64
import json
from typing import Any

from amplify_jobs.events.webhooks import github

SECRET, SECRET_NAME = "It's a Secret to Everybody", "/amplify-jobs/secrets/github"
OLD, NEW, NO_COMMIT = "1" * 40, "2" * 40, "0" * 40

ROUTES: dict[str, Any] = {
    "sources": {"github": {"provider": "github", "secrets": [SECRET_NAME]}},
    "routes": {
        "web": {
            "when": {"push": {"repository": "acme/web", "branches": ["main", "release/*"]}},
            "request": {
                "operation": "start_job",
                "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "{branch}", "jobType": "RELEASE"},
            },
            "timeoutMinutes": 45,
        }
    },
}


def push(branch: str = "main", **changes: Any) -> dict[str, Any]:
    head = {
        "id": NEW,
        "message": "Say hello\n\nFor real",
        "timestamp": "2026-01-31T12:00:00+01:00",
        "author": {"name": "Ada", "email": "ada@example.com"},
        "added": ["hello.html"],
        "removed": [],
        "modified": ["index.html"],
    }
    repository = {"full_name": "acme/web", "html_url": "https://github.com/acme/web", "pushed_at": 1769857200}
    return {
        "ref": f"refs/heads/{branch}",
        "before": OLD,
        "after": NEW,
        "created": False,
        "deleted": False,
        "forced": False,
        "commits": [head],
        "head_commit": head,
        "repository": repository,
        **changes,
    }


def delivery(
    payload: dict[str, Any] | bytes,
    *,
    event: str = "push",
    source: str = "github",
    secret: str = SECRET,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return {
        "version": "2.0",
        "routeKey": "POST /webhooks/{source}",
        "rawPath": f"/webhooks/{source}",
        "headers": {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "x-hub-signature-256": github.sign(secret, body),
            **(headers or {}),
        },
        "pathParameters": {"source": source},
        "body": body.decode(errors="surrogateescape"),
        "isBase64Encoded": False,
    }


def as_base64(event: dict[str, Any]) -> dict[str, Any]:
    """The same delivery as API Gateway hands it over if its content type is no text."""
    body = event["body"].encode(errors="surrogateescape")
    return {**event, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
