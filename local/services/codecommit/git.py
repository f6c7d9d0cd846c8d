"""A bare repository on disk, which git reads and writes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.server.git_backend import environment

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
# CodeCommit gives the first branch that is pushed; until then HEAD must name some branch.
NO_BRANCH = "refs/heads/main"
_COMMIT_PARTS = (
    *("id", "tree", "parents", "author", "authorEmail", "authorDate"),
    *("committer", "committerEmail", "committerDate", "message"),
)
_COMMIT_FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B"


class GitError(Exception):
    """git refused; the message is git's own."""


@dataclass(frozen=True)
class BareRepository:
    """The repository of a folder."""

    path: Path

    def create(self) -> None:
        """Make it, empty. Raises GitError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _run(self.path.parent, "init", "--quiet", "--bare", str(self.path))
        self._git("symbolic-ref", "HEAD", NO_BRANCH)
        # Who may push was decided before; packs are not to change while somebody fetches them.
        for setting in ("http.receivepack=true", "receive.autogc=false"):
            self._git("config", *setting.split("=", 1))

    def refs(self) -> dict[str, str]:
        """The commits of branches and tags by full name; an annotated tag has the commit that it leads to."""
        lines = self._git(
            "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", BRANCHES, TAGS
        ).splitlines()
        return {ref: commits.split()[-1] for ref, _, commits in (line.partition(" ") for line in lines)}

    def default_branch(self) -> str | None:
        """The branch that HEAD names, once it is there."""
        head = self._git("symbolic-ref", "HEAD").strip()
        return head.removeprefix(BRANCHES) if head in self.refs() else None

    def set_default_branch(self, name: str) -> None:
        self._git("symbolic-ref", "HEAD", BRANCHES + name)

    def set_branch(self, name: str, commit: str) -> None:
        """Make a branch. Raises GitError for a name that git does not take."""
        self._git("branch", "--no-track", "--", name, commit)

    def delete_branch(self, name: str) -> None:
        self._git("update-ref", "-d", BRANCHES + name)

    def commit(self, commit: str) -> Mapping[str, str] | None:
        """The parts of a commit by git's names for them, None if there is none of this id."""
        try:
            self._git("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError:
            return None
        text = self._git("show", "--no-patch", "--date=raw", f"--format=format:{_COMMIT_FORMAT}", commit)
        return dict(zip(_COMMIT_PARTS, text.split("\0"), strict=True))

    def _git(self, *arguments: str) -> str:
        return _run(self.path, *arguments)


def _run(folder: Path, *arguments: str) -> str:
    run = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if run.returncode:
        raise GitError(run.stderr.decode("utf-8", "replace").strip())
    return run.stdout.decode("utf-8", "replace")
