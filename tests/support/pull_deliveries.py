"""Deliveries of pull requests of forks, and of what approves one, as each host with approvals sends them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.git_hosts import FORMS, Attempt, Operation

Body = dict[str, Any]
WORD, PERSON = "/preview", "ada"
# What a route says approves, by the host.
APPROVALS: dict[str, dict[str, Any]] = {
    "github": {"label": "preview"},
    "gitlab": {"label": "preview"},
    "bitbucket-server": {"comment": WORD, "by": [PERSON]},
    "gitea": {"comment": WORD, "by": [PERSON]},
    "forgejo": {"comment": WORD, "by": [PERSON]},
    "azure-devops": {"comment": WORD, "by": [PERSON]},
}
# The newest form of each host.
RENDERS = {provider: render for provider, render in reversed(FORMS.values()) if provider in APPROVALS}


def delivery(provider: str, operation: Operation, *, is_fork: bool = False) -> Attempt:
    """What a host sends of a deed to a pull request; the deed `approved` is the label or comment that approves."""
    is_approval = operation.deed == "approved"
    attempt = RENDERS[provider](replace(operation, deed="nothing") if is_approval else operation, 1)
    headers, body = dict(attempt.headers), json.loads(json.dumps(attempt.body))
    if is_fork:
        _FORKS[provider](body)
    if is_approval:
        _APPROVED[provider](headers, body, operation)
    return Attempt(headers, body)


def _fork_like_github(body: Body) -> None:
    body["pull_request"]["head"]["repo"] = {"full_name": "eve/web"}


def _fork_of_gitlab(body: Body) -> None:
    body["object_attributes"]["source_project_id"] = 2


def _fork_of_bitbucket_server(body: Body) -> None:
    body["pullRequest"]["fromRef"]["repository"] = {"slug": "web", "project": {"key": "~EVE"}}


def _fork_of_azure_devops(body: Body) -> None:
    body["resource"]["forkSource"] = {"repository": {"name": "web", "project": {"name": "eve"}}}


_FORKS: dict[str, Callable[[Body], None]] = {
    "github": _fork_like_github,
    "gitlab": _fork_of_gitlab,
    "bitbucket-server": _fork_of_bitbucket_server,
    "gitea": _fork_like_github,
    "forgejo": _fork_like_github,
    "azure-devops": _fork_of_azure_devops,
}


def _label_of_github(headers: Body, body: Body, operation: Operation) -> None:
    body |= {"action": "labeled", "label": {"name": "preview"}, "sender": {"login": PERSON}}


def _label_of_gitlab(headers: Body, body: Body, operation: Operation) -> None:
    body |= {"changes": {"labels": {"previous": [], "current": [{"title": "preview"}]}}, "user": {"username": PERSON}}


def _comment_of_bitbucket_server(headers: Body, body: Body, operation: Operation) -> None:
    headers["X-Event-Key"] = "pr:comment:added"
    body["pullRequest"] |= {"state": "OPEN", "updatedDate": 1}
    body |= {"comment": {"id": operation.serial, "text": WORD}, "actor": {"name": PERSON, "displayName": "Ada"}}


def _comment_like_gitea(headers: Body, body: Body, operation: Operation) -> None:
    (name,) = (name for name in headers if name.endswith("-Event"))
    headers[name] = "issue_comment"
    del body["number"]
    comment = {"id": operation.serial, "body": WORD, "created_at": operation.time(), "user": {"login": PERSON}}
    body |= {"action": "created", "is_pull": True, "comment": comment, "sender": {"login": PERSON}}


def _comment_of_azure_devops(headers: Body, body: Body, operation: Operation) -> None:
    times = {"publishedDate": operation.time(), "lastContentUpdatedDate": operation.time()}
    author = {"displayName": "Ada", "id": PERSON}
    comment = {"id": 1, "author": author, "content": WORD, "commentType": "text", **times}
    body["eventType"] = "ms.vss-code.git-pullrequest-comment-event"
    body["resource"] = {"comment": comment, "pullRequest": body["resource"]}


_APPROVED: dict[str, Callable[[Body, Body, Operation], None]] = {
    "github": _label_of_github,
    "gitlab": _label_of_gitlab,
    "bitbucket-server": _comment_of_bitbucket_server,
    "gitea": _comment_like_gitea,
    "forgejo": _comment_like_gitea,
    "azure-devops": _comment_of_azure_devops,
}
