"""What checks found, and how people and programs read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from amplify_jobs.text import without_secrets


class Verdict(StrEnum):
    """Whether a check holds; UNPROVEN is what this caller, or this cloud, can't show."""

    PASS = "pass"  # noqa: S105 -- no password
    FAIL = "fail"
    UNPROVEN = "not provable here"


@dataclass(frozen=True)
class Finding:
    """One row: what was looked at, what came of it, and one sentence that says what was seen and what to do."""

    check: str
    verdict: Verdict
    sentence: str


def passed(check: str, sentence: str) -> Finding:
    """A check that holds."""
    return Finding(check, Verdict.PASS, without_secrets(sentence))


def failed(check: str, sentence: str) -> Finding:
    """A check that does not hold."""
    return Finding(check, Verdict.FAIL, without_secrets(sentence))


def unproven(check: str, sentence: str) -> Finding:
    """A check that can't be made here."""
    return Finding(check, Verdict.UNPROVEN, without_secrets(sentence))


def exit_code(findings: Sequence[Finding]) -> int:
    """1 if something failed, else 0."""
    return int(any(finding.verdict is Verdict.FAIL for finding in findings))


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings and their count by verdict."""
    counts = {verdict.value: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    return {"findings": [asdict(finding) for finding in findings], "counts": counts}


def lines(findings: Sequence[Finding]) -> list[str]:
    """A table for people, and the count."""
    width = max((len(finding.check) for finding in findings), default=0)
    verdicts = max(len(verdict) for verdict in Verdict)
    rows = [f"{finding.verdict:<{verdicts}}  {finding.check:<{width}}  {finding.sentence}" for finding in findings]
    counts = as_json(findings)["counts"]
    return [*rows, ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + "."]
