"""Where anybody reads the comments on a pull request, and how each host writes them down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Comments = list[tuple[str, str]]
"""The identity and the text of each comment."""


@dataclass(frozen=True)
class CommentList:
    """A host's path of the comments on a pull request of acme/web, and what reads an answer."""

    path: str
    read: Callable[[Any], Comments]

    def of(self, number: int) -> str:
        """The path of the comments on the pull request with this number."""
        return self.path.format(number=number)


def _plain(content: Any) -> Comments:
    return [(str(one["id"]), one["body"]) for one in content]


def _bitbucket(content: Any) -> Comments:
    return [(str(one["id"]), one["content"]["raw"]) for one in content["values"] if not one["deleted"]]


def _bitbucket_server(content: Any) -> Comments:
    added = [one["comment"] for one in content["values"] if "comment" in one]
    return [(str(one["id"]), one["text"]) for one in added]


def _azure_devops(content: Any) -> Comments:
    return [(str(one["id"]), one["comments"][0]["content"]) for one in content["value"]]


# The provider -> its list. Queries that a host does not know are nothing to it.
COMMENT_LISTS = {
    "github": CommentList("/repos/acme/web/issues/{number}/comments", _plain),
    "gitea": CommentList("/repos/acme/web/issues/{number}/comments", _plain),
    "forgejo": CommentList("/repos/acme/web/issues/{number}/comments", _plain),
    "gitlab": CommentList("/projects/acme%2Fweb/merge_requests/{number}/notes", _plain),
    "bitbucket": CommentList("/repositories/acme/web/pullrequests/{number}/comments", _bitbucket),
    "bitbucket-server": CommentList(
        "/rest/api/latest/projects/acme/repos/web/pull-requests/{number}/activities", _bitbucket_server
    ),
    "azure-devops": CommentList("/acme/_apis/git/repositories/web/pullRequests/{number}/threads", _azure_devops),
}
WHOLE_PAGE = {"per_page": "100", "pagelen": "100", "limit": "100", "api-version": "7.1", "sort": "asc"}
