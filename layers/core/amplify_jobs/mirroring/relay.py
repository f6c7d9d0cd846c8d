"""Brings one commit of a source to one branch of a target, as one pack and without a clone."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import BinaryIO, Protocol

from amplify_jobs.errors import BranchBusy, RequestRejected, Superseded
from amplify_jobs.events.refs import BRANCHES, TAGS
from amplify_jobs.mirroring.advertisement import Advertisement, GitService
from amplify_jobs.mirroring.fetching import (
    CommitNotGivenError,
    PackTooLargeError,
    Want,
    fetch_request,
    receive_pack_file,
)
from amplify_jobs.mirroring.pack import PackContents, descends, read_pack
from amplify_jobs.mirroring.pkt_line import Readable
from amplify_jobs.mirroring.pushing import RefUpdate, push_request, read_report

# Each turn after the first follows a refusal.
TURNS = 3
LFS_WARNING = "The repository has files of Git LFS; a mirror has their pointers only, and the build must fetch them"
SUBMODULES_WARNING = "The repository has submodules with relative addresses; they lead elsewhere in a mirror"


class Remote(Protocol):
    """A repository on a git server; aws.git_http.GitRemote.

    `address` has no credentials. Every method raises ServiceTrouble and RequestRejected.
    """

    @property
    def address(self) -> str: ...

    def advertisement(self, service: GitService) -> Advertisement: ...

    def upload_pack(self, request: bytes) -> AbstractContextManager[Readable]: ...

    def receive_pack(self, request: bytes, pack: BinaryIO) -> AbstractContextManager[Readable]: ...


@dataclass(frozen=True)
class Trace:
    """What is known of earlier relays to a branch: the commits that it was set to, and from which ref the last came."""

    commits: frozenset[str] = frozenset()
    ref: str | None = None


class Claims(Protocol):
    """What other relays to the same branch must know of this one; each may raise to end it."""

    def wait_for_predecessor(self, branch: str | None) -> None:
        """Raises BranchBusy while the push before this one may still come; the branch stands at the commit `branch`."""

    def trace(self) -> Trace:
        """What is known of earlier relays now."""

    def claim(self, commit: str) -> None:
        """Tell that the branch is set to a commit, right before the push, or in place of it."""


@dataclass(frozen=True)
class Order:
    """What to bring where. `commit` is None for whatever `ref` of the source leads to now; `branch` is a name.

    Bitbucket Cloud abbreviates the commits of pull requests: such a `commit` is the tip of `ref`, or is past.

    With `may_go_back` the branch may be set to a commit that is older than the one that it stands at.
    """

    ref: str
    commit: str | None
    branch: str
    may_go_back: bool = False


@dataclass(frozen=True)
class Arrival:
    """The commit at which the branch stands; `objects` came for it, which is none where it stood there before."""

    commit: str
    objects: int = 0
    warnings: tuple[str, ...] = ()


class Relation(Enum):
    """How the commit lies to the one that the branch stands at."""

    NEW = auto()
    FORWARD = auto()
    NOT_FORWARD = auto()
    UNKNOWN_TO_SOURCE = auto()


@dataclass(frozen=True)
class _Goal:
    """The commit, the object to ask for so that it comes, and what the source's ref leads to."""

    commit: str
    object_id: str
    tip: str
    tip_object_id: str

    @property
    def is_behind_tip(self) -> bool:
        """Whether the commit comes only as a part of the history of the tip."""
        return self.object_id == self.tip_object_id and self.commit != self.tip


class Relay:
    """Relays between two repositories; `open_file` makes an empty file, of which `limit` bytes may be used."""

    def __init__(
        self,
        source: Remote,
        target: Remote,
        *,
        open_file: Callable[[], AbstractContextManager[BinaryIO]],
        limit: int,
        claims: Claims,
    ) -> None:
        self._source = source
        self._target = target
        self._open_file = open_file
        self._limit = limit
        self._claims = claims

    def run(self, order: Order) -> Arrival:
        """Set the branch to the commit, and no other ref. Safe to call again after any failure.

        Raises RequestRejected, Superseded where the source has moved on, BranchBusy and ServiceTrouble.
        """
        ref = BRANCHES + order.branch
        refusal = None
        for _ in range(TURNS):
            target = self._advertisement(self._target, GitService.RECEIVE_PACK)
            source = self._advertisement(self._source, GitService.UPLOAD_PACK)
            goal = _goal(order, source, self._source.address)
            old = target.refs.get(ref)
            if old == goal.commit:
                self._claims.claim(goal.commit)
                return Arrival(goal.commit)
            self._claims.wait_for_predecessor(old)
            if refusal is not None and refusal[0] == old:
                raise RequestRejected(f"{self._target.address} refused the push to {order.branch}: {refusal[1]}")
            with self._open_file() as file:
                try:
                    contents = self._bring(order, goal, source, target, file)
                except PackTooLargeError:
                    raise RequestRejected(self._by_hand(order, goal)) from None
                reason = self._push(RefUpdate(ref, old, goal.commit), target, file)
            if reason is None:
                self._verify(ref, goal.commit)
                return Arrival(goal.commit, contents.objects, tuple(_warnings(contents)))
            refusal = (old, reason)
        raise BranchBusy(f"{order.branch} of {self._target.address} is being moved by others.")

    def _advertisement(self, remote: Remote, service: GitService) -> Advertisement:
        return remote.advertisement(service).require_usable(remote.address)

    def _bring(
        self, order: Order, goal: _Goal, source: Advertisement, target: Advertisement, file: BinaryIO
    ) -> PackContents:
        """Fetch what is missing into the file, if the branch may be moved."""
        try:
            relation, contents = self._fetch(order, goal, source, target, file)
        except CommitNotGivenError:
            if goal.object_id == goal.tip_object_id:
                raise BranchBusy(f"{self._source.address} moved while it was asked.") from None
            # A server may say that it gives any commit, and refuse one that no ref leads to.
            return self._bring(order, replace(goal, object_id=goal.tip_object_id), source, target, file)
        if relation not in {Relation.NEW, Relation.FORWARD}:
            self._check_force(order, goal, source, target.refs[BRANCHES + order.branch])
        return contents

    def _fetch(
        self, order: Order, goal: _Goal, source: Advertisement, target: Advertisement, file: BinaryIO
    ) -> tuple[Relation, PackContents]:
        old = target.refs.get(BRANCHES + order.branch)
        # With this one alone, the pack has all commits between it and the new one, and so tells how they lie.
        if old is not None and self._receive(source, Want(goal.object_id, [old], required=True), file):
            contents = read_pack(file, with_graph=True)
            if descends(contents.graph, goal.commit, old):
                return Relation.FORWARD, contents
            relation = Relation.NOT_FORWARD
        else:
            self._receive(source, Want(goal.object_id, target.tips), file)
            contents = read_pack(file, with_graph=goal.is_behind_tip)
            relation = Relation.NEW if old is None else Relation.UNKNOWN_TO_SOURCE
        if goal.is_behind_tip and goal.commit not in contents.graph:
            if not order.ref.startswith((BRANCHES, TAGS)):
                raise RequestRejected(
                    f"{order.ref} of {self._source.address} has no {goal.commit}: the pull request has moved on, or "
                    "the host brings this ref up to date only when somebody looks at the pull request"
                )
            if not order.may_go_back:
                raise Superseded(f"{order.ref} of the source has moved on from {goal.commit} to {goal.tip}.")
            contents = self._fetch_history(order, goal, source, file)
        return relation, contents

    def _fetch_history(self, order: Order, goal: _Goal, source: Advertisement, file: BinaryIO) -> PackContents:
        """Fetch all of a ref for a commit that lies before what the target has, from a server that gives tips only."""
        self._receive(source, Want(goal.object_id), file)
        contents = read_pack(file, with_graph=True)
        if goal.commit not in contents.graph:
            raise RequestRejected(f"{goal.commit} is not in the history of {order.ref} of {self._source.address}")
        return contents

    def _receive(self, source: Advertisement, want: Want, file: BinaryIO) -> bool:
        """Fetch a pack; False if the source knows none of the commits that are required."""
        file.seek(0)
        file.truncate()
        with self._source.upload_pack(fetch_request(want, source)) as answer:
            return receive_pack_file(answer, want, file, self._limit)

    def _check_force(self, order: Order, goal: _Goal, source: Advertisement, old: str) -> None:
        """Let a push that is no fast-forward pass only where the source itself left the commit of the branch."""
        trace = self._claims.trace()
        if old not in trace.commits:
            raise RequestRejected(
                f"{order.branch} of {self._target.address} was moved to {old}, which is not in the history of "
                f"{goal.commit}; delete or correct this branch of the mirror, to which nobody else should push"
            )
        if order.may_go_back:
            return
        if trace.ref == order.ref and goal.tip != goal.commit and self._tip_descends(goal, source, old):
            raise Superseded(f"{order.ref} of the source has moved on from {goal.commit}.")

    def _tip_descends(self, goal: _Goal, source: Advertisement, old: str) -> bool:
        if goal.tip == old:
            return True
        with self._open_file() as file:
            if not self._receive(source, Want(goal.tip_object_id, [old], required=True), file):
                return False
            return descends(read_pack(file, with_graph=True).graph, goal.tip, old)

    def _push(self, update: RefUpdate, offer: Advertisement, pack: BinaryIO) -> str | None:
        """Push the pack; the reason if it was refused."""
        self._claims.claim(update.new)
        pack.seek(0)
        with self._target.receive_pack(push_request(update, offer), pack) as answer:
            return read_report(answer, update, offer)

    def _verify(self, ref: str, commit: str) -> None:
        now = self._target.advertisement(GitService.RECEIVE_PACK).refs.get(ref)
        if now != commit:
            raise BranchBusy(f"{ref} of {self._target.address} stands at {now} after a push of {commit}.")

    def _by_hand(self, order: Order, goal: _Goal) -> str:
        source, target = shlex.quote(self._source.address), shlex.quote(self._target.address)
        update = shlex.quote(f"{goal.commit}:{BRANCHES}{order.branch}")
        return (
            f"what {self._target.address} lacks is larger than {self._limit >> 20} MiB; copy it once by hand: "
            f"git clone --bare {source} mirror.git && git -C mirror.git push {target} {update}"
        )


def _goal(order: Order, source: Advertisement, address: str) -> _Goal:
    tip = source.commit_of(order.ref)
    if tip is None:
        is_named = order.ref.startswith((BRANCHES, TAGS))
        reason = "the repository is empty" if is_named else "the pull request conflicts with its target"
        raise RequestRejected(f"{address} has no {order.ref}; it was deleted, or {reason}")
    tip_object_id = source.refs[order.ref]
    if order.commit is not None and len(order.commit) < len(tip):
        if not tip.startswith(order.commit):
            raise Superseded(f"{order.ref} of the source has moved on from {order.commit} to {tip}.")
        return _Goal(tip, tip_object_id, tip, tip_object_id)
    if order.commit in {None, tip, tip_object_id}:
        return _Goal(tip, tip_object_id, tip, tip_object_id)
    if order.ref.startswith(TAGS) and not order.may_go_back:
        raise Superseded(f"{order.ref} of the source was moved from {order.commit} to {tip}.")
    # Without this, only the way over the ref is left: its history has the commit unless it was forced away.
    object_id = order.commit if source.gives_any_commit else tip_object_id
    return _Goal(str(order.commit), str(object_id), tip, tip_object_id)


def _warnings(contents: PackContents) -> Iterable[str]:
    if contents.has_lfs_pointers:
        yield LFS_WARNING
    if contents.has_relative_submodules:
        yield SUBMODULES_WARNING
