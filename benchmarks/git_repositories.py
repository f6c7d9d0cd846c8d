"""A repository of a hundred thousand objects, and pushes to it of one, a hundred and ten thousand objects."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.git_server import environment, git

BASE = "refs/heads/base"
MAIN = "refs/heads/main"
FOLDERS, FILES = 100, 97
# Each commit writes all files of one folder anew: with the folder's tree, the root and itself it has 100 objects.
COMMITS = 1_000
OBJECTS_OF_COMMIT = FILES + 3
SEED = 14


def fill(repository: Path) -> None:
    """Give an empty repository its history, packed as a server packs it, with `main` and `base` at its end."""
    chance = random.Random(SEED)
    _add(repository, _commits(MAIN, None, COMMITS, chance))
    git(repository, "update-ref", BASE, MAIN)
    git(repository, "gc", "--quiet")


def add_push(repository: Path, objects: int) -> str:
    """Let `refs/pushes/N` lead to a history of so many more objects, and give the name of this ref."""
    ref = f"refs/pushes/{objects}"
    if objects == 1:
        # The same files again.
        tree = git(repository, "rev-parse", f"{BASE}^{{tree}}")
        commit = git(repository, "commit-tree", "-p", BASE, "-m", "Nothing", tree)
        git(repository, "update-ref", ref, commit)
        return ref
    commits = objects // OBJECTS_OF_COMMIT
    chance = random.Random(f"{SEED} {objects}")
    base = git(repository, "rev-parse", BASE)
    _add(repository, _commits(ref, base, commits, chance))
    return ref


def _add(repository: Path, stream: Iterator[bytes]) -> None:
    command = ["git", "fast-import", "--quiet"]
    with subprocess.Popen(command, cwd=repository, env=environment(), stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.writelines(stream)
    if process.returncode:
        raise RuntimeError("git fast-import failed")


def _commits(ref: str, parent: str | None, count: int, chance: random.Random) -> Iterator[bytes]:
    for number in range(count):
        message = f"Change {number} of {ref}".encode()
        yield b"commit %s\ncommitter A <a@example.com> %d +0000\n" % (ref.encode(), 1_700_000_000 + number)
        yield b"data %d\n%s\n" % (len(message), message)
        if parent is not None and number == 0:
            yield b"from %s\n" % parent.encode()
        for file in range(FILES):
            content = _text(chance)
            path = b"folder%d/file%d.txt" % (number % FOLDERS, file)
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(content), content)


def _text(chance: random.Random) -> bytes:
    """About a kilobyte of lines that compress as code does."""
    return b"".join(b"value_%d = compute(%d)\n" % (n, chance.getrandbits(32)) for n in range(chance.randint(10, 60)))
