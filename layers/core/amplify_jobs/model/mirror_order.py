"""What a request asks to be mirrored before its job starts."""

from __future__ import annotations

from amplify_jobs.model.base import GrowingModel


class MirrorResult(GrowingModel):
    """What the function mirror found in the commits that it brought; the state machine adds it to the request."""

    warnings: tuple[str, ...] = ()


class MirrorOrder(GrowingModel):
    """A commit of a source's repository, for a branch of the mirror of the request's route.

    Without a `commit` it is whatever `ref` leads to at that time. `before` is the commit that a push replaced.
    With `mayGoBack` a person asked for this commit by name: the branch is set to it even if it stands at a newer one.
    With `remove` the branch is deleted, if it was last set for a preview of the request's pull request.
    Addresses and credentials stay in the routes, so that no request can lead a token elsewhere.
    """

    source: str
    repository: str
    ref: str
    commit: str | None = None
    before: str | None = None
    branch: str
    may_go_back: bool = False
    remove: bool = False
    result: MirrorResult | None = None
