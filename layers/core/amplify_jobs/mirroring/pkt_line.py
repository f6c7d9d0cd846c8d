"""git's pkt-lines: lines that open with their length. Source: gitprotocol-common(5), gitprotocol-pack(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from amplify_jobs.errors import ServiceTrouble

FLUSH = b"0000"
_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")
_BLOCK_BYTES = 64 * 1024
# The channels of a side band.
PACK_CHANNEL, PROGRESS_CHANNEL, ERROR_CHANNEL = 1, 2, 3


class Readable(Protocol):
    """A stream of bytes; an empty answer is its end."""

    def read(self, size: int, /) -> bytes: ...


class GitProtocolError(ServiceTrouble):
    """A server answered with something that git's protocol does not have there, or its answer was cut off."""


def pkt_line(content: str | bytes) -> bytes:
    """Write one line; the terminator is the caller's."""
    data = content.encode() if isinstance(content, str) else content
    return b"%04x" % (len(data) + 4) + data


def read_packets(stream: Readable) -> Iterator[bytes | None]:
    """Read all lines of a stream, None for each flush. Raises GitProtocolError."""
    buffer = _Buffer(stream)
    while (head := buffer.take(4)) != b"":
        if not _LENGTH.fullmatch(head):
            raise GitProtocolError("the answer is none of git's protocol")
        length = int(head, 16)
        if length == 0:
            yield None
        elif length < 4:
            raise GitProtocolError("the answer is none of git's protocol")
        else:
            yield buffer.take_exactly(length - 4)


class _Buffer:
    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._data = b""
        self._position = 0

    def take(self, size: int) -> bytes:
        """The next bytes; fewer only at the end of the stream."""
        if self._position + size > len(self._data):
            rest = self._data[self._position :]
            blocks, length = [rest], len(rest)
            while length < size and (block := self._stream.read(_BLOCK_BYTES)):
                blocks.append(block)
                length += len(block)
            self._data, self._position = b"".join(blocks), 0
        data = self._data[self._position : self._position + size]
        self._position += len(data)
        return data

    def take_exactly(self, size: int) -> bytes:
        data = self.take(size)
        if len(data) < size:
            raise GitProtocolError("the answer was cut off")
        return data
