"""A history of five thousand commits, relayed while it grows: merges, force pushes, tags, deletions, large files."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from amplify_jobs.errors import RequestRejected
from tests.support.git_histories import History, refs_of
from tests.support.git_server import git
from tests.support.relaying import TwoServers, two_servers

pytestmark = pytest.mark.thorough

HEADS = "refs/heads/"
BRANCHES = ("main", "dev", "feature/a")
PUSHES, COMMITS_OF_PUSH = 25, 200
LARGE = 2_000_000


def grow(source: History, tips: dict[str, int], chance: random.Random) -> None:
    """Add the commits of a push: each goes on with a branch, one in ten is a merge, one in fifty has a large file."""
    plan: list[tuple[tuple[int, ...], bytes]] = []
    for number in range(len(source.commits) + 1, len(source.commits) + 1 + COMMITS_OF_PUSH):
        branch = chance.choice(BRANCHES)
        parents: tuple[int, ...] = (tips[branch],) if branch in tips else ()
        others = sorted(set(tips.values()) - {*parents})
        if parents and others and chance.random() < 0.1:
            parents = (*parents, chance.choice(others))
        size = LARGE if chance.random() < 0.02 else chance.randint(10, 3_000)
        plan.append((parents, chance.randbytes(size)))
        tips[branch] = number
    source.grow(plan)


def relay_all(servers: TwoServers, tips: dict[str, int]) -> None:
    for branch, number in tips.items():
        commit = servers.source.set(HEADS + branch, number)
        assert servers.relay(HEADS + branch, commit).commit == commit


# Hosts give any commit that refs lead to; git alone gives their tips.
@pytest.mark.parametrize("setting", ["uploadpack.allowReachableSHA1InWant=true", "uploadpack.allowTipSHA1InWant=false"])
def test_five_thousand_commits_arrive_as_they_are(setting: str, tmp_path: Path) -> None:
    chance, tips = random.Random(14), dict[str, int]()
    with two_servers(tmp_path, setting) as servers:
        for number in range(PUSHES):
            grow(servers.source, tips, chance)
            relay_all(servers, tips)
            if number % 5 == 1:
                # By force to a commit of before, and on from there.
                tips["dev"] = chance.choice(sorted(servers.source.commits))
                relay_all(servers, tips)
            if number % 5 == 2:
                name, tagged = f"v{number}", chance.choice(sorted(servers.source.commits))
                tag = servers.source.tag(name, tagged)
                arrival = servers.relay(f"refs/tags/{name}", tag, "production")
                assert arrival.commit == servers.source.commits[tagged]
            if number % 5 == 3:
                servers.source.delete(f"{HEADS}feature/a")
                with pytest.raises(RequestRejected, match="it was deleted"):
                    servers.relay(f"{HEADS}feature/a")
        relay_all(servers, tips)
        source = {name: value for name, value in refs_of(servers.source.path).items() if name.startswith(HEADS)}
        target = servers.target_refs
        target.pop(f"{HEADS}production")
        assert target == source
        servers.check_objects()
        counts = [git(path, "rev-list", "--count", f"{HEADS}main") for path in (servers.source.path, servers.target)]
        assert counts[0] == counts[1]
        assert len(servers.source.commits) == PUSHES * COMMITS_OF_PUSH
