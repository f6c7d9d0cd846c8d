"""ls-refs of git's protocol in version 2: what is asked, and what is read."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.mirroring.listing import Tip, ls_refs_request, parse_ls_refs, with_prefixes
from amplify_jobs.mirroring.pkt_line import FLUSH, GitProtocolError, pkt_line

A, B = "a" * 40, "b" * 40


def test_the_request_names_the_beginnings_of_refs() -> None:
    assert ls_refs_request(["refs/heads/main", "refs/tags/v"]) == (
        b"0014command=ls-refs\n00010009peel\n001fref-prefix refs/heads/main\n001bref-prefix refs/tags/v\n0000"
    )


def test_refs_are_read_with_the_commits_behind_tags() -> None:
    lines = [
        f"{A} HEAD symref-target:refs/heads/main\n",
        f"{A} refs/heads/main\n",
        f"{B} refs/tags/v1 peeled:{A}\n",
    ]
    answer = b"".join([*map(pkt_line, lines), FLUSH])
    tips = parse_ls_refs(io.BytesIO(answer))
    assert tips["refs/heads/main"] == Tip(A, A)
    assert tips["refs/tags/v1"] == Tip(B, A)
    # A server may tell more than it was asked.
    assert list(with_prefixes(tips, ["refs/tags/"])) == ["refs/tags/v1"]


def test_no_refs_are_none() -> None:
    assert parse_ls_refs(io.BytesIO(FLUSH)) == {}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "cut off"),
        (pkt_line(f"{A} refs/heads/main\n"), "cut off"),
        (pkt_line("ERR unknown capability\n") + FLUSH, "the server answered: unknown capability"),
        (pkt_line("unborn HEAD\n") + FLUSH, "none of ls-refs"),
        (pkt_line(f"{A}\n") + FLUSH, "none of ls-refs"),
        (FLUSH + pkt_line(f"{A} refs/heads/main\n"), "none of ls-refs"),
        (b"<html>", "none of git's protocol"),
    ],
)
def test_any_other_answer_is_an_error(answer: bytes, reason: str) -> None:
    with pytest.raises(GitProtocolError, match=reason):
        parse_ls_refs(io.BytesIO(answer))


@given(st.binary(max_size=200))
def test_no_answer_breaks_the_reader(answer: bytes) -> None:
    with suppress(GitProtocolError):
        parse_ls_refs(io.BytesIO(answer))
