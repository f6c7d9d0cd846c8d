"""Two repositories on a real git server, and relays between them."""

from __future__ import annotations

import base64
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from amplify_jobs.aws.git_http import GitRemote
from amplify_jobs.mirroring.advertisement import NO_OBJECT
from amplify_jobs.mirroring.relay import Arrival, Order, Relay, Trace
from amplify_jobs.mirroring.removal import Removal, remove_branch
from tests.support.git_histories import History, refs_of
from tests.support.git_server import GitServer, LoopbackConnections, git, running_git_server

TOKEN = "t0p-secret"


@dataclass
class RememberedClaims:
    """Claims of relays to one branch of one process."""

    traces: dict[str, Trace]
    branch: str
    ref: str
    claim_first: Callable[[str], None]

    def wait_for_predecessor(self, branch: str | None) -> None: ...

    def trace(self) -> Trace:
        return self.traces.get(self.branch, Trace())

    def claim(self, commit: str) -> None:
        self.claim_first(commit)
        self.traces[self.branch] = Trace(self.trace().commits | {commit}, self.ref)

    def is_preview(self) -> bool | None:
        return True if self.branch in self.traces else None

    def claim_removal(self) -> None:
        self.claim_first(NO_OBJECT)


@dataclass
class TwoServers:
    """A source that grows and a target that only relays change; `trace` is what a stack would know of each branch."""

    server: GitServer
    source: History
    target: Path
    traces: dict[str, Trace] = field(default_factory=dict)

    @property
    def target_refs(self) -> dict[str, str]:
        return refs_of(self.target)

    def remote(self, name: str, token: str | None = None) -> GitRemote:
        password = base64.b64encode(f"user:{token}".encode()).decode()
        return GitRemote(
            self.server.address(name),
            LoopbackConnections(),
            lambda: None if token is None else f"Basic {password}",
            credentials="the token of the test",
            until=time.monotonic() + 60,
        )

    def relay(
        self,
        ref: str,
        commit: str | None = None,
        branch: str | None = None,
        *,
        limit: int = 1 << 30,
        claim: Callable[[str], None] = lambda commit: None,
        token: str | None = None,
        may_go_back: bool = False,
    ) -> Arrival:
        """Relay as a stack does that remembers what it pushed."""
        branch = branch or ref.removeprefix("refs/heads/")
        relay = Relay(
            self.remote("source", token),
            self.remote("target", token),
            open_file=tempfile.TemporaryFile,
            limit=limit,
            claims=RememberedClaims(self.traces, branch, ref, claim),
        )
        return relay.run(Order(ref, commit, branch, may_go_back))

    def remove(self, branch: str, *, claim: Callable[[str], None] = lambda commit: None) -> Removal:
        """Delete a branch of the target as a stack does that remembers what it pushed for the preview."""
        claims = RememberedClaims(self.traces, branch, f"refs/heads/{branch}", claim)
        return remove_branch(self.remote("target"), branch, claims)

    def check_objects(self) -> None:
        """Fail if the target lacks an object, or has a damaged one."""
        printed = git(self.target, "fsck", "--full", "--strict", "--no-dangling")
        assert printed == ""


@contextmanager
def two_servers(root: Path, *source_settings: str, token: str | None = None) -> Iterator[TwoServers]:
    """Serve an empty source and an empty target."""
    with running_git_server(root, token) as server:
        yield TwoServers(server, History(server.repository("source", *source_settings)), server.repository("target"))
