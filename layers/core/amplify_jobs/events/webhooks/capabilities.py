"""What a host never tells of an event, so that no condition of a route and no value in it can rest on it.

docs/git-hosts.md shows this table. What a host tells in some deliveries only, or in newer versions, counts as told.
"""

from __future__ import annotations

from collections.abc import Iterable

from amplify_jobs.events.event import EventKind

# The hosts' own names, for people.
HOSTS = {
    "github": "GitHub",
    "gitlab": "GitLab",
    "bitbucket": "Bitbucket Cloud",
    "bitbucket-server": "Bitbucket Data Center",
    "gitea": "Gitea",
    "forgejo": "Forgejo",
    "azure-devops": "Azure DevOps",
    "codecommit": "CodeCommit",
}
# Members of Event and PullRequest; `reopened` is the action.
_RELEASE = frozenset({"release", "branch", "commit", "message", "ref", "tag", "repository"})
_FILES = frozenset({"changed_files"})

UNTOLD: dict[str, dict[EventKind, frozenset[str]]] = {
    "github": {EventKind.PULL_REQUEST: _FILES},
    "gitlab": {EventKind.PULL_REQUEST: _FILES, EventKind.RELEASE: frozenset({"branch"})},
    "bitbucket": {
        EventKind.PUSH: _FILES,
        # An update may be anything.
        EventKind.PULL_REQUEST: _FILES | {"before", "ref", "reopened", "became_ready"},
        EventKind.RELEASE: _RELEASE,
    },
    "bitbucket-server": {EventKind.PUSH: _FILES, EventKind.PULL_REQUEST: _FILES, EventKind.RELEASE: _RELEASE},
    "gitea": {EventKind.PULL_REQUEST: _FILES | {"before"}},
    "forgejo": {EventKind.PULL_REQUEST: _FILES | {"before"}},
    "azure-devops": {
        EventKind.PUSH: _FILES,
        EventKind.PULL_REQUEST: _FILES | {"before", "reopened", "became_ready"},
        EventKind.RELEASE: _RELEASE,
    },
    "codecommit": {
        EventKind.PUSH: _FILES | {"author", "message"},
        EventKind.TAG: frozenset({"author", "message"}),
        EventKind.PULL_REQUEST: _FILES | {"before", "ref", "draft", "reopened", "became_ready"},
        EventKind.RELEASE: _RELEASE,
    },
}


def untold(hosts: Iterable[str], kinds: Iterable[EventKind], member: str) -> bool:
    """Say whether none of the hosts ever tells a member, of any of the kinds of events."""
    kinds = tuple(kinds)
    return all(member in UNTOLD[host].get(kind, ()) for host in hosts for kind in kinds)
