"""The objects of a pack, read once from beginning to end in little memory. Source: gitformat-pack(5)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from amplify_jobs.mirroring.pkt_line import GitProtocolError, Readable

COMMIT, BLOB = 1, 3
_TREE, _TAG, _OFS_DELTA, _REF_DELTA = 2, 4, 6, 7
_BLOCK_BYTES = 64 * 1024
# Of so much input comes at most a thousand times as much output.
_FIRST_STEP, _LONGEST_STEP = 512, 16 * 1024
_KEPT_OF_BLOBS = 16 * 1024
_KEPT_OF_COMMITS = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PackObject:
    """A commit with its id and content, or (BLOB) the beginning of a file."""

    kind: int
    content: bytes
    object_id: str = ""


class PackObjects:
    """Reads a self-contained pack: `count` is how many objects it has. Both methods raise GitProtocolError."""

    def __init__(self, stream: Readable, *, with_commits: bool) -> None:
        self._input = _Input(stream)
        self._with_commits = with_commits
        # Contents of commits by offset and by id: another commit may be a delta of one.
        self._commits: dict[int, bytes] = {}
        self._offsets: dict[bytes, int] = {}
        header = self._input.take(12)
        if header[:4] != b"PACK" or header[4:8] not in {b"\0\0\0\2", b"\0\0\0\3"}:
            raise GitProtocolError("the source sent something that is no pack")
        self.count = int.from_bytes(header[8:], "big")

    def __iter__(self) -> Iterator[PackObject]:
        """The commits, if they were asked for, and the blobs that are no deltas; after them the checksum is checked."""
        for _ in range(self.count):
            pack_object = self._read_object()
            if pack_object is not None:
                yield pack_object
        checksum = self._input.digest()
        if self._input.take(20) != checksum:
            raise GitProtocolError("the pack is damaged: its checksum is wrong")

    def _read_object(self) -> PackObject | None:
        offset = self._input.offset
        kind = self._read_kind()
        if kind == COMMIT and self._with_commits:
            return self._commit(offset, self._input.inflate(_KEPT_OF_COMMITS))
        if kind == BLOB:
            return PackObject(BLOB, self._input.inflate(_KEPT_OF_BLOBS))
        if kind == _OFS_DELTA:
            return self._read_delta(offset, self._commits.get(offset - self._read_distance()))
        if kind == _REF_DELTA:
            base = self._offsets.get(self._input.take(20))
            return self._read_delta(offset, None if base is None else self._commits[base])
        if kind not in {COMMIT, _TREE, _TAG}:
            raise GitProtocolError("the pack has an object of an unknown kind")
        self._input.inflate(0)
        return None

    def _read_kind(self) -> int:
        byte = self._input.byte()
        kind = byte >> 4 & 7
        while byte & 0x80:
            byte = self._input.byte()
        return kind

    def _read_distance(self) -> int:
        byte = self._input.byte()
        distance = byte & 0x7F
        while byte & 0x80:
            byte = self._input.byte()
            distance = (distance + 1) << 7 | byte & 0x7F
        return distance

    def _read_delta(self, offset: int, base: bytes | None) -> PackObject | None:
        delta = self._input.inflate(0 if base is None else _KEPT_OF_COMMITS)
        return None if base is None else self._commit(offset, apply_delta(base, delta))

    def _commit(self, offset: int, content: bytes) -> PackObject:
        digest = hashlib.sha1(b"commit %d\0" % len(content) + content, usedforsecurity=False)
        self._commits[offset] = content
        self._offsets[digest.digest()] = offset
        return PackObject(COMMIT, content, digest.hexdigest())


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """Make an object of its base and a delta. Raises GitProtocolError."""
    try:
        position, _ = _size(delta, 0)
        position, size = _size(delta, position)
        result = bytearray()
        while position < len(delta):
            command = delta[position]
            position += 1
            if command & 0x80:
                start = length = 0
                for bit in range(7):
                    if command >> bit & 1:
                        value = delta[position]
                        position += 1
                        if bit < 4:
                            start |= value << 8 * bit
                        else:
                            length |= value << 8 * (bit - 4)
                length = length or 0x10000
                result += base[start : start + length]
            else:
                result += delta[position : position + command]
                position += command
    except IndexError:
        raise GitProtocolError("the pack is damaged: a delta is cut off") from None
    if len(result) != size:
        raise GitProtocolError("the pack is damaged: a delta has another size")
    return bytes(result)


def _size(delta: bytes, position: int) -> tuple[int, int]:
    size = shift = 0
    while True:
        byte = delta[position]
        position += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return position, size


class _Input:
    """A stream that is read in blocks, with the checksum of what was taken."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._block = b""
        self._position = 0
        self._start = 0
        self._hash = hashlib.sha1(usedforsecurity=False)
        self._hashed = 0

    @property
    def offset(self) -> int:
        return self._start + self._position

    def digest(self) -> bytes:
        self._hash_taken()
        return self._hash.digest()

    def byte(self) -> int:
        if self._position == len(self._block):
            self._next_block()
        self._position += 1
        return self._block[self._position - 1]

    def take(self, size: int) -> bytes:
        return bytes(self.byte() for _ in range(size))

    def inflate(self, keep: int) -> bytes:
        """Read one zlib stream, and give at most `keep` bytes of its content."""
        inflater = zlib.decompressobj()
        content = bytearray()
        step = _FIRST_STEP
        try:
            while not inflater.eof:
                if self._position == len(self._block):
                    self._next_block()
                compressed = self._block[self._position : self._position + step]
                inflated = inflater.decompress(compressed)
                self._position += len(compressed) - len(inflater.unused_data)
                if len(content) < keep:
                    content += inflated[: keep - len(content)]
                step = min(step * 4, _LONGEST_STEP)
        except zlib.error:
            raise GitProtocolError("the pack is damaged: an object can't be inflated") from None
        return bytes(content)

    def _next_block(self) -> None:
        self._hash_taken()
        self._start += len(self._block)
        self._block, self._position, self._hashed = self._stream.read(_BLOCK_BYTES), 0, 0
        if not self._block:
            raise GitProtocolError("the pack was cut off")

    def _hash_taken(self) -> None:
        self._hash.update(memoryview(self._block)[self._hashed : self._position])
        self._hashed = self._position
