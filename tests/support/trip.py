"""The trip of a call through the project's files: which ones it enters, in the order in which a reader meets them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "core" / "amplify_jobs"
FUNCTIONS = ROOT / "functions"
SHARED = ("aws/", "model/", "clock.py", "errors.py", "observability.py", "settings.py", "text.py")


@dataclass
class Trip:
    """The files of a call, by the order of their first function, and every move from one file to another."""

    files: list[str] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)

    def enter(self, file: str, caller: str | None) -> None:
        if file not in self.files:
            self.files.append(file)
        if caller is not None and caller != file:
            self.moves.append((caller, file))

    @property
    def stages(self) -> list[str]:
        """The files with the decisions: those that call another file, without AWS, models and shared modules."""
        callers = {caller for caller, _ in self.moves}
        return [file for file in self.files if file in callers and not file.startswith(SHARED)]

    @property
    def returns(self) -> set[tuple[str, str]]:
        """The moves from a file of the stages back up to one that the reader has met before it."""
        order = {file: place for place, file in enumerate(self.stages)}
        return {(caller, file) for caller, file in self.moves if order.get(file, len(order)) < order.get(caller, 0)}


def name(filename: str) -> str | None:
    """A file of the service as docs/architecture.md writes it; None for any other file."""
    path = Path(filename)
    if path.is_relative_to(LAYER):
        return path.relative_to(LAYER).as_posix()
    if path.is_relative_to(FUNCTIONS):
        return path.relative_to(ROOT).as_posix()
    return None


@contextmanager
def recorded_trip() -> Iterator[Trip]:
    """Record the calls of functions of the service in this thread."""
    trip, names = Trip(), dict[str, str | None]()

    def named(frame: FrameType) -> str | None:
        filename = frame.f_code.co_filename
        if filename not in names:
            names[filename] = name(filename)
        return names[filename]

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or (file := named(frame)) is None:
            return
        caller = frame.f_back
        while caller is not None and named(caller) is None:
            caller = caller.f_back
        trip.enter(file, named(caller) if caller is not None else None)

    previous = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield trip
    finally:
        sys.setprofile(previous)
