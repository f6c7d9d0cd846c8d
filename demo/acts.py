"""What `make run` plays: a push that is built, one that breaks the build, and one that no route wants."""

from __future__ import annotations

import time

from amplify_jobs.model.failure import UNKNOWN
from demo.repository import Repository
from demo.screen import Mark, Screen
from demo.watching import End, Watcher

PATIENCE_SECONDS = 120
OTHER_BRANCH = "draft"


class Acts:
    """Each act says whether it came out as meant."""

    def __init__(self, repository: Repository, watcher: Watcher, screen: Screen) -> None:
        self._repository = repository
        self._watcher = watcher
        self._screen = screen

    def play(self) -> bool:
        """Show all acts, and say whether all came out as meant. Raises RuntimeError if nothing is announced."""
        return all([self.build(), self.break_build(), self.push_other_branch()])

    def build(self) -> bool:
        """Push the first commit."""
        self._screen.head(1, "A push is built")
        self._screen.command("git push origin main")
        show_remote(self._repository.commit_and_push("Say hello"), self._screen)
        return end_of(self._watcher).outcome == "SUCCEEDED"

    def break_build(self) -> bool:
        """Push a commit without a file that the build needs: as meant is a failure whose cause was found."""
        self._screen.head(2, "A push breaks the build, and everybody hears why")
        self._screen.command("git rm style.css")
        self._screen.command("git commit -m 'Break the build' && git push")
        (self._repository.work_tree / "style.css").unlink()
        show_remote(self._repository.commit_and_push("Break the build"), self._screen)
        end = end_of(self._watcher)
        return end.outcome == "FAILED" and end.failure_cause not in (None, UNKNOWN)

    def push_other_branch(self) -> bool:
        """Push a branch that is not one of the route's: as meant is a reason, and no request."""
        self._screen.head(3, "No route wants a push, and the pusher hears why")
        self._screen.command(f"git push origin main:{OTHER_BRANCH}")
        printed = self._repository.push(f"main:{OTHER_BRANCH}")
        show_remote(printed, self._screen)
        _, is_ignored, reason = printed.partition("no request by route ")
        if not is_ignored or "  request " in printed:
            return False
        self._screen.title(Mark.NONE, f"{OTHER_BRANCH} is not built")
        self._screen.fact(Mark.NONE, "Reason", f"route {reason.splitlines()[0].strip()}")
        self._screen.fact(Mark.NONE, "Advice", f"Add {OTHER_BRANCH} to the route's branches, if it shall be built.")
        return True


def show_remote(printed: str, screen: Screen) -> None:
    """Show what the git host said to a push, of all that git printed."""
    for line in printed.splitlines():
        # git itself adds blanks to a line of the hook.
        if line.startswith("remote:") and line.rstrip() != "remote:":
            screen.remote(line.removeprefix("remote:").removeprefix(" "))


def end_of(watcher: Watcher) -> End:
    """Show the next request to its end. Raises RuntimeError if nothing is announced."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    end = watcher.next_end(lambda: time.monotonic() < deadline)
    if end is None:
        raise RuntimeError(f"Nothing was announced within {PATIENCE_SECONDS} s")
    return end
