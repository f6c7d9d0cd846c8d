"""Keeps the parts of a long log that tell something: its head, which names the commit, and its end."""

from __future__ import annotations

from collections import deque
from typing import Protocol

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 1024 * 1024
CUT = "[the middle of the log is left out]"
"""A line that stands for what was left out."""
_CUT_BYTES = f"\n{CUT}\n".encode()
_CHUNK_BYTES = 64 * 1024


class Readable(Protocol):
    """A stream of bytes, such as a file or the body of an HTTP answer."""

    def read(self, size: int, /) -> bytes: ...


def bounded(stream: Readable) -> bytes:
    """Read a stream to its end and keep HEAD_BYTES of its beginning and about TAIL_BYTES of its end."""
    head = b""
    while len(head) < HEAD_BYTES and (chunk := stream.read(HEAD_BYTES - len(head))):
        head += chunk
    chunks: deque[bytes] = deque()
    size, is_cut = 0, False
    while chunk := stream.read(_CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        while size - len(chunks[0]) >= TAIL_BYTES:
            size -= len(chunks.popleft())
            is_cut = True
    tail = b"".join(chunks)
    return _with_cut(head, tail) if is_cut else head + tail


def bounded_bytes(content: bytes) -> bytes:
    """Keep the head and the end of what is in memory already."""
    if len(content) <= HEAD_BYTES + TAIL_BYTES + _CHUNK_BYTES:
        return content
    return _with_cut(content[:HEAD_BYTES], content[-TAIL_BYTES:])


def _with_cut(head: bytes, tail: bytes) -> bytes:
    """Join both parts at whole lines, where they have any."""
    return head[: head.rfind(b"\n") + 1 or None] + _CUT_BYTES + tail[tail.find(b"\n") + 1 :]
