"""What a request asks for a preview: the branch of an app that shows a pull request as long as it is open."""

from __future__ import annotations

from enum import StrEnum

from amplify_jobs.model.base import GrowingModel


class PreviewAction(StrEnum):
    """Whether the branch is made ready for a job, or taken away."""

    BUILD = "build"
    REMOVE = "remove"


class PreviewOrder(GrowingModel):
    """The pull request of a source's repository whose preview is built or removed.

    What the branch is created with stays in the routes, so that no request can bring its own. `sourceBranch` is the
    branch of the repository from which the pull request comes; None of a fork (`isFork`), or where it is not known.
    """

    action: PreviewAction
    source: str
    repository: str
    pull_request: int
    source_branch: str | None = None
    is_fork: bool = False
