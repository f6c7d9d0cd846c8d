"""What is known of the refs of a repository from one look at its host to the next."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from amplify_jobs.model.base import GrowingModel


class Sighting(GrowingModel):
    """A ref that stands at an object for which nobody has asked yet, as far as is known.

    `before` is where it stood when all was asked for, None where it is new, and `between` where it was seen since. It
    was seen elsewhere, or was not there, at about `asked_since`. `redelivered` says that the host was asked to deliver
    again what had failed.
    """

    object_id: str
    commit: str
    before: str | None
    first_seen: AwareDatetime
    asked_since: AwareDatetime
    between: tuple[str, ...] = ()
    redelivered: bool = False


class Snapshot(GrowingModel):
    """The refs that begin with `prefixes`: those that need nothing, by their objects, and the others.

    `tried_at` is the last look at the host, `reached_at` the last one that it answered, None if it never did.
    `failing_since` is the first look of those that it has not answered since.
    """

    version: Literal["1"] = "1"
    prefixes: tuple[str, ...] = ()
    tried_at: AwareDatetime
    reached_at: AwareDatetime | None = None
    failing_since: AwareDatetime | None = None
    settled: dict[str, str] = Field(default_factory=dict)
    waiting: dict[str, Sighting] = Field(default_factory=dict)
