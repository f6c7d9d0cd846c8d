"""Packs: what is in them, how their commits lie to each other, and what damaged ones give."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.mirroring.pack import descends, read_pack
from amplify_jobs.mirroring.pack_objects import apply_delta
from amplify_jobs.mirroring.pkt_line import GitProtocolError
from tests.support.packs import BLOB, COMMIT, OFS_DELTA, REF_DELTA, commit, entry, id_of, insertion, pack

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
