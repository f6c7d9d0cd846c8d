"""Faults of the servers and the network: nothing is lost, no other ref is written, and a repetition ends the relay."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from amplify_jobs.errors import BranchBusy, NotSetUpError, RequestRejected, RetryableError, ServiceTrouble, Superseded
from amplify_jobs.mirroring.relay import LFS_WARNING, SUBMODULES_WARNING
from tests.support.git_server import Fault, git
from tests.support.relaying import TOKEN, TwoServers, two_servers

MAIN = "refs/heads/main"
ANY_COMMIT = "uploadpack.allowReachableSHA1InWant=true"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[TwoServers]:
    """A source with three commits, of which the target has the first, and another branch that nobody may touch."""
    with two_servers(tmp_path, ANY_COMMIT) as servers:
        first = servers.source.commit(files={"large.bin": random.Random(1).randbytes(200_000)})
        servers.source.set(MAIN, first)
        servers.relay(MAIN)
        git(servers.target, "update-ref", "refs/heads/other", servers.source.commits[first])
        second = servers.source.commit((first,), {"large.bin": random.Random(2).randbytes(200_000)})
        servers.source.set(MAIN, servers.source.commit((second,)))
        yield servers


def tip(servers: TwoServers) -> str:
    return git(servers.source.path, "rev-parse", MAIN)


def check_untouched(servers: TwoServers, before: dict[str, str]) -> None:
    assert servers.target_refs == before
    servers.check_objects()


def check_arrival(servers: TwoServers) -> None:
    assert servers.relay(MAIN).commit == tip(servers)
    assert servers.target_refs == {MAIN: tip(servers), "refs/heads/other": servers.source.commits[1]}
    servers.check_objects()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/git-upload-pack", cut_answer=900),
        Fault("/git-upload-pack", drop_answer=True),
        Fault("/git-receive-pack", cut_request=300),
        Fault("service=git-upload-pack", cut_answer=20),
        Fault("service=git-receive-pack", cut_answer=20),
        Fault("/git-upload-pack", status=503),
        Fault("/git-receive-pack", status=429),
        Fault("/git-receive-pack", status=500),
    ],
    ids=lambda fault: f"{fault.path} {fault.status or fault.cut_answer or fault.cut_request or 'dropped'}",
)
def test_a_relay_that_was_cut_off_changes_nothing_and_is_done_by_the_next(servers: TwoServers, fault: Fault) -> None:
    before = servers.target_refs
    servers.server.faults.append(fault)
    with pytest.raises(ServiceTrouble):
        servers.relay(MAIN)
    check_untouched(servers, before)
    check_arrival(servers)


def test_a_push_whose_answer_was_lost_is_not_repeated(servers: TwoServers) -> None:
    servers.server.faults.append(Fault("/git-receive-pack", drop_answer=True))
    with pytest.raises(ServiceTrouble):
        servers.relay(MAIN)
    assert servers.relay(MAIN).objects == 0
    check_arrival(servers)


@pytest.mark.parametrize("path", ["service=git-upload-pack", "service=git-receive-pack", "/git-receive-pack"])
@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_told_and_tried_again(servers: TwoServers, path: str, status: int) -> None:
    before = servers.target_refs
    servers.server.faults.append(Fault(path, status=status))
    with pytest.raises(NotSetUpError, match=rf"refused the token of the test \(HTTP {status}\)"):
        servers.relay(MAIN)
    check_untouched(servers, before)
    check_arrival(servers)


def test_credentials_are_sent_and_never_told(tmp_path: Path) -> None:
    with two_servers(tmp_path, token=TOKEN) as servers:
        servers.source.set(MAIN, servers.source.commit())
        with pytest.raises(NotSetUpError) as refused:
            servers.relay(MAIN, token="t0p-wrong")
        assert "t0p" not in str(refused.value)
        assert servers.relay(MAIN, token=TOKEN).objects == 3
        assert not [request for request in servers.server.requests if "t0p" in request]


def test_a_target_that_refuses_gives_its_reason(servers: TwoServers) -> None:
    hook = servers.target / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = servers.target_refs
    with pytest.raises(RequestRejected, match=r"target\.git refused the push to main: pre-receive hook.*main is prot"):
        servers.relay(MAIN)
    check_untouched(servers, before)


def test_a_branch_that_moves_during_the_push_is_asked_for_again(servers: TwoServers) -> None:
    """Another relay brings the second commit while this one pushes the third."""
    second = servers.source.commits[2]

    def move() -> None:
        git(servers.target, "fetch", str(servers.source.path), second)
        git(servers.target, "update-ref", MAIN, second)

    servers.server.faults.append(Fault("/git-receive-pack", before=move))
    check_arrival(servers)


def test_two_relays_of_one_branch_at_once_leave_one_of_both_commits(servers: TwoServers) -> None:
    commits = [servers.source.commits[2], servers.source.commits[3]]
    trouble: list[Exception] = []

    def relay(commit: str) -> None:
        for _ in range(5):
            try:
                servers.relay(MAIN, commit)
            except RetryableError:
                continue
            except Superseded as error:
                trouble.append(error)
            return

    threads = [threading.Thread(target=relay, args=(commit,)) for commit in commits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert servers.target_refs[MAIN] == commits[1]
    assert servers.target_refs["refs/heads/other"] == servers.source.commits[1]
    servers.check_objects()


KILLED = """
import os, sys, tempfile, time
from amplify_jobs.aws.git_http import GitRemote
from amplify_jobs.mirroring.relay import Order, Relay
from tests.support.git_server import LoopbackConnections
from tests.support.relaying import RememberedClaims
remotes = [
    GitRemote(address, LoopbackConnections(), lambda: None, credentials="none", until=time.monotonic() + 60)
    for address in sys.argv[1:]
]
print(os.getpid(), flush=True)
claims = RememberedClaims({}, "main", "refs/heads/main", lambda commit: None)
relay = Relay(*remotes, open_file=tempfile.TemporaryFile, limit=1 << 30, claims=claims)
relay.run(Order("refs/heads/main", None, "main"))
"""


@pytest.mark.parametrize("path", ["/git-upload-pack", "/git-receive-pack"])
def test_a_relay_that_is_killed_is_done_by_the_next(servers: TwoServers, path: str) -> None:
    addresses = [servers.server.address(name) for name in ("source", "target")]
    killed = subprocess.Popen([sys.executable, "-c", KILLED, *addresses], stdout=subprocess.PIPE)
    with killed:
        servers.server.faults.append(Fault(path, before=killed.kill))
        assert killed.wait() != 0
    check_arrival(servers)


def test_a_branch_that_somebody_else_moved_is_left_alone(servers: TwoServers) -> None:
    stray = git(servers.target, "commit-tree", "-m", "stray", servers.source.commits[1] + "^{tree}")
    git(servers.target, "update-ref", MAIN, stray)
    before = servers.target_refs
    with pytest.raises(RequestRejected, match=f"main of .*target.git was moved to {stray}, .* nobody else should push"):
        servers.relay(MAIN)
    check_untouched(servers, before)


def test_a_late_commit_never_moves_a_branch_back(servers: TwoServers) -> None:
    servers.relay(MAIN)
    before = servers.target_refs
    with pytest.raises(Superseded):
        servers.relay(MAIN, servers.source.commits[2])
    check_untouched(servers, before)
    # Now the source itself goes back.
    servers.source.set(MAIN, 2)
    assert servers.relay(MAIN, servers.source.commits[2]).commit == servers.source.commits[2]


def test_a_commit_that_the_source_left_and_forgot_can_be_replaced(servers: TwoServers) -> None:
    servers.relay(MAIN)
    servers.source.set(MAIN, servers.source.commit())
    git(servers.source.path, "update-ref", "-d", "refs/hidden/3")
    for number in (1, 2):
        git(servers.source.path, "update-ref", "-d", f"refs/hidden/{number}")
    git(servers.source.path, "gc", "--quiet", "--prune=now")
    check_arrival(servers)


def test_a_claim_that_is_refused_prevents_the_push(servers: TwoServers) -> None:
    def refuse(commit: str) -> None:
        raise BranchBusy(f"another request has claimed before {commit}")

    before = servers.target_refs
    with pytest.raises(BranchBusy):
        servers.relay(MAIN, claim=refuse)
    check_untouched(servers, before)


def test_a_tag_arrives_as_the_commit_that_it_leads_to(servers: TwoServers) -> None:
    tag = servers.source.tag("v1", 3)
    assert servers.relay("refs/tags/v1", tag, "production").commit == servers.source.commits[3]
    # The next release is not in the history of the first one.
    hotfix = servers.source.commit((1,))
    servers.source.tag("v0.9", hotfix)
    servers.relay("refs/tags/v0.9", servers.source.commits[hotfix], "production")
    assert servers.target_refs["refs/heads/production"] == servers.source.commits[hotfix]
    assert "refs/tags/v1" not in servers.target_refs
    with pytest.raises(Superseded):
        servers.relay("refs/tags/v0.9", servers.source.commits[2], "production")


def test_what_does_not_fit_gives_the_command_that_copies_it(servers: TwoServers) -> None:
    large = servers.source.commit((3,), {"noise.bin": random.Random(3).randbytes(2_000_000)})
    commit = servers.source.set(MAIN, large)
    before = servers.target_refs
    with pytest.raises(RequestRejected, match="copy it once by hand: git clone --bare ") as rejected:
        servers.relay(MAIN, limit=1000)
    check_untouched(servers, before)
    command = str(rejected.value).partition("by hand: ")[2]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["sh", "-ec", command], cwd=folder, check=True, capture_output=True)
    assert servers.relay(MAIN).objects == 0
    assert servers.target_refs[MAIN] == commit


def test_pointers_of_lfs_and_relative_submodules_give_warnings(servers: TwoServers) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
    modules = b'[submodule "lib"]\n\tpath = lib\n\turl = ../lib.git\n'
    servers.source.set(MAIN, servers.source.commit((3,), {"a.png": pointer, ".gitmodules": modules}))
    assert servers.relay(MAIN).warnings == (LFS_WARNING, SUBMODULES_WARNING)


def test_a_deleted_branch_is_rejected(servers: TwoServers) -> None:
    servers.source.delete(MAIN)
    with pytest.raises(RequestRejected, match="has no refs/heads/main; it was deleted, or the repository is empty"):
        servers.relay(MAIN, servers.source.commits[3])


def test_a_shallow_source_and_one_of_sha256_are_rejected(servers: TwoServers) -> None:
    (servers.source.path / "shallow").write_text(servers.source.commits[2] + "\n")
    with pytest.raises(RequestRejected, match="is a shallow clone; run `git fetch --unshallow` in it"):
        servers.relay(MAIN)
    other = servers.source.path.with_name("sha256.git")
    git(other.parent, "init", "--quiet", "--bare", "--object-format=sha256", str(other))
    tree = git(other, "hash-object", "-t", "tree", "-w", "--stdin")
    git(other, "update-ref", MAIN, git(other, "commit-tree", "-m", "one", tree))
    servers.source.path.rename(other.with_name("sha1.git"))
    other.rename(servers.source.path)
    with pytest.raises(RequestRejected, match="has ids of SHA-256"):
        servers.relay(MAIN)


def test_a_repository_that_is_not_there_and_other_pages_are_rejected(servers: TwoServers) -> None:
    servers.server.faults.append(Fault("service=git-upload-pack", status=404))
    with pytest.raises(RequestRejected, match=r"source\.git is not there, or the token of the test may not see it"):
        servers.relay(MAIN)
    servers.server.faults.append(Fault("service=git-upload-pack", status=200))
    with pytest.raises(RequestRejected, match="is no git repository over smart HTTP"):
        servers.relay(MAIN)


def test_a_redirect_is_followed_within_its_host_only(servers: TwoServers) -> None:
    location = f"{servers.server.address('source')}/info/refs?service=git-upload-pack"
    servers.server.faults.append(Fault("service=git-upload-pack", location=location))
    check_arrival(servers)
    elsewhere = "http://127.0.0.2/source.git/info/refs?service=git-upload-pack"
    servers.server.faults.append(Fault("service=git-upload-pack", location=elsewhere))
    with pytest.raises(RequestRejected, match="redirects to another host"):
        servers.relay(MAIN)
    servers.server.faults.append(Fault("service=git-upload-pack", location=location, times=9))
    with pytest.raises(RequestRejected, match="redirects more than 2 times"):
        servers.relay(MAIN)
