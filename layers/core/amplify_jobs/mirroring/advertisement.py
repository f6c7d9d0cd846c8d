"""What a git server tells first: its refs and what it can do. Source: gitprotocol-http(5), version 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from amplify_jobs.errors import RequestRejected
from amplify_jobs.mirroring.pkt_line import GitProtocolError, Readable, read_packets

PEELED = "^{}"
NO_OBJECT = "0" * 40
_ANY_COMMIT = frozenset({"allow-reachable-sha1-in-want", "allow-any-sha1-in-want"})


class GitService(StrEnum):
    """The two services of a git server."""

    UPLOAD_PACK = "git-upload-pack"
    RECEIVE_PACK = "git-receive-pack"


@dataclass(frozen=True)
class Advertisement:
    """The refs of a repository by their full names, with the ids of objects; tags that are objects are peeled too."""

    refs: Mapping[str, str]
    capabilities: frozenset[str] = frozenset()
    is_shallow: bool = False

    def commit_of(self, ref: str) -> str | None:
        """The commit that a branch or tag leads to; None where there is no such ref."""
        return self.refs.get(ref + PEELED) or self.refs.get(ref)

    @property
    def tips(self) -> list[str]:
        """The ids of all objects that refs point to."""
        return list(dict.fromkeys(self.refs.values()))

    @property
    def gives_any_commit(self) -> bool:
        """Whether a commit that is no tip can be asked for."""
        return not self.capabilities.isdisjoint(_ANY_COMMIT)

    def require_usable(self, name: str) -> Advertisement:
        """The advertisement of a repository that can be relayed. Raises RequestRejected; `name` is for its message."""
        formats = {value for value in self.capabilities if value.startswith("object-format=")}
        if formats - {"object-format=sha1"}:
            raise RequestRejected(f"{name} has ids of SHA-256; a mirror needs a repository of SHA-1")
        if self.is_shallow:
            raise RequestRejected(f"{name} is a shallow clone; run `git fetch --unshallow` in it")
        return self


def parse_advertisement(stream: Readable, service: GitService) -> Advertisement:
    """Read the answer to `info/refs`. Raises GitProtocolError."""
    refs: dict[str, str] = {}
    capabilities: frozenset[str] | None = None
    is_shallow = False
    for packet in read_packets(stream):
        line = (packet or b"").rstrip(b"\n")
        if not line or line == f"# service={service}".encode():
            continue
        if line.startswith(b"ERR "):
            raise GitProtocolError(f"the server answered: {line[4:].decode(errors='replace')}")
        if line.startswith(b"shallow "):
            is_shallow = True
            continue
        line, nul, offered = line.partition(b"\0")
        if nul and capabilities is None:
            capabilities = frozenset(offered.decode(errors="replace").split())
        object_id, space, name = line.decode(errors="surrogateescape").partition(" ")
        if not space or len(object_id) not in {40, 64}:
            raise GitProtocolError("the answer is none of git's protocol")
        # What an empty repository sends to tell its capabilities.
        if name != f"capabilities{PEELED}":
            refs[name] = object_id
    if capabilities is None and refs:
        raise GitProtocolError("the server told no capabilities")
    return Advertisement(refs, capabilities or frozenset(), is_shallow)
