"""Fetching one self-contained pack of what is missing. Source: gitprotocol-pack(5), gitprotocol-capabilities(5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from amplify_jobs.errors import AmplifyJobsError, RequestRejected
from amplify_jobs.mirroring.advertisement import Advertisement
from amplify_jobs.mirroring.pkt_line import (
    ERROR_CHANNEL,
    FLUSH,
    PACK_CHANNEL,
    PROGRESS_CHANNEL,
    GitProtocolError,
    Readable,
    pkt_line,
    read_packets,
)

# With more of them, the question would be longer than most packs; the newest refs are not known.
MOST_HAVES = 2_000
# A pack without thin-pack needs nothing of the other side to be complete.
_CAPABILITIES = ("ofs-delta", "no-progress")


class CommitNotGivenError(AmplifyJobsError):
    """The source does not give this object: it has gone, or the server gives tips of refs only."""


class PackTooLargeError(AmplifyJobsError):
    """The pack is larger than there is room for."""


@dataclass(frozen=True)
class Want:
    """What to ask for. With `required` nothing is fetched unless the source has one of `haves`."""

    object_id: str
    haves: Sequence[str] = ()
    required: bool = False


def fetch_request(want: Want, offer: Advertisement) -> bytes:
    """The body of the request for a pack. Raises RequestRejected for a server that is too old."""
    if "side-band-64k" not in offer.capabilities:
        raise RequestRejected("the source speaks a version of git's protocol that is too old (no side-band-64k)")
    wished = [name for name in _CAPABILITIES if name in offer.capabilities]
    ack = next((name for name in ("multi_ack_detailed", "multi_ack") if name in offer.capabilities), None)
    capabilities = " ".join([*([ack] if ack else []), "side-band-64k", *wished])
    lines = [pkt_line(f"want {want.object_id} {capabilities}\n"), FLUSH]
    lines += [pkt_line(f"have {object_id}\n") for object_id in want.haves[:MOST_HAVES]]
    return b"".join([*lines, pkt_line("done\n")])


def receive_pack_file(answer: Readable, want: Want, file: BinaryIO, limit: int) -> bool:
    """Write the pack of an answer to a file; False, with nothing written, if a required commit is unknown there.

    Raises CommitNotGivenError, PackTooLargeError and GitProtocolError.
    """
    is_known = False
    ended = False
    for packet in read_packets(answer):
        if packet is None:
            ended = True
            continue
        channel, content = packet[:1], packet[1:]
        if channel == bytes([PACK_CHANNEL]):
            if want.required and not is_known:
                return False
            if file.tell() + len(content) > limit:
                raise PackTooLargeError
            file.write(content)
        elif channel == bytes([ERROR_CHANNEL]):
            raise refusal(content)
        elif packet.startswith(b"ERR "):
            raise refusal(packet[4:])
        elif packet.startswith(b"ACK "):
            is_known = True
        elif channel != bytes([PROGRESS_CHANNEL]) and packet.rstrip(b"\n") != b"NAK":
            raise GitProtocolError("the answer is none of git's protocol")
    if not ended:
        raise GitProtocolError("the pack was cut off")
    return True


def refusal(message: bytes) -> AmplifyJobsError:
    """The error that a server's own words mean: CommitNotGivenError or GitProtocolError."""
    text = message.decode(errors="replace").strip()
    # git's own words (upload-pack.c), and JGit's (UploadPack): no code says it.
    if "not our ref" in text or "not valid" in text or "unadvertised object" in text:
        return CommitNotGivenError(text)
    return GitProtocolError(f"the source answered: {text[:500]}")
