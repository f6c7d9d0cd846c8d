"""What a request asks for the preview of a pull request: a branch of the app that lasts as long as the pull request."""

from __future__ import annotations

from enum import StrEnum

from amplify_jobs.model.base import GrowingModel


class PreviewAction(StrEnum):
    """What becomes of the preview: `build` makes sure that its branch is there, `remove` takes the branch away."""

    BUILD = "build"
    REMOVE = "remove"


class PreviewOrder(GrowingModel):
    """The preview of a pull request, by the request's app and branch.

    `repository` and `pullRequest` are the pull request's own, `sourceBranch` is None where the host does not tell it.
    The template of the branch stays in the routes, so that no request can bring its own variables or login.
    """

    source: str
    repository: str
    pull_request: int
    source_branch: str | None = None
    is_fork: bool
    action: PreviewAction
