"""All rules in the order in which they are tried: specific before generic."""

from __future__ import annotations

from amplify_jobs.diagnosing.builder_rules import (
    BUILDER_RULES,
    CLONE_REFUSED,
    CLONE_RULES,
    END_RULES,
    REASON_RULES,
    TIMEOUT,
)
from amplify_jobs.diagnosing.output_rules import EXIT_CODE_RULES, OUTPUT_RULES
from amplify_jobs.diagnosing.rule import Rule

RULES: tuple[Rule, ...] = (
    *REASON_RULES,
    *BUILDER_RULES,
    *CLONE_RULES,
    CLONE_REFUSED,
    *OUTPUT_RULES,
    *EXIT_CODE_RULES,
    *END_RULES,
    TIMEOUT,
)
_HEADER = ("| cause | evidence | what failed | who fixes it | what to do |", "| --- | --- | --- | --- | --- |")


def table() -> list[str]:
    """The rows of docs/failures.md: one a rule."""
    return [*_HEADER, *(_row(rule) for rule in RULES)]


def _row(rule: Rule) -> str:
    advice = rule.advice.replace("{what}", rule.noun).replace("{heap}", "… (below the memory of the machine)")
    who = f"{rule.who.value}{'; a retry helps' if rule.retry_helps else ''}"
    part = f"exit code {min(rule.exit_codes)}" if rule.exit_codes and not rule.signatures else rule.part.value
    return f"| `{rule.cause}` | {part} | {rule.summary} | {who} | {advice} |"
