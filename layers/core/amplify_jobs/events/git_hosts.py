"""The git hosts whose events are understood, and what each never tells, so that no condition or value can rest on it.

docs/git-hosts.md shows these tables. What a host tells in some deliveries only, or in newer versions, counts as told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Literal, Protocol, cast

from amplify_jobs.events.event import EventKind
from amplify_jobs.events.evidence import Evidence
from amplify_jobs.events.webhooks import PROVIDERS, module_of

# The hosts' own names, for people. CodeCommit has no webhook: its events come from EventBridge.
TITLES = {name: row.title for name, row in PROVIDERS.items() if row.is_git_host} | {"codecommit": "CodeCommit"}


class GitHost(Protocol):
    """What the module of a git host says of it."""

    # What makes its events new; the first that is of an event counts.
    EVIDENCE: Sequence[Evidence]
    # Members of Event and PullRequest that it never tells, by the kind of event; `reopened` is the action.
    OMISSIONS: Mapping[EventKind, frozenset[str]]
    # What may approve the code of a fork: an event that names the commit and the person. None where no event does.
    APPROVAL: Literal["label", "comment"] | None
    # What a webhook must be set to send, in the host's words, for the events of a kind, or for approvals.
    WEBHOOK_EVENTS: Mapping[EventKind | Literal["approval"], tuple[str, ...]]


def git_host(name: str) -> GitHost:
    """The module that knows a git host of TITLES."""
    return cast(GitHost, import_module("amplify_jobs.events.codecommit" if name == "codecommit" else module_of(name)))


def omit(hosts: Iterable[str], kinds: Iterable[EventKind], member: str) -> bool:
    """Whether none of the hosts ever tells a member, of any of the kinds of events."""
    kinds = tuple(kinds)
    return all(member in git_host(host).OMISSIONS.get(kind, ()) for host in hosts for kind in kinds)
