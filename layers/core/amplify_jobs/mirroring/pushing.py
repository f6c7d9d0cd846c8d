"""Pushing a pack as it is, and what the target says to it. Source: gitprotocol-pack(5), "Reference Update Request"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from amplify_jobs.mirroring.advertisement import NO_OBJECT, Advertisement
from amplify_jobs.mirroring.pkt_line import (
    ERROR_CHANNEL,
    FLUSH,
    PACK_CHANNEL,
    GitProtocolError,
    Readable,
    pkt_line,
    read_packets,
)

DELETE_REFS = "delete-refs"
_LONGEST_REPORT = 64 * 1024
_LONGEST_REASON = 500


@dataclass(frozen=True)
class RefUpdate:
    """The one command of a push; `old` is the lock: the target refuses if the ref has another value by then.

    `new` is NO_OBJECT for a deletion, which takes no pack and needs a target that offers DELETE_REFS.
    """

    ref: str
    old: str | None
    new: str

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What the push asks for, where the target offers it."""
        return ("report-status", "side-band-64k", *((DELETE_REFS,) if self.new == NO_OBJECT else ()))


def push_request(update: RefUpdate, offer: Advertisement) -> bytes:
    """What stands before the pack in the request."""
    capabilities = [name for name in update.capabilities if name in offer.capabilities]
    command = f"{update.old or NO_OBJECT} {update.new} {update.ref}"
    return pkt_line(f"{command}\0 {' '.join(capabilities)}".encode()) + FLUSH


def read_report(answer: Readable, update: RefUpdate, offer: Advertisement) -> str | None:
    """Read the target's report; the reason if it refused the ref. Raises GitProtocolError.

    A hook's or host's own words are added to git's reason.
    """
    remarks = bytearray()
    has_side_band = "side-band-64k" in offer.capabilities
    lines = _inner_lines(answer, remarks) if has_side_band else (line for line in read_packets(answer) if line)
    unpacked = False
    for line in lines:
        text = line.decode(errors="replace").rstrip("\n")
        if text == "unpack ok":
            unpacked = True
        elif text.startswith("unpack "):
            raise GitProtocolError(f"the target could not unpack the pack: {text[7:][:_LONGEST_REASON]}")
        elif text == f"ok {update.ref}" and unpacked:
            return None
        elif text.startswith(f"ng {update.ref} "):
            reason = text.removeprefix(f"ng {update.ref} ")
            return "; ".join(filter(None, (reason, _one_line(remarks))))[:_LONGEST_REASON]
    raise GitProtocolError(f"the target did not report on the push {_one_line(remarks)[:_LONGEST_REASON]}".rstrip())


def _inner_lines(answer: Readable, remarks: bytearray) -> Iterator[bytes]:
    report = bytearray()
    for packet in read_packets(answer):
        if not packet:
            continue
        channel = report if packet[0] == PACK_CHANNEL else remarks
        if len(channel) + len(packet) > _LONGEST_REPORT:
            raise GitProtocolError("the target's report is too long")
        channel += packet[1:]
        if packet[0] == ERROR_CHANNEL:
            raise GitProtocolError(f"the target answered: {_one_line(remarks)[:_LONGEST_REASON]}")
    yield from (line for line in read_packets(_Bytes(bytes(report))) if line)


def _one_line(remarks: bytearray) -> str:
    return " ".join(remarks.decode(errors="replace").split())


class _Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int, /) -> bytes:
        read, self._content = self._content[:size], self._content[size:]
        return read
