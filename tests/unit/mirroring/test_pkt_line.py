"""git's lines: whatever a server answers, it is read or our own error is raised."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.mirroring.advertisement import Advertisement, GitService, parse_advertisement
from amplify_jobs.mirroring.fetching import Want, fetch_request, receive_pack_file
from amplify_jobs.mirroring.pkt_line import FLUSH, GitProtocolError, pkt_line, read_packets
from amplify_jobs.mirroring.pushing import RefUpdate, read_report

A, B, C = "a" * 40, "b" * 40, "c" * 40
OFFER = Advertisement({"refs/heads/main": A}, frozenset({"side-band-64k", "ofs-delta", "multi_ack", "report-status"}))
UPDATE = RefUpdate("refs/heads/main", A, B)


def stream(*lines: bytes) -> io.BytesIO:
    return io.BytesIO(b"".join(lines))


@given(st.lists(st.none() | st.binary(max_size=300), max_size=20))
def test_lines_are_read_as_they_were_written(lines: list[bytes | None]) -> None:
    written = stream(*(FLUSH if line is None else pkt_line(line) for line in lines))
    assert list(read_packets(written)) == lines


@given(st.binary(max_size=60) | st.lists(st.binary(max_size=60).map(pkt_line), max_size=6).map(b"".join))
def test_any_answer_is_read_or_is_our_error(answer: bytes) -> None:
    for read in (
        lambda: parse_advertisement(io.BytesIO(answer), GitService.UPLOAD_PACK),
        lambda: receive_pack_file(io.BytesIO(answer), Want(A), io.BytesIO(), 1000),
        lambda: read_report(io.BytesIO(answer), UPDATE, OFFER),
        lambda: read_report(io.BytesIO(answer), UPDATE, Advertisement({})),
    ):
        try:
            read()
        except AmplifyJobsError as error:
            assert str(error) or type(error).__name__.endswith("Error")  # noqa: PT017


@pytest.mark.parametrize("answer", [b"0", b"00", b"000a12", b"0003", b"zzzz", b"<html>", b"-001"])
def test_what_is_no_line_is_refused(answer: bytes) -> None:
    with pytest.raises(GitProtocolError):
        list(read_packets(io.BytesIO(answer)))


def test_an_advertisement_tells_refs_peeled_tags_and_capabilities() -> None:
    answer = stream(
        pkt_line("# service=git-upload-pack\n"),
        FLUSH,
        pkt_line(f"{A} HEAD\0 multi_ack allow-any-sha1-in-want agent=git/2\n"),
        pkt_line(f"{A} refs/heads/main\n"),
        pkt_line(f"{B} refs/tags/v1\n"),
        pkt_line(f"{C} refs/tags/v1^{{}}\n"),
        FLUSH,
    )
    read = parse_advertisement(answer, GitService.UPLOAD_PACK)
    assert (read.commit_of("refs/heads/main"), read.commit_of("refs/tags/v1"), read.commit_of("x")) == (A, C, None)
    assert read.gives_any_commit
    assert read.tips == [A, B, C]


def test_an_empty_repository_has_capabilities_and_no_refs() -> None:
    line = pkt_line(f"{'0' * 40} capabilities^{{}}\0report-status\n")
    read = parse_advertisement(stream(line, FLUSH), GitService.RECEIVE_PACK)
    assert not read.refs
    assert read.capabilities == frozenset({"report-status"})


def test_a_request_for_a_pack_has_the_capabilities_that_are_offered() -> None:
    body = fetch_request(Want(B, [A]), OFFER)
    lines = [b"want " + B.encode() + b" multi_ack side-band-64k ofs-delta\n", None, b"have " + A.encode() + b"\n"]
    assert list(read_packets(io.BytesIO(body))) == [*lines, b"done\n"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([b"unpack ok\n", b"ok refs/heads/main\n"], None),
        ([b"unpack ok\n", b"ng refs/heads/main non-fast-forward\n"], "non-fast-forward"),
    ],
)
def test_a_report_gives_the_reason_of_a_refusal(lines: list[bytes], reason: str | None) -> None:
    inner = b"".join(map(pkt_line, lines)) + FLUSH
    banded = stream(pkt_line(b"\2remote: \n not here\n"), pkt_line(b"\1" + inner), FLUSH)
    assert read_report(banded, UPDATE, OFFER) == (reason and f"{reason}; remote: not here")
    assert read_report(io.BytesIO(inner), UPDATE, Advertisement({})) == reason


@pytest.mark.parametrize(
    "lines", [[b"unpack index-pack abnormal exit\n"], [b"ok refs/heads/main\n"], [b"unpack ok\n", b"ok refs/x\n"], []]
)
def test_a_push_without_a_clear_report_is_no_push(lines: list[bytes]) -> None:
    with pytest.raises(GitProtocolError):
        read_report(stream(*map(pkt_line, lines)), UPDATE, Advertisement({}))
