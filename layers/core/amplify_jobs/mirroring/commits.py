"""Reading what commits say, without their files. Source: gitprotocol-pack(5), git-commit-tree(1)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from amplify_jobs.errors import AmplifyJobsError
from amplify_jobs.events.normalize import Commit
from amplify_jobs.events.payload import LONGEST_AUTHOR, text_of
from amplify_jobs.mirroring.advertisement import Advertisement
from amplify_jobs.mirroring.fetching import refusal
from amplify_jobs.mirroring.pack_objects import COMMIT, PackObjects
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

# Commits come first in a pack. Without a filter, files follow, which are not read.
MOST_BYTES = 4 << 20
_NEEDED = frozenset({"side-band-64k", "shallow"})
_WISHED = ("ofs-delta", "no-progress", "filter")
# What git's users write commits in beside UTF-8. Python has codecs that are no encodings, and slow ones.
_ENCODING = re.compile(
    r"(?i)(iso|utf|us|windows|cp|koi8|euc|shift|gb|big5|latin)[-_ ]?[a-z0-9]{0,10}([-_]?[a-z0-9]{1,8}){0,2}"
)


class CommitsNotToldError(AmplifyJobsError):
    """The server can't tell what single commits say; the message says why."""


def commits_request(object_ids: Sequence[str], offer: Advertisement) -> bytes:
    """The body of the request for commits alone, or tags and the commits behind them. Raises CommitsNotToldError."""
    if missing := ", ".join(sorted(_NEEDED - offer.capabilities)):
        raise CommitsNotToldError(f"the git host does not offer {missing}")
    if any(len(object_id) != 40 for object_id in object_ids):
        raise CommitsNotToldError("the repository has ids of SHA-256")
    wished = [name for name in _WISHED if name in offer.capabilities]
    capabilities = " ".join(["side-band-64k", *wished])
    first, *others = object_ids
    lines = [f"want {first} {capabilities}\n", *(f"want {object_id}\n" for object_id in others), "deepen 1\n"]
    lines += ["filter tree:0\n"] if "filter" in wished else []
    return b"".join([*map(pkt_line, lines), FLUSH, pkt_line("done\n")])


def read_commits(answer: Readable, object_ids: Collection[str]) -> dict[str, Commit]:
    """Read these commits from an answer, up to the last of them. Raises CommitsNotToldError and GitProtocolError."""
    commits: dict[str, Commit] = {}
    for pack_object in PackObjects(_Pack(answer), with_commits=True):
        if pack_object.kind == COMMIT and pack_object.object_id in object_ids:
            commits[pack_object.object_id] = parse_commit(pack_object.object_id, pack_object.content)
            if len(commits) == len(object_ids):
                break
    return commits


def parse_commit(sha: str, content: bytes) -> Commit:
    """Read a commit's author, without the address, the time at which it was committed, and its message."""
    head, _, message = content.partition(b"\n\n")
    headers = _headers(head.split(b"\n"))
    encoding = headers.get(b"encoding", b"utf-8").decode(errors="replace")
    author = _text(headers.get(b"author", b""), encoding).partition("<")[0].strip()
    committed = headers.get(b"committer", b"").rpartition(b"> ")[2].partition(b" ")[0]
    return Commit(sha, _time(committed), _text(message, encoding).rstrip("\n"), author[:LONGEST_AUTHOR] or None)


def _headers(lines: Iterable[bytes]) -> Mapping[bytes, bytes]:
    """The first value of each header; a line that continues one begins with a space."""
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, space, value = line.partition(b" ")
        if name and space:
            headers.setdefault(name, value)
    return headers


def _text(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding if _ENCODING.fullmatch(encoding) else "utf-8", errors="replace")
    except (LookupError, ValueError):
        text = content.decode(errors="replace")
    return text_of(text) or ""


def _time(seconds: bytes) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds[:20]), UTC)
    except (ValueError, OverflowError, OSError):
        return None


class _Pack:
    """The pack in an answer, as a stream of blocks."""

    def __init__(self, answer: Readable) -> None:
        self._packets = read_packets(answer)
        self._bytes_left = MOST_BYTES

    def read(self, _: int, /) -> bytes:
        for packet in self._packets:
            # Between the pack and the commits at which it was cut, there is an end of a section.
            if packet is None or packet.startswith((b"shallow ", b"NAK")):
                continue
            channel, content = packet[:1], packet[1:]
            if channel == bytes([PACK_CHANNEL]) and content:
                return self._counted(content)
            if channel == bytes([ERROR_CHANNEL]) or packet.startswith(b"ERR "):
                raise refusal(packet.removeprefix(b"ERR ").removeprefix(bytes([ERROR_CHANNEL])))
            if channel not in {bytes([PACK_CHANNEL]), bytes([PROGRESS_CHANNEL])}:
                raise GitProtocolError("the answer is none of git's protocol")
        return b""

    def _counted(self, content: bytes) -> bytes:
        self._bytes_left -= len(content)
        if self._bytes_left < 0:
            raise CommitsNotToldError(f"the git host sends more than {MOST_BYTES >> 20} MiB without the commit")
        return content
