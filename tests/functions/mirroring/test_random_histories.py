"""Random histories, relayed between real git servers: equal refs, whole objects, and no other ref touched."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from amplify_jobs.errors import RequestRejected, Superseded
from tests.support.git_histories import refs_of
from tests.support.git_server import git
from tests.support.relaying import TwoServers, two_servers

BRANCHES = ("main", "dev", "feature/a")
HEADS = "refs/heads/"
numbers = st.integers(0, 1000)
operations = st.one_of(
    st.tuples(st.just("commit"), numbers, st.sampled_from([20, 20, 20, 300_000])),
    st.tuples(st.just("merge"), numbers, numbers),
    st.tuples(st.just("force"), numbers, numbers),
    st.tuples(st.just("delete"), numbers, numbers),
    st.tuples(st.just("tag"), numbers, numbers),
    st.tuples(st.just("deliver"), numbers, numbers),
    st.tuples(st.just("deliver"), numbers, numbers),
    st.tuples(st.just("stray"), numbers, numbers),
    st.tuples(st.just("remove"), numbers, numbers),
)


@dataclass
class World:
    """The source's branches by the numbers of their commits, what was pushed and is not relayed, and stray branches."""

    servers: TwoServers
    branches: dict[str, int] = field(default_factory=dict)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    stray: set[str] = field(default_factory=set)

    def run(self, operation: tuple[str, int, int]) -> None:
        name, first, second = operation
        getattr(self, f"_{name}")(first, second)

    def _branch(self, number: int) -> str:
        return BRANCHES[number % len(BRANCHES)]

    def _set(self, branch: str, commit: int) -> None:
        self.branches[branch] = commit
        sha = self.servers.source.set(HEADS + branch, commit)
        self.events.append((HEADS + branch, sha, branch))

    def _commit(self, number: int, size: int) -> None:
        branch = self._branch(number)
        parent = self.branches.get(branch)
        content = random.Random(number).randbytes(size)
        files = {f"folder/{number % 5}.bin": content, f"{number % 3}.txt": f"{number}\n".encode() * 50}
        self._set(branch, self.servers.source.commit((parent,) if parent else (), files))

    def _merge(self, number: int, other: int) -> None:
        branch, commits = self._branch(number), [*self.servers.source.commits]
        if branch in self.branches:
            merged = commits[other % len(commits)]
            if merged != self.branches[branch]:
                self._set(branch, self.servers.source.commit((self.branches[branch], merged)))

    def _force(self, number: int, other: int) -> None:
        commits = [*self.servers.source.commits]
        if commits:
            self._set(self._branch(number), commits[other % len(commits)])

    def _delete(self, number: int, _: int) -> None:
        branch = self._branch(number)
        if self.branches.pop(branch, None) is not None:
            self.servers.source.delete(HEADS + branch)

    def _tag(self, number: int, other: int) -> None:
        commits = [*self.servers.source.commits]
        if commits:
            tag = self.servers.source.tag(f"v{other % 3}", commits[number % len(commits)])
            self.events.append((f"refs/tags/v{other % 3}", tag, "production"))

    def _stray(self, number: int, _: int) -> None:
        """Somebody else pushes to a branch of the mirror."""
        branch, target = self._branch(number), self.servers.target
        if HEADS + branch in self.servers.target_refs:
            empty = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
            git(target, "hash-object", "-t", "tree", "-w", "--stdin")
            commit = git(target, "commit-tree", "-m", f"stray {number}", empty)
            git(target, "update-ref", HEADS + branch, commit)
            self.stray.add(branch)

    def _remove(self, number: int, _: int) -> None:
        """Delete a branch of the mirror, as at the end of a preview."""
        branch, before = self._branch(number), self.servers.target_refs
        try:
            removal = self.servers.remove(branch)
        except RequestRejected:
            assert branch in self.stray
            assert self.servers.target_refs == before
        else:
            assert removal.commit == before.pop(HEADS + branch, None)
            assert self.servers.target_refs == before

    def _deliver(self, number: int, _: int) -> None:
        """Relay one event, which may be late."""
        if not self.events:
            return
        ref, commit, branch = self.events.pop(number % len(self.events))
        before = self.servers.target_refs
        is_gone = ref not in refs_of(self.servers.source.path)
        try:
            arrival = self.servers.relay(ref, commit, branch)
        except RequestRejected:
            assert is_gone or branch in self.stray
            assert self.servers.target_refs == before
        except Superseded:
            assert self._tip(ref) != commit
            assert self.servers.target_refs == before
        else:
            self._check_move(before, ref, commit, branch)
            assert arrival.commit == self.servers.target_refs[HEADS + branch]

    def _check_move(self, before: dict[str, str], ref: str, commit: str, branch: str) -> None:
        after = self.servers.target_refs
        peeled = git(self.servers.source.path, "rev-parse", f"{commit}^{{commit}}")
        assert after == {**before, HEADS + branch: peeled}
        old = before.get(HEADS + branch)
        # A late event moves a branch back only where the source has left the commit.
        if old not in {None, peeled} and ref.startswith(HEADS) and self._is_in(peeled, str(old)):
            assert self._tip(ref) == commit or not self._is_in(str(old), self._tip(ref))

    def _tip(self, ref: str) -> str:
        return git(self.servers.source.path, "rev-parse", ref)

    def _is_in(self, ancestor: str, commit: str) -> bool:
        return git(self.servers.source.path, "rev-list", "--max-count=1", ancestor, f"^{commit}") == ""

    def deliver_all(self) -> None:
        """Relay what every branch is now."""
        for branch in self.branches:
            if branch not in self.stray:
                self.servers.relay(HEADS + branch)
        refs = self.servers.target_refs
        source = refs_of(self.servers.source.path)
        assert {HEADS + branch for branch in BRANCHES} | {f"{HEADS}production"} >= set(refs)
        for branch in set(self.branches) - self.stray:
            assert refs[HEADS + branch] == source[HEADS + branch]


def run(steps: list[tuple[str, int, int]], *source_settings: str) -> None:
    with tempfile.TemporaryDirectory() as folder, two_servers(Path(folder), *source_settings) as servers:
        # Of a branch that HEAD names, a server refuses the deletion.
        git(servers.target, "symbolic-ref", "HEAD", f"{HEADS}none")
        world = World(servers)
        for step in [("commit", 0, 20), *steps]:
            world.run(step)
        world.deliver_all()
        servers.check_objects()


def check_histories(examples: int, least: int, most: int, setting: str) -> None:
    def check(steps: list[tuple[str, int, int]]) -> None:
        run(steps, setting)

    # A history takes a second: looking for the simplest one that fails would take minutes.
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    configured = settings(max_examples=examples, suppress_health_check=list(HealthCheck), phases=phases)
    configured(given(st.lists(operations, min_size=least, max_size=most))(check))()


# Hosts give any commit that refs lead to; git alone gives their tips.
@pytest.mark.parametrize(
    "setting",
    [
        "uploadpack.allowReachableSHA1InWant=true",
        pytest.param("uploadpack.allowTipSHA1InWant=false", marks=pytest.mark.thorough),
    ],
)
def test_random_histories_arrive_as_they_are(setting: str) -> None:
    check_histories(12, 4, 16, setting)


@pytest.mark.thorough
@pytest.mark.parametrize("setting", ["uploadpack.allowReachableSHA1InWant=true", "uploadpack.allowTipSHA1InWant=false"])
def test_long_random_histories_arrive_as_they_are(setting: str) -> None:
    check_histories(60, 30, 80, setting)
