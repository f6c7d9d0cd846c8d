"""What a pack has, and how its commits lie to each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from amplify_jobs.mirroring.pack_objects import COMMIT, PackObjects

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_SUBMODULE = b"[submodule "
_RELATIVE_URL = re.compile(rb"(?m)^\s*url\s*=\s*\.\.?/")
_PARENT = re.compile(rb"parent ([0-9a-f]{40})\n")

Graph = Mapping[str, tuple[str, ...]]
"""The parents of commits by the ids of both."""


@dataclass(frozen=True)
class PackContents:
    """What a pack has. `graph` is empty where it was not asked for."""

    objects: int
    graph: Graph
    has_lfs_pointers: bool = False
    has_relative_submodules: bool = False


def descends(graph: Graph, commit: str, ancestor: str) -> bool:
    """Whether a commit of the graph has an ancestor, which may be outside; all between them must be inside."""
    stack, visited = [commit], {commit}
    while stack:
        for parent in graph.get(stack.pop(), ()):
            if parent == ancestor:
                return True
            if parent not in visited:
                visited.add(parent)
                stack.append(parent)
    return False


def read_pack(file: BinaryIO, *, with_graph: bool) -> PackContents:
    """Read a self-contained pack and check its checksum. Raises GitProtocolError."""
    file.seek(0)
    objects = PackObjects(file, with_commits=with_graph)
    graph: dict[str, tuple[str, ...]] = {}
    has_lfs_pointers = has_relative_submodules = False
    for each in objects:
        if each.kind == COMMIT:
            headers = each.content.partition(b"\n\n")[0] + b"\n"
            graph[each.object_id] = tuple(parent.decode() for parent in _PARENT.findall(headers))
        elif each.content.startswith(_LFS_POINTER):
            has_lfs_pointers = True
        elif each.content.startswith(_SUBMODULE) and _RELATIVE_URL.search(each.content):
            has_relative_submodules = True
    return PackContents(objects.count, graph, has_lfs_pointers, has_relative_submodules)
