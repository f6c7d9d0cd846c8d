"""Packs: what is in them, how their commits lie to each other, and what damaged ones give."""

from __future__ import annotations

import hashlib
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.mirroring.pack import apply_delta, descends, read_pack
from amplify_jobs.mirroring.pkt_line import GitProtocolError

COMMIT, BLOB, OFS_DELTA, REF_DELTA = 1, 3, 6, 7


def commit(*parents: str, message: str = "one") -> bytes:
    lines = [f"tree {'0' * 40}", *(f"parent {parent}" for parent in parents), "author A <a> 0 +0000", "", message]
    return "\n".join(lines).encode()


def id_of(content: bytes) -> str:
    return hashlib.sha1(b"commit %d\0" % len(content) + content).hexdigest()


def entry(kind: int, content: bytes, base: bytes = b"") -> bytes:
    size = len(content)
    header, size = [kind << 4 | size & 15], size >> 4
    while size:
        header[-1] |= 0x80
        header.append(size & 0x7F)
        size >>= 7
    return bytes(header) + base + zlib.compress(content)


def pack(*entries: bytes) -> io.BytesIO:
    content = b"PACK\0\0\0\2" + len(entries).to_bytes(4, "big") + b"".join(entries)
    return io.BytesIO(content + hashlib.sha1(content).digest())


def insertion(base: bytes, content: bytes) -> bytes:
    """A delta that copies the first bytes of the base, and inserts the rest."""
    assert len(base) < 128 > len(content)
    common = next(i for i, pair in enumerate(zip(base, content, strict=False)) if pair[0] != pair[1])
    rest = content[common:]
    return bytes([len(base), len(content), 0x90, common, len(rest)]) + rest


FIRST = commit(message="first")
SECOND = commit(id_of(FIRST), message="second")


def test_the_graph_has_commits_that_are_deltas_of_others() -> None:
    third = commit(message="fifth")
    for base, kind in ((bytes([len(entry(COMMIT, FIRST))]), OFS_DELTA), (bytes.fromhex(id_of(FIRST)), REF_DELTA)):
        contents = read_pack(pack(entry(COMMIT, FIRST), entry(kind, insertion(FIRST, third), base)), with_graph=True)
        assert contents.graph == {id_of(FIRST): (), id_of(third): ()}
        assert contents.objects == 2


def test_a_commit_descends_from_one_outside_of_the_pack() -> None:
    merge = commit(id_of(SECOND), "d" * 40)
    graph = read_pack(pack(entry(COMMIT, SECOND), entry(COMMIT, merge)), with_graph=True).graph
    assert descends(graph, id_of(merge), id_of(FIRST))
    assert descends(graph, id_of(merge), "d" * 40)
    assert not descends(graph, id_of(SECOND), "d" * 40)
    assert not descends(graph, id_of(FIRST), id_of(FIRST))


def test_a_parent_in_a_message_is_none() -> None:
    tricky = commit(message=f"parent {'d' * 40}\n")
    assert read_pack(pack(entry(COMMIT, tricky)), with_graph=True).graph == {id_of(tricky): ()}


@pytest.mark.parametrize(
    ("blob", "lfs", "submodules"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", True, False),
        (b'[submodule "a"]\n\tpath = a\n\turl = ../a.git\n', False, True),
        (b'[submodule "a"]\n\tpath = a\n\turl = https://example.com/a.git\n', False, False),
        (b"url = ../a.git\n", False, False),
        (b"x" * 1_000_000, False, False),
    ],
)
def test_pointers_and_relative_submodules_are_noticed(blob: bytes, lfs: bool, submodules: bool) -> None:
    contents = read_pack(pack(entry(BLOB, blob)), with_graph=False)
    assert (contents.has_lfs_pointers, contents.has_relative_submodules) == (lfs, submodules)


@given(st.data())
def test_a_damaged_pack_is_our_error(data: st.DataObject) -> None:
    whole = bytearray(pack(entry(COMMIT, FIRST), entry(COMMIT, SECOND), entry(BLOB, b"x" * 100)).getvalue())
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        damaged = bytes(whole[:place])
    else:
        whole[place] ^= data.draw(st.integers(1, 255))
        damaged = bytes(whole)
    with pytest.raises(GitProtocolError):
        read_pack(io.BytesIO(damaged), with_graph=True)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_delta_is_applied_or_is_our_error(base: bytes, delta: bytes) -> None:
    try:
        apply_delta(base, delta)
    except GitProtocolError as error:
        assert "damaged" in str(error)  # noqa: PT017
