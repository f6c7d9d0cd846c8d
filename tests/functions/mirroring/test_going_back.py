"""A commit that a person asks for by name is set although the branch stands at a newer one, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from amplify_jobs.errors import RequestRejected, Superseded
from tests.support.git_server import git
from tests.support.relaying import TwoServers, two_servers

MAIN = "refs/heads/main"
# Hosts give any commit that refs lead to; git alone gives their tips.
SETTINGS = ["uploadpack.allowReachableSHA1InWant=true", "uploadpack.allowTipSHA1InWant=false"]


@pytest.fixture(params=SETTINGS)
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TwoServers]:
    """Three commits, of which the target has the first two."""
    with two_servers(tmp_path, request.param) as servers:
        for number in (1, 2):
            servers.source.set(MAIN, servers.source.commit((number - 1,) if number > 1 else ()))
        servers.relay(MAIN)
        servers.source.set(MAIN, servers.source.commit((2,)))
        yield servers


def test_the_branch_goes_back_and_the_next_push_brings_it_forward(servers: TwoServers) -> None:
    first, newest = servers.source.commits[1], servers.source.commits[3]
    with pytest.raises(Superseded):
        servers.relay(MAIN, first)
    assert servers.relay(MAIN, first, may_go_back=True).commit == first
    assert servers.target_refs == {MAIN: first}
    assert servers.relay(MAIN, first, may_go_back=True).objects == 0
    assert servers.relay(MAIN, newest).commit == newest
    assert servers.target_refs == {MAIN: newest}
    servers.check_objects()


def test_a_commit_that_the_source_does_not_have_is_rejected(servers: TwoServers) -> None:
    before = servers.target_refs
    with pytest.raises(RequestRejected, match=f"{'f' * 40} is not in the history of {MAIN}"):
        servers.relay(MAIN, "f" * 40, may_go_back=True)
    assert servers.target_refs == before


def test_a_branch_that_somebody_else_moved_is_not_moved_back_either(servers: TwoServers) -> None:
    stray = git(servers.target, "commit-tree", "-m", "stray", f"{servers.source.commits[1]}^{{tree}}")
    git(servers.target, "update-ref", MAIN, stray)
    with pytest.raises(RequestRejected, match="nobody else should push"):
        servers.relay(MAIN, servers.source.commits[1], may_go_back=True)


def test_a_tag_that_was_moved_is_built_as_it_was(servers: TwoServers) -> None:
    servers.source.set("refs/tags/v1", 2)
    servers.relay("refs/tags/v1", branch="production")
    servers.source.set("refs/tags/v1", 3)
    servers.relay("refs/tags/v1", branch="production")
    former = servers.source.commits[2]
    assert servers.relay("refs/tags/v1", former, "production", may_go_back=True).commit == former
