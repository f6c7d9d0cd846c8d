"""Deleting the branch of a preview on a real git server: at the commit that was pushed, and no other branch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from amplify_jobs.errors import BranchBusy, NotSetUpError, RequestRejected, ServiceTrouble
from amplify_jobs.mirroring.removal import Removal
from tests.support.git_server import Fault, git
from tests.support.relaying import TwoServers, two_servers

MAIN = "refs/heads/main"
PREVIEW = "refs/heads/pr-7"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[TwoServers]:
    """A target with a preview that was relayed, and with main, which nobody may touch."""
    with two_servers(tmp_path) as servers:
        servers.source.set(MAIN, servers.source.commit())
        servers.relay(MAIN)
        servers.source.set("refs/pull/7/head", servers.source.commit((1,)))
        servers.relay("refs/pull/7/head", branch="pr-7")
        assert set(servers.target_refs) == {MAIN, PREVIEW}
        yield servers


def check_removed(servers: TwoServers) -> None:
    assert servers.target_refs == {MAIN: servers.source.commits[1]}
    servers.check_objects()


def check_untouched(servers: TwoServers) -> None:
    assert servers.target_refs == {MAIN: servers.source.commits[1], PREVIEW: servers.source.commits[2]}
    servers.check_objects()


def test_the_branch_is_deleted_and_can_be_set_again(servers: TwoServers) -> None:
    commit = servers.source.commits[2]
    assert servers.remove("pr-7") == Removal(commit)
    check_removed(servers)
    assert servers.remove("pr-7") == Removal()
    assert servers.relay("refs/pull/7/head", branch="pr-7").commit == commit
    assert servers.remove("pr-7") == Removal(commit)
    check_removed(servers)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("service=git-receive-pack", cut_answer=20),
        Fault("service=git-receive-pack", status=503),
        Fault("/git-receive-pack", cut_request=30),
        Fault("/git-receive-pack", status=429),
    ],
    ids=lambda fault: f"{fault.path} {fault.status or fault.cut_answer or fault.cut_request}",
)
def test_a_deletion_that_was_cut_off_changes_nothing_and_is_done_by_the_next(servers: TwoServers, fault: Fault) -> None:
    servers.server.faults.append(fault)
    with pytest.raises(ServiceTrouble):
        servers.remove("pr-7")
    check_untouched(servers)
    servers.remove("pr-7")
    check_removed(servers)


def test_a_deletion_whose_answer_was_lost_is_done(servers: TwoServers) -> None:
    servers.server.faults.append(Fault("/git-receive-pack", drop_answer=True))
    with pytest.raises(ServiceTrouble):
        servers.remove("pr-7")
    assert servers.remove("pr-7") == Removal()
    check_removed(servers)


@pytest.mark.parametrize("path", ["service=git-receive-pack", "/git-receive-pack"])
def test_refused_credentials_are_told_and_tried_again(servers: TwoServers, path: str) -> None:
    servers.server.faults.append(Fault(path, status=403))
    with pytest.raises(NotSetUpError, match=r"refused the token of the test \(HTTP 403\)"):
        servers.remove("pr-7")
    check_untouched(servers)


def test_a_target_that_refuses_gives_its_reason(servers: TwoServers) -> None:
    git(servers.target, "config", "receive.denyDeletes", "true")
    with pytest.raises(RequestRejected, match=r"target\.git refused to delete pr-7: deletion prohibited"):
        servers.remove("pr-7")
    check_untouched(servers)


def test_the_default_branch_of_a_target_stays(servers: TwoServers) -> None:
    git(servers.target, "symbolic-ref", "HEAD", PREVIEW)
    with pytest.raises(RequestRejected, match="refused to delete pr-7: deletion of the current branch prohibited"):
        servers.remove("pr-7")
    check_untouched(servers)


def test_a_branch_that_a_relay_moves_during_the_deletion_is_asked_for_again(servers: TwoServers) -> None:
    newer = servers.source.set("refs/pull/7/head", servers.source.commit((2,)))

    def relay() -> None:
        servers.relay("refs/pull/7/head", branch="pr-7")

    servers.server.faults.append(Fault("/git-receive-pack", before=relay))
    assert servers.remove("pr-7") == Removal(newer)
    check_removed(servers)


def test_a_branch_that_somebody_else_moved_stays(servers: TwoServers) -> None:
    tree = f"{servers.source.commits[1]}^{{tree}}"
    stray = git(servers.target, "commit-tree", "-m", "stray", tree)

    def move() -> None:
        git(servers.target, "update-ref", PREVIEW, stray)

    # Between the question and the deletion: its old value is the lock.
    servers.server.faults.append(Fault("/git-receive-pack", before=move))
    for _ in range(2):
        with pytest.raises(RequestRejected, match=f"pr-7 of .* stands at {stray}, to which somebody else moved it"):
            servers.remove("pr-7")
    assert servers.target_refs[PREVIEW] == stray


def test_a_branch_that_was_not_set_for_a_preview_stays(servers: TwoServers) -> None:
    del servers.traces["pr-7"]
    (warning,) = servers.remove("pr-7").warnings
    assert warning.endswith("was not set for this pull request, and stays")
    check_untouched(servers)


def test_two_deletions_at_once_are_one(servers: TwoServers) -> None:
    def remove() -> None:
        servers.remove("pr-7")

    servers.server.faults.append(Fault("/git-receive-pack", before=remove))
    servers.remove("pr-7")
    check_removed(servers)


def test_many_deletions_at_once_are_one(servers: TwoServers) -> None:
    removals: list[Removal] = []
    threads = [threading.Thread(target=lambda: removals.append(servers.remove("pr-7"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(removals) == 4
    check_removed(servers)


def test_a_claim_that_is_refused_prevents_the_deletion(servers: TwoServers) -> None:
    def refuse(commit: str) -> None:
        raise BranchBusy("another request has claimed")

    with pytest.raises(BranchBusy):
        servers.remove("pr-7", claim=refuse)
    check_untouched(servers)
