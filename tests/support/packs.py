"""Packs, written by hand."""

from __future__ import annotations

import hashlib
import io
import zlib

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
