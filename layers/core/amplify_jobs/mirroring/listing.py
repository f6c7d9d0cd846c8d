"""Listing refs by their beginnings, in one call. Source: gitprotocol-v2(5), ls-refs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amplify_jobs.mirroring.pkt_line import FLUSH, GitProtocolError, Readable, pkt_line, read_packets

# What the server is to be told in the header Git-Protocol; one that does not know it answers in version 0.
VERSION = "version=2"
_DELIMITER = b"0001"
_PEELED = "peeled:"
_LENGTHS = (40, 64)


@dataclass(frozen=True)
class Tip:
    """Where a ref stands: the object, and the commit behind it where that is a tag."""

    object_id: str
    commit: str


def ls_refs_request(prefixes: Sequence[str]) -> bytes:
    """The body of the request for refs; a server may answer with more of them than were asked for."""
    lines = [pkt_line("command=ls-refs\n"), _DELIMITER, pkt_line("peel\n")]
    return b"".join([*lines, *(pkt_line(f"ref-prefix {prefix}\n") for prefix in prefixes), FLUSH])


def parse_ls_refs(stream: Readable) -> dict[str, Tip]:
    """Read the answer: the refs by their full names. Raises GitProtocolError, also for an answer in another version."""
    tips: dict[str, Tip] = {}
    has_ended = False
    for packet in read_packets(stream):
        if packet is None:
            has_ended = True
            continue
        line = packet.rstrip(b"\n").decode(errors="surrogateescape")
        if line.startswith("ERR "):
            raise GitProtocolError(f"the server answered: {line[4:]}")
        object_id, _, rest = line.partition(" ")
        name, *attributes = rest.split(" ")
        if has_ended or len(object_id) not in _LENGTHS or not name:
            raise GitProtocolError("the answer is none of ls-refs")
        peeled = next((each.removeprefix(_PEELED) for each in attributes if each.startswith(_PEELED)), object_id)
        tips[name] = Tip(object_id, peeled)
    if not has_ended:
        raise GitProtocolError("the list of refs was cut off")
    return tips


def with_prefixes(tips: Mapping[str, Tip], prefixes: Sequence[str]) -> dict[str, Tip]:
    """The refs that were asked for."""
    beginnings = tuple(prefixes)
    return {name: tip for name, tip in tips.items() if name.startswith(beginnings)}
