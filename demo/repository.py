"""The demonstration's git host: a bare repository whose post-receive hook delivers the webhook of a push."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

SITE = Path(__file__).parent / "site"
FULL_NAME = "acme/web"
NO_GIT = "git is not on the PATH; install it (https://git-scm.com) and try again"
# Nobody's configuration of git (signing, hooks, templates) may change what the demonstration does.
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}


class Repository:
    """A bare repository and a work tree to push to it from."""

    def __init__(self, folder: Path, name: str = "web") -> None:
        self.bare = folder / f"{name}.git"
        self.work_tree = folder / name
        self.previous = folder / "previous"

    def create(self, hook_environment: dict[str, str]) -> None:
        """Make both anew from the sample site; every push runs `python -m demo.delivery` in that environment.

        What was there before is moved to `previous`, in the place of what was moved there before that.
        """
        if self.bare.exists() or self.work_tree.exists():
            shutil.rmtree(self.previous, ignore_errors=True)
            self.previous.mkdir()
            for path in (self.bare, self.work_tree):
                if path.exists():
                    path.rename(self.previous / path.name)
        self.bare.parent.mkdir(parents=True, exist_ok=True)
        git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        shutil.copytree(SITE, self.work_tree)
        git("init", "--quiet", "--initial-branch=main", cwd=self.work_tree)
        for name, value in (("user.name", "Ada"), ("user.email", "ada@example.com"), ("commit.gpgsign", "false")):
            git("config", name, value, cwd=self.work_tree)
        git("remote", "add", "origin", str(self.bare), cwd=self.work_tree)
        hook = self.bare / "hooks" / "post-receive"
        hook.parent.mkdir(exist_ok=True)
        exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in hook_environment.items())
        command = shlex.join([sys.executable, "-m", "demo.delivery", str(self.bare)])
        hook.write_text(f"#!/bin/sh\n{exports}\nexec {command}\n")
        hook.chmod(0o755)

    def commit_and_push(self, message: str) -> str:
        """Commit everything in the work tree, push it, and give what git printed; raises on a refused push."""
        git("add", "--all", cwd=self.work_tree)
        git("commit", "--quiet", "--message", message, cwd=self.work_tree)
        return git("push", "--set-upstream", "origin", "main", cwd=self.work_tree)

    def push(self, refspec: str) -> str:
        """Push what is committed, and give what git printed. A plain `git push` goes where it went before."""
        return git("push", "origin", refspec, cwd=self.work_tree)


def git(*arguments: str, cwd: Path | None = None) -> str:
    """Run git and give what it printed; raises RuntimeError with git's own words, or if there is no git."""
    try:
        result = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env={**os.environ, **ENVIRONMENT},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise RuntimeError(NO_GIT) from None
    if result.returncode:
        raise RuntimeError(f"git {arguments[0]}: {result.stdout.strip()}")
    return result.stdout
