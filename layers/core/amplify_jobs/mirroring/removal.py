"""Deletes the branch of a mirror whose preview is over, and no other one."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Protocol

from amplify_jobs.errors import BranchBusy, RequestRejected
from amplify_jobs.events.refs import BRANCHES
from amplify_jobs.mirroring.advertisement import NO_OBJECT, Advertisement, GitService
from amplify_jobs.mirroring.pushing import DELETE_REFS, RefUpdate, push_request, read_report
from amplify_jobs.mirroring.relay import TURNS, Remote, Trace


class RemovalClaims(Protocol):
    """What other requests for the same branch must know of the deletion; each method may raise to end it."""

    def is_preview(self) -> bool | None:
        """Whether the branch was last set for the same pull request; None if nobody is known to have set it."""

    def trace(self) -> Trace:
        """What is known of earlier relays now."""

    def claim_removal(self) -> None:
        """Tell that the branch is deleted, right before the push, or in place of it."""


@dataclass(frozen=True)
class Removal:
    """The commit at which the branch stood, None if nothing was deleted; a warning says why a branch was left."""

    commit: str | None = None
    warnings: tuple[str, ...] = ()


def remove_branch(target: Remote, branch: str, claims: RemovalClaims) -> Removal:
    """Delete a branch that was set for the preview, and stands where it was set. Safe to call again after any failure.

    Raises RequestRejected, Superseded where a newer request has set the branch, BranchBusy and ServiceTrouble.
    """
    ref = BRANCHES + branch
    refusal = None
    for _ in range(TURNS):
        offer = target.advertisement(GitService.RECEIVE_PACK).require_usable(target.address)
        old = offer.refs.get(ref)
        is_preview = claims.is_preview()
        if is_preview is False or (is_preview is None and old is not None):
            return Removal(warnings=(f"{branch} of {target.address} was not set for this pull request, and stays",))
        if old is None:
            # A late push must not set it again.
            claims.claim_removal()
            return Removal()
        if old not in claims.trace().commits:
            raise RequestRejected(
                f"{branch} of {target.address} stands at {old}, to which somebody else moved it; delete this branch "
                "by hand if nobody needs it"
            )
        if refusal is not None and refusal[0] == old:
            raise RequestRejected(f"{target.address} refused to delete {branch}: {refusal[1]}")
        reason = _delete(target, RefUpdate(ref, old, NO_OBJECT), offer, claims)
        if reason is None:
            return Removal(old)
        refusal = (old, reason)
    raise BranchBusy(f"{branch} of {target.address} is being moved by others.")


def _delete(target: Remote, update: RefUpdate, offer: Advertisement, claims: RemovalClaims) -> str | None:
    """Push the deletion; the reason if it was refused."""
    if DELETE_REFS not in offer.capabilities:
        raise RequestRejected(f"{target.address} lets nobody delete a branch by a push; delete {update.ref} by hand")
    claims.claim_removal()
    with target.receive_pack(push_request(update, offer), io.BytesIO()) as answer:
        reason = read_report(answer, update, offer)
    if reason is None and update.ref in target.advertisement(GitService.RECEIVE_PACK).refs:
        raise BranchBusy(f"{update.ref} of {target.address} is there after it was deleted.")
    return reason
