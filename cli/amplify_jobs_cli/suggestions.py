"""The nearest of known names to one that is not known."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

# Other words of the field for a name of ours.
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "when": ("on", "true", "if", "event", "trigger"),
    "pull_request": ("pr", "mr", "pullrequests", "mergerequest", "mergerequests"),
    "schedule": ("cron", "rate"),
    "expression": ("cron", "rate", "at"),
    "repository": ("repo", "project"),
    "targets": ("branches", "branch", "base"),
    "branches": ("targets", "refs", "ref"),
    "paths": ("files", "path"),
    "timeoutMinutes": ("timeout",),
    "request": ("job", "run", "action"),
    "opened": ("open",),
    "merged": ("merge",),
    "closed": ("close",),
    "branch": ("branchName", "ref_name"),
    "commit": ("sha", "commitId"),
    "bitbucket-server": ("bitbucketdatacenter", "stash"),
    "commit_status": ("status", "check", "github", "gitlab", "bitbucket", "gitea", "forgejo", "azuredevops"),
    "pull_request_comment": ("comment", "note", "prcomment", "mrcomment", "mergerequestcomment", "mergerequestnote"),
    "deployment": ("deploy", "environment"),
    "codecommit_comment": ("codecommit",),
    "amazon_q": ("awschatbot", "chatbot", "amazonqdeveloper"),
    "google_chat": ("gchat", "chat", "googlespaces"),
    "teams": ("msteams", "microsoftteams"),
    "webhook": ("url", "hook", "address"),
    "url": ("webhook", "address", "endpoint"),
    "token": ("secret", "pat", "password"),
    "secret": ("key", "token"),
    "context": ("name", "label"),
    "api": ("baseUrl", "host", "server"),
    "azure-devops": ("azure", "vsts", "tfs"),
}


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The known name that is meant by a misspelled one; None if no one is near."""
    spelling = _spelling(name)
    spellings = {_spelling(candidate): candidate for candidate in candidates}
    if spelling in spellings:
        return spellings[spelling]
    for candidate in spellings.values():
        if spelling in map(_spelling, _SYNONYMS.get(candidate, ())):
            return candidate
    close = difflib.get_close_matches(spelling, spellings, n=1, cutoff=0.7)
    if close:
        return spellings[close[0]]
    begun = [candidate for key, candidate in spellings.items() if len(spelling) >= 3 and _continues(key, spelling)]
    return begun[0] if len(begun) == 1 else None


def _continues(first: str, second: str) -> bool:
    return first.startswith(second) or (len(first) >= 4 and second.startswith(first))


def one_of(name: str, candidates: Iterable[str]) -> str:
    """The remedy for a name that is not known: the nearest, or all that are."""
    names = list(candidates)
    near = nearest(name, names) or (names[0] if len(names) == 1 else None)
    return f"use {near}" if near else f"use one of {', '.join(names)}"


def _spelling(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
