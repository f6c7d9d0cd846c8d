"""Histories of git repositories, made fast by git fast-import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.git_server import git

_PERSON = b"A <a@example.com>"


@dataclass
class History:
    """A bare repository that grows; `commits` are the ids of its commits by number, from 1."""

    path: Path
    commits: dict[int, str] = field(default_factory=dict)

    def commit(
        self,
        parents: tuple[int, ...] = (),
        files: Mapping[str, bytes] | None = None,
        message: str | None = None,
    ) -> int:
        """Make a commit and give its number; no branch leads to it yet."""
        number = len(self.commits) + 1
        text = (message or f"Commit {number}").encode()
        lines = [b"commit refs/hidden/%d" % number, b"mark :%d" % number]
        lines += [b"committer %s %d +0000" % (_PERSON, 1_700_000_000 + number), b"data %d" % len(text), text]
        lines += [
            b"%s %s" % (word, self.commits[parent].encode())
            for word, parent in zip((b"from", *[b"merge"] * 20), parents, strict=False)
        ]
        for name, content in (files or {f"file{number % 7}.txt": f"{number}\n".encode() * 20}).items():
            lines += [b"M 100644 inline %s" % name.encode(), b"data %d" % len(content), content]
        marks = self.path / "marks"
        git(self.path, "fast-import", "--quiet", f"--export-marks={marks}", stdin=b"\n".join([*lines, b""]))
        self.commits[number] = marks.read_text().split()[-1]
        return number

    def grow(self, plan: Sequence[tuple[tuple[int, ...], bytes]]) -> None:
        """Make many commits at once, each of the numbers of its parents and the content of a file."""
        first = len(self.commits) + 1
        lines: list[bytes] = []
        for number, (parents, content) in enumerate(plan, start=first):
            lines += [b"commit refs/hidden/%d" % number, b"mark :%d" % number]
            lines += [b"committer %s %d +0000" % (_PERSON, 1_700_000_000 + number), b"data 0"]
            for word, parent in zip((b"from", b"merge"), parents, strict=False):
                name = b":%d" % parent if parent >= first else self.commits[parent].encode()
                lines.append(b"%s %s" % (word, name))
            lines += [
                b"M 100644 inline folder%d/file%d" % (number % 11, number % 97),
                b"data %d" % len(content),
                content,
            ]
        marks = self.path / "marks"
        git(self.path, "fast-import", "--quiet", f"--export-marks={marks}", stdin=b"\n".join([*lines, b""]))
        for line in marks.read_text().splitlines():
            mark, commit = line.split()
            self.commits[int(mark[1:])] = commit

    def set(self, ref: str, number: int) -> str:
        """Let a ref lead to a commit, by force if need be."""
        git(self.path, "update-ref", ref, self.commits[number])
        return self.commits[number]

    def delete(self, ref: str) -> None:
        git(self.path, "update-ref", "-d", ref)

    def tag(self, name: str, number: int) -> str:
        """Make an annotated tag, and give the id of the tag's object."""
        git(self.path, "tag", "--force", "--annotate", "--message", name, name, self.commits[number])
        return git(self.path, "rev-parse", f"refs/tags/{name}")


def refs_of(path: Path) -> dict[str, str]:
    """All refs of a repository."""
    lines = git(path, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ", 1) for line in lines)
