"""What stand-ins of git hosts and chats answer to who reads: it is what `amplify-jobs reports check` asks for.

Each host's answer to a token with the right that statuses need; https://docs.github.com/rest/users/users,
https://docs.gitlab.com/api/personal_access_tokens, https://docs.slack.dev/reference/methods/auth.test and so on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Reply = tuple[int, dict[str, Any], dict[str, str]]

_WRITERS = {"permissions": {"admin": False, "push": True, "pull": True}}


def _github(path: str) -> Reply | None:
    if path == "/user":
        return 200, {"login": "amplify-jobs"}, {"x-oauth-scopes": "repo:status"}
    repository = re.fullmatch(r"/repos/([^/]+/[^/]+)", path)
    return (200, {"full_name": repository[1], "archived": False, **_WRITERS}, {}) if repository else None


def _gitlab(path: str) -> Reply | None:
    if path == "/personal_access_tokens/self":
        return 200, {"scopes": ["api"], "expires_at": None, "active": True}, {}
    if re.fullmatch(r"/projects/[^/]+", path):
        return 200, {"id": 1, "permissions": {"project_access": {"access_level": 30}, "group_access": None}}, {}
    return None


def _bitbucket(path: str) -> Reply | None:
    repository = re.fullmatch(r"/repositories/([^/]+/[^/]+)", path)
    scopes = {"x-oauth-scopes": "repository:write"}
    return (200, {"full_name": repository[1]}, scopes) if repository else None


def _bitbucket_server(path: str) -> Reply | None:
    if re.fullmatch(r"/rest/api/latest/projects(/[^/]+/repos/[^/]+)?", path):
        return 200, {"size": 0, "values": []}, {}
    return None


def _gitea(path: str) -> Reply | None:
    repository = re.fullmatch(r"/repos/([^/]+/[^/]+)", path)
    return (200, {"full_name": repository[1], **_WRITERS}, {}) if repository else None


def _azure_devops(path: str) -> Reply | None:
    return (200, {"authenticatedUser": {"id": "1"}}, {}) if path == "/_apis/connectionData" else None


def _slack_bot(path: str) -> Reply:
    if path == "/auth.test":
        return 200, {"ok": True, "team": "acme", "bot_id": "B1"}, {"x-oauth-scopes": "chat:write"}
    return 200, {"ok": False, "error": "unknown_method"}, {}


def _discord(_: str) -> Reply:
    return 200, {"id": "1", "type": 1, "name": "amplify-jobs"}, {}


_READERS: Mapping[str, Callable[[str], Reply | None]] = {
    "github": _github,
    "gitlab": _gitlab,
    "bitbucket": _bitbucket,
    "bitbucket-server": _bitbucket_server,
    "gitea": _gitea,
    "forgejo": _gitea,
    "azure-devops": _azure_devops,
    "slack_bot": _slack_bot,
    "discord": _discord,
}


def read_answer(name: str, path: str, *, has_token: bool) -> Reply | None:
    """Answer a GET to a stand-in; None where it has nothing to read. An API wants a token."""
    reader = _READERS.get(name)
    if reader is None:
        return None
    if name != "discord" and not has_token:
        return 401, {"message": "Requires authentication"}, {}
    return reader(path)
