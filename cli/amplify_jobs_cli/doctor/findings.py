"""What a diagnosis found, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from amplify_jobs.text import without_secrets
from amplify_jobs_cli.text import count


class Verdict(StrEnum):
    """How a thing stands; UNKNOWN could not be looked at."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it stands, what was seen, and what to do about it."""

    check: str
    verdict: Verdict
    text: str
    advice: str = ""


def ok(check: str, text: str) -> Finding:
    """Something that is as it should be."""
    return Finding(check, Verdict.OK, without_secrets(text))


def warning(check: str, text: str, advice: str = "") -> Finding:
    """Something that may be meant so."""
    return Finding(check, Verdict.WARNING, without_secrets(text), advice)


def problem(check: str, text: str, advice: str = "") -> Finding:
    """Something that does not work, or soon will not."""
    return Finding(check, Verdict.PROBLEM, without_secrets(text), advice)


def unknown(check: str, text: str) -> Finding:
    """Something that could not be looked at."""
    return Finding(check, Verdict.UNKNOWN, without_secrets(text))


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings, and how many there are of each verdict."""
    return {"findings": [asdict(finding) for finding in findings], "counts": counts(findings)}


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings have each verdict."""
    return {verdict.value: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    numbers = counts(findings)
    parts = [count(numbers[name], name) for name in ("problem", "warning") if numbers[name]]
    parts += [f"{numbers['unknown']} not looked at"] if numbers["unknown"] else []
    return f"{', '.join(parts)}, {numbers['ok']} ok." if parts else f"All {numbers['ok']} checks are ok."
