"""What `make run` shows: a push that is built, one that breaks the build, and one that no route wants."""

from __future__ import annotations

import time

from rich.console import Console
from rich.text import Text

from amplify_jobs.model.failure import UNKNOWN
from demo.repository import Repository
from demo.watching import End, Watcher, labelled, put

PATIENCE_SECONDS = 120
OTHER_BRANCH = "draft"


class Acts:
    """Each act says whether it came out as meant."""

    def __init__(self, repository: Repository, watcher: Watcher, console: Console) -> None:
        self._repository = repository
        self._watcher = watcher
        self._console = console

    def play(self) -> bool:
        """Show all acts, and say whether all came out as meant. Raises RuntimeError if nothing is announced."""
        return all([self.build(), self.break_build(), self.push_other_branch()])

    def build(self) -> bool:
        """Push the first commit."""
        self._head("1. A push is built")
        self._command("git push origin main")
        self._show(self._repository.commit_and_push("Say hello"))
        return self._end().outcome == "SUCCEEDED"

    def break_build(self) -> bool:
        """Push a commit without a file that the build needs: as meant is a failure whose cause was found."""
        self._head("2. A push breaks the build")
        self._command("git rm style.css && git commit -m 'Break the build' && git push")
        (self._repository.work_tree / "style.css").unlink()
        self._show(self._repository.commit_and_push("Break the build"))
        end = self._end()
        return end.outcome == "FAILED" and end.failure_cause not in (None, UNKNOWN)

    def push_other_branch(self) -> bool:
        """Push a branch that is not one of the route's: as meant is a reason, and no request."""
        self._head("3. No route wants a push")
        self._command(f"git push origin main:{OTHER_BRANCH}")
        printed = self._repository.push(f"main:{OTHER_BRANCH}")
        self._show(printed)
        _, is_ignored, reason = printed.partition("no request by route ")
        if not is_ignored or "  request " in printed:
            return False
        put(self._console, labelled("Not built", f"route {reason.splitlines()[0].strip()}"))
        return True

    def _head(self, text: str) -> None:
        put(self._console, Text(f"\n{text}", style="bold"))

    def _command(self, command: str) -> None:
        put(self._console, Text(f"$ {command}"))

    def _show(self, printed: str) -> None:
        for line in printed.splitlines():
            # git itself adds blanks to a line of the hook.
            if line.startswith("remote:") and line.rstrip() != "remote:":
                put(self._console, Text(line.rstrip()))

    def _end(self) -> End:
        give_up = time.monotonic() + PATIENCE_SECONDS
        end = self._watcher.next_end(lambda: time.monotonic() < give_up)
        if end is None:
            raise RuntimeError(f"Nothing was announced within {PATIENCE_SECONDS} s")
        return end
