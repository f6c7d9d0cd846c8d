"""What a rule is: signatures of one cause, in one part of a log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from amplify_jobs.model.failure import Who


class Part(StrEnum):
    """The part of a log that a rule looks at."""

    REASON = "statusReason of the step"
    BUILDER = "line of the builder"
    CLONE = "output of git clone"
    OUTPUT = "output of the command"
    END = "end of a log without an error"


@dataclass(frozen=True)
class Rule:
    """A cause of failure, and what tells it.

    One of the `signatures` is found in a line of the part. Where `exit_codes` are given, the command ended with one of
    them; without signatures they tell the cause alone. `unless` rules out a line, `unless_near` a line with a match
    among the six before it. A group `what` names the thing at fault: it follows the summary, and is {what} in the
    advice, which `noun` replaces where there is none. `survives` marks what also tells the cause of a log that just
    ends.
    """

    cause: str
    who: Who
    summary: str
    advice: str
    part: Part
    signatures: tuple[re.Pattern[str], ...] = ()
    exit_codes: frozenset[int] = frozenset()
    unless: re.Pattern[str] | None = None
    unless_near: re.Pattern[str] | None = None
    noun: str = "it"
    phase: str | None = None
    retry_helps: bool = False
    survives: bool = False


def signatures(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Compile patterns. Each takes time in proportion to a line's length: it has bounded repetitions only."""
    return tuple(re.compile(pattern) for pattern in patterns)
