"""Heads of pull requests between two servers: by abbreviated names, and from the refs that a host keeps of forks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from amplify_jobs.errors import RequestRejected, Superseded
from tests.support.relaying import TwoServers, two_servers

FEATURE = "refs/heads/feature"
PULL = "refs/pull/7"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[TwoServers]:
    """A branch of two commits; git alone gives the tips of refs only."""
    with two_servers(tmp_path, "uploadpack.allowTipSHA1InWant=false") as servers:
        servers.source.set("refs/heads/main", servers.source.commit(()))
        servers.source.set(FEATURE, servers.source.commit((1,)))
        yield servers


def test_an_abbreviated_commit_is_the_tip_of_its_branch(servers: TwoServers) -> None:
    tip = servers.source.commits[2]
    for _ in range(2):
        assert servers.relay(FEATURE, tip[:12], "pr-7").commit == tip
    assert servers.target_refs == {"refs/heads/pr-7": tip}


def test_an_abbreviated_commit_that_the_branch_has_left_is_past(servers: TwoServers) -> None:
    former = servers.source.commits[2]
    servers.source.set(FEATURE, servers.source.commit((2,)))
    with pytest.raises(Superseded, match=f"moved on from {former[:12]} to {servers.source.commits[3]}"):
        servers.relay(FEATURE, former[:12], "pr-7")
    assert servers.target_refs == {}


def test_the_head_of_a_fork_comes_from_the_merge_that_the_host_tried(servers: TwoServers) -> None:
    head = servers.source.commits[2]
    servers.source.set(f"{PULL}/merge", servers.source.commit((1, 2)))
    assert servers.relay(f"{PULL}/merge", head, "pr-7").commit == head
    assert servers.target_refs == {"refs/heads/pr-7": head}
    servers.check_objects()


def test_newer_code_of_a_fork_does_not_come_with_what_was_approved(servers: TwoServers) -> None:
    approved = servers.source.commits[2]
    servers.source.set(f"{PULL}/head", servers.source.commit((2,)))
    assert servers.relay(f"{PULL}/head", approved, "pr-7").commit == approved
    assert servers.target_refs == {"refs/heads/pr-7": approved}


def test_a_fork_whose_merge_conflicts_is_rejected_with_the_reason(servers: TwoServers) -> None:
    with pytest.raises(RequestRejected, match=f"has no {PULL}/merge; it was deleted, or the pull request conflicts"):
        servers.relay(f"{PULL}/merge", servers.source.commits[2], "pr-7")


def test_a_ref_of_a_fork_that_is_not_up_to_date_is_rejected_with_the_reason(servers: TwoServers) -> None:
    servers.source.set(f"{PULL}/from", 1)
    approved = servers.source.commits[2]
    with pytest.raises(
        RequestRejected, match=f"{PULL}/from of .* has no {approved}: the pull request has moved on, or"
    ):
        servers.relay(f"{PULL}/from", approved, "pr-7")
    assert servers.target_refs == {}
