"""Commits alone: what is asked for, what is read of the answer, and what an answer of another form gives."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.events.normalize import Commit
from amplify_jobs.mirroring.advertisement import Advertisement
from amplify_jobs.mirroring.commits import (
    MOST_BYTES,
    CommitsNotToldError,
    commits_request,
    parse_commit,
    read_commits,
)
from amplify_jobs.mirroring.fetching import CommitNotGivenError
from amplify_jobs.mirroring.pkt_line import FLUSH, GitProtocolError, pkt_line, read_packets
from tests.support.packs import BLOB, COMMIT, REF_DELTA, commit, entry, id_of, insertion, pack

A, B = "a" * 40, "b" * 40
ALL = frozenset({"side-band-64k", "shallow", "filter", "ofs-delta", "no-progress", "thin-pack", "agent=git/2"})
FIRST, SECOND = commit(message="first"), commit(message="sixth")


def answer(content: bytes, *before: bytes) -> io.BytesIO:
    """An answer in version 0 to a shallow fetch, with the pack in two packets."""
    lines = [pkt_line(f"shallow {A}"), FLUSH, pkt_line("NAK\n"), *before, pkt_line(b"\x02Counting objects: 1\r")]
    middle = len(content) // 2
    parts = (
        half[start : start + 60_000]
        for half in (content[:middle], content[middle:])
        for start in range(0, len(half), 60_000)
    )
    return io.BytesIO(b"".join([*lines, *(pkt_line(b"\x01" + part) for part in parts), FLUSH]))


def test_the_request_asks_for_commits_without_history_and_files() -> None:
    lines = list(read_packets(io.BytesIO(commits_request([A, B], Advertisement({}, ALL)))))
    assert lines == [
        f"want {A} side-band-64k ofs-delta no-progress filter\n".encode(),
        f"want {B}\n".encode(),
        b"deepen 1\n",
        b"filter tree:0\n",
        None,
        b"done\n",
    ]


def test_a_server_without_filters_is_asked_without() -> None:
    body = commits_request([A], Advertisement({}, ALL - {"filter"}))
    assert b"filter" not in body


@pytest.mark.parametrize(
    ("capabilities", "object_id", "reason"),
    [
        (ALL - {"shallow"}, A, "the git host does not offer shallow"),
        (frozenset(), A, "the git host does not offer shallow, side-band-64k"),
        (ALL, "a" * 64, "the repository has ids of SHA-256"),
    ],
)
def test_a_server_that_can_t_give_single_commits_is_not_asked(
    capabilities: frozenset[str], object_id: str, reason: str
) -> None:
    with pytest.raises(CommitsNotToldError, match=f"^{reason}$"):
        commits_request([object_id], Advertisement({}, capabilities))


def test_commits_are_read_also_as_deltas_and_beside_files() -> None:
    delta = entry(REF_DELTA, insertion(FIRST, SECOND), bytes.fromhex(id_of(FIRST)))
    content = pack(entry(COMMIT, FIRST), delta, entry(BLOB, b"x" * 100)).getvalue()
    commits = read_commits(answer(content), {id_of(FIRST), id_of(SECOND)})
    assert {sha: each.message for sha, each in commits.items()} == {id_of(FIRST): "first", id_of(SECOND): "sixth"}


def test_what_follows_the_last_commit_is_not_read() -> None:
    content = pack(entry(COMMIT, FIRST), entry(BLOB, b"x" * 100)).getvalue()
    assert set(read_commits(answer(content[:-30]), {id_of(FIRST)})) == {id_of(FIRST)}


def test_a_commit_of_another_id_is_none_of_those() -> None:
    assert read_commits(answer(pack(entry(COMMIT, FIRST)).getvalue()), {id_of(SECOND)}) == {}


def test_a_host_that_sends_the_files_first_is_not_listened_to_for_long() -> None:
    # Noise, which no compression makes small.
    noise = random.Random(1)
    files = (entry(BLOB, noise.randbytes(MOST_BYTES // 8)) for _ in range(10))
    content = pack(*files, entry(COMMIT, FIRST)).getvalue()
    assert len(content) > MOST_BYTES
    with pytest.raises(CommitsNotToldError, match="more than 4 MiB"):
        read_commits(answer(content), {id_of(FIRST)})


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        (b"ERR upload-pack: not our ref " + A.encode(), CommitNotGivenError, "not our ref"),
        (b"\x03fatal: out of memory", GitProtocolError, "out of memory"),
        (b"filter is not known", GitProtocolError, "none of git's protocol"),
    ],
)
def test_a_server_s_refusal_is_an_error(line: bytes, error: type[AmplifyJobsError], words: str) -> None:
    with pytest.raises(error, match=words):
        read_commits(answer(b"", pkt_line(line)), {A})


@pytest.mark.parametrize(
    ("content", "author", "message"),
    [
        (b"author Ada L <ada@example.com> 1790000000 +0100\ncommitter B <b> 1790000001 -0200\n\nFix\n", "Ada L", "Fix"),
        (b"author <ada@example.com> 1790000000 +0100\n\nFix\n\nMore\n\n", None, "Fix\n\nMore"),
        (b"author \xc4da <a> 1 +0000\nencoding ISO-8859-1\n\n\xfcber [skip ci]\n", "\xc4da", "\xfcber [skip ci]"),
        (b"author \xc4da <a> 1 +0000\n\n\xfcber [skip ci]", "\ufffdda", "\ufffdber [skip ci]"),
        (b"author A <a> 1 +0000\nencoding rot13\n\n[skip ci]", "A", "[skip ci]"),
        (b"author A <a> 1 +0000\nencoding latin-77\n\n[skip ci]", "A", "[skip ci]"),
        (b"author A <a> 1 +0000\ngpgsig -----BEGIN\n author B <b> 1 +0000\n\n[skip ci]", "A", "[skip ci]"),
        (b"author " + b"A" * 999 + b" <a> 1 +0000\n\n", "A" * 256, ""),
        (b"", None, ""),
    ],
)
def test_a_commit_tells_author_and_message_but_no_address(content: bytes, author: str | None, message: str) -> None:
    result = parse_commit(A, content)
    assert (result.sha, result.author, result.message) == (A, author, message)


@pytest.mark.parametrize(
    ("committer", "time"),
    [
        (b"C <c> 1790000000 +0100", datetime.fromtimestamp(1790000000, UTC)),
        (b"C <c> 99999999999999999999999 +0100", None),
        (b"C <c>", None),
        (b"C <c> soon +0100", None),
    ],
)
def test_the_time_is_that_of_the_committer(committer: bytes, time: datetime | None) -> None:
    assert parse_commit(A, b"author A <a> 5 +0000\ncommitter " + committer + b"\n\n").time == time


@given(st.binary())
def test_any_content_is_a_commit(content: bytes) -> None:
    assert isinstance(parse_commit(A, content), Commit)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_other_answer_is_our_error_or_no_commit(noise: bytes, position: int) -> None:
    whole = answer(pack(entry(COMMIT, FIRST)).getvalue()).getvalue()
    try:
        commits = read_commits(io.BytesIO(whole[:position] + noise + whole[position:]), {id_of(SECOND)})
    except AmplifyJobsError:
        return
    assert commits == {}
