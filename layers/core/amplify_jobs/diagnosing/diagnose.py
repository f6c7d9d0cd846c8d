"""The diagnosis of a job: which step failed, and by which rule's cause."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from amplify_jobs.diagnosing.bounds import bounded_bytes
from amplify_jobs.diagnosing.build_log import BuildLog, Line, parse
from amplify_jobs.diagnosing.builder_rules import (
    BUILDER_RULES,
    CLONE_REFUSED,
    CLONE_RULES,
    END_RULES,
    REASON_RULES,
    TIMEOUT,
)
from amplify_jobs.diagnosing.diagnosis import Diagnosis, StepLog
from amplify_jobs.diagnosing.output_rules import EXIT_CODE_RULES, OUTPUT_RULES
from amplify_jobs.diagnosing.redaction import Redaction
from amplify_jobs.diagnosing.rule import Rule
from amplify_jobs.model.failure import UNKNOWN, Failure
from amplify_jobs.text import one_line, shortened, without_controls

BUILD_TIMEOUT_MINUTES = 30
"""How long a build may take, unless the app sets _BUILD_TIMEOUT."""
EXCERPT_LIMIT = 1_500
_LINE_LIMIT = 400
_COMMAND_LIMIT = 300
_BEFORE, _AFTER = 3, 8
_UNKNOWN_LINES = 20
# What is looked through: the cause stands at the end of a command's output, rarely at its beginning.
_FIRST_LINES, _LAST_LINES = 1_000, 5_000
_LAST_PAIRS = 500
# A private key in the lines before the excerpt begins there, and has at most so many lines.
_CONTEXT = 100
# Lines of a tool that speak of trouble which it bears, and lines of its own log.
_NOISE = re.compile(
    r"npm (?:warn|WARN|http|notice|verb|sill|info|timing)\b|(?i:warn(?:ing)?[ :\]])|info[ :]|\[WARN|✓|√|PASS "
    r"|➤ YN\d{4}: .{0,200}(?:Retrying|warning)|.{0,300}\b(?:Will retry in|Retrying\b|attempt \d)"
)
_ERROR_HEADING = re.compile(r"\W{0,4}(?:ERROR|error)\b")
_SILENT_ERRORS = re.compile(
    r"Build failed$|Non-Zero Exit Code detected$|(?:Error: )?Command failed with exit code \d+$"
)
_FAILED, _SUCCEEDED = ("FAILED", "FAILURE"), ("SUCCEED", "SUCCEEDED")


@dataclass(frozen=True)
class _Finding:
    """A rule that fits, and the lines that it fits to: the first is lines[index]."""

    rule: Rule
    lines: Sequence[str]
    index: int | None


def diagnose(
    steps: Sequence[StepLog], secrets: Iterable[str] = (), build_timeout_minutes: float = BUILD_TIMEOUT_MINUTES
) -> Diagnosis:
    """Say why a job failed, by the logs of its steps in order; the first step that failed counts.

    `secrets` are the values of the app's secret variables. Whatever the logs hold, nothing is raised.
    """
    failure, commit = None, None
    for step in steps:
        log = parse(step.text)
        commit = commit or log.commit
        if failure is None and _has_failed(step, log):
            failure = _failure(step, log, tuple(secrets), build_timeout_minutes)
    return Diagnosis(failure=failure, commit_built=commit)


def _has_failed(step: StepLog, log: BuildLog) -> bool:
    status = (step.status or "").upper()
    if status in _SUCCEEDED or status == "CANCELLED":
        return False
    if status in _FAILED or log.errors:
        return True
    # A log that just ends tells of a failure where a build had begun.
    has_begun = bool(log.command or log.phase) if log.is_amplify else bool(log.output)
    return has_begun and not log.is_successful


def _failure(step: StepLog, log: BuildLog, secrets: tuple[str, ...], build_timeout_minutes: float) -> Failure:
    text = step.text if isinstance(step.text, str) else bounded_bytes(step.text).decode(errors="replace")
    redaction = Redaction(without_controls(text), secrets)
    finding = _judge(step, log, build_timeout_minutes)
    phase, command = (_shown(redaction, text) for text in (log.phase, log.command))
    if finding is None:
        return Failure(
            cause=UNKNOWN,
            summary=_unknown_summary(log, step, redaction),
            phase=phase,
            command=command,
            excerpt=_last_lines(log, redaction),
            log=step.log,
        )
    rule = finding.rule
    detail, excerpt = _evidence(finding, redaction)
    return Failure(
        cause=rule.cause,
        summary=f"{rule.summary}: {detail}" if detail else rule.summary,
        advice=_advice(rule, detail, log),
        phase=rule.phase or phase,
        command=command if rule.phase is None else None,
        excerpt=excerpt or _last_lines(log, redaction),
        who=rule.who,
        retry_helps=rule.retry_helps,
        log=step.log,
    )


def _judge(step: StepLog, log: BuildLog, build_timeout_minutes: float) -> _Finding | None:
    """The first rule that fits, of the parts in the order in which they are reliable."""
    if step.status_reason and (finding := _first(REASON_RULES, [without_controls(step.status_reason)], log)):
        # The reason says what happened, the output where.
        return _Finding(finding.rule, (), None)
    # An error of the builder may have several lines, which belong together.
    finding = _first(BUILDER_RULES, log.errors, log)
    if finding:
        return _Finding(finding.rule, finding.lines[finding.index or 0].split("\n"), 0)
    output = [line.text for line in log.output]
    is_clone = log.phase == "clone" and log.command is None
    if is_clone and log.errors and (finding := _first(CLONE_RULES, output, log)):
        return finding
    if refused := _first((CLONE_REFUSED,), log.errors, log):
        return refused
    is_ended = bool(log.errors) or not log.is_amplify
    rules = [rule for rule in OUTPUT_RULES if is_ended or rule.survives]
    if finding := _first_of_output(rules, log):
        return finding
    if is_ended:
        codes = (rule for rule in EXIT_CODE_RULES if log.exit_code in rule.exit_codes)
        rule = next(codes, None)
        return _Finding(rule, (), None) if rule else None
    if max(step.duration_seconds or 0, log.span_seconds) >= 60 * build_timeout_minutes - 30:
        return _Finding(TIMEOUT, (), None)
    ends = _first(END_RULES, output[-20:], log)
    return _Finding(ends.rule, (), None) if ends else None


def _first(rules: Iterable[Rule], lines: Sequence[str], log: BuildLog, noise: Collection[int] = ()) -> _Finding | None:
    """The first rule that fits, and the first line that it fits to, beside the lines whose numbers are in `noise`."""
    for rule in rules:
        if rule.exit_codes and log.exit_code not in rule.exit_codes:
            continue
        for index, line in enumerate(lines):
            if index not in noise and _fits(rule, line) and not _is_near(rule, lines, index):
                return _Finding(rule, lines, index)
    return None


def _first_of_output(rules: Sequence[Rule], log: BuildLog) -> _Finding | None:
    """Look in lines first, then in lines that were cut where a record ended."""
    lines = log.output
    if len(lines) > _FIRST_LINES + _LAST_LINES:
        lines = lines[:_FIRST_LINES] + lines[-_LAST_LINES:]
    texts = [line.text for line in lines]
    noise = {index for index, text in enumerate(texts) if _NOISE.match(text)}
    finding = _first(rules, texts, log, noise)
    if finding and finding.index is not None:
        return _Finding(finding.rule, *_in_whole_output(log.output, lines[finding.index]))
    pairs = _pairs(log.output)[-_LAST_PAIRS:]
    whole_lines = [f"{first.text}{blank}{second.text}" for first, second in pairs for blank in ("", " ")]
    # What one half tells alone was judged already.
    halves = [half.text for pair in pairs for half in pair]
    rules = [rule for rule in rules if not any(_fits(rule, half) for half in halves)]
    finding = _first(rules, whole_lines, log)
    if finding is None or finding.index is None:
        return None
    first, second = pairs[finding.index // 2]
    whole = Line(whole_lines[finding.index], first.level, first.record)
    output = [whole if line is first else line for line in log.output if line is not second]
    return _Finding(finding.rule, *_in_whole_output(output, whole))


def _in_whole_output(output: Sequence[Line], evidence: Line) -> tuple[list[str], int]:
    index = next(index for index, line in enumerate(output) if line is evidence)
    return [line.text for line in output], index


def _pairs(output: Sequence[Line]) -> list[tuple[Line, Line]]:
    """The last line of each record with the first line of the next record of the same level."""
    last: dict[str, Line] = {}
    pairs = []
    for line in output:
        previous = last.get(line.level)
        if previous is not None and previous.record != line.record:
            pairs.append((previous, line))
        last[line.level] = line
    return [(first, second) for first, second in pairs if not _NOISE.match(first.text)]


def _fits(rule: Rule, line: str) -> bool:
    if not any(signature.search(line) for signature in rule.signatures):
        return False
    return not (rule.unless and rule.unless.search(line))


def _is_near(rule: Rule, lines: Sequence[str], index: int) -> bool:
    """Whether a line belongs to a heading that rules it out; the nearest heading counts."""
    if rule.unless_near is None:
        return False
    for line in reversed(lines[max(0, index - 6) : index + 1]):
        if _ERROR_HEADING.match(line):
            return False
        if rule.unless_near.search(line):
            return True
    return False


def _evidence(finding: _Finding, redaction: Redaction) -> tuple[str | None, str | None]:
    """The thing at fault, and the lines around the evidence, both without secrets."""
    if finding.index is None:
        return None, None
    begin = max(0, finding.index - _CONTEXT)
    # Line by line, so that the evidence stays in its place; what spans lines is taken out of the whole first.
    lines = _redacted_lines(finding.lines[begin : finding.index + _AFTER + 1], redaction)
    index = finding.index - begin
    detail = None
    for signature in finding.rule.signatures:
        match = signature.search(lines[index])
        if match and "what" in signature.groupindex and match["what"]:
            detail = shortened(one_line(match["what"]).strip(" :'\"").rstrip("."), 120)
            break
    shown = [shortened(line, _LINE_LIMIT) for line in lines]
    shown[index] = _around(finding.rule, lines[index])
    first = max(0, index - _BEFORE)
    while first < index and len("\n".join(shown[first : index + 1])) > EXCERPT_LIMIT:
        first += 1
    return detail or None, shortened("\n".join(shown[first:]), EXCERPT_LIMIT)


def _around(rule: Rule, line: str) -> str:
    """As much of a long line as an excerpt may have, with what the rule found in it."""
    if len(line) <= _LINE_LIMIT:
        return line
    match = next(filter(None, (signature.search(line) for signature in rule.signatures)), None)
    begin = max(0, (match.start() if match else 0) - 100)
    return f"{'…' if begin else ''}{shortened(line[begin:], _LINE_LIMIT)}"


def _redacted_lines(lines: Sequence[str], redaction: Redaction) -> list[str]:
    """Redact lines of which one secret may cover several; as many lines as before."""
    begin = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
    end = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY")
    in_key, result = False, []
    # A key whose beginning is not here ends here.
    opening = next((index for index, line in enumerate(lines) if begin.search(line)), len(lines))
    closing = next((index for index, line in enumerate(lines) if end.search(line)), None)
    covered = range(closing + 1) if closing is not None and closing < opening else range(0)
    for index, line in enumerate(lines):
        in_key = in_key or bool(begin.search(line))
        result.append("(secret left out)" if in_key or index in covered else redaction.apply(line))
        in_key = in_key and not end.search(line)
    return result


def _last_lines(log: BuildLog, redaction: Redaction) -> str | None:
    """The end of the output, or what the builder says where nothing was printed."""
    lines = [line.text for line in log.output[-_CONTEXT:]] or [
        line for error in log.errors if not _SILENT_ERRORS.match(error) for line in error.split("\n")
    ]
    shown = [shortened(line, _LINE_LIMIT) for line in _redacted_lines(lines, redaction)][-_UNKNOWN_LINES:]
    while len(shown) > 1 and len("\n".join(shown)) > EXCERPT_LIMIT:
        del shown[0]
    return "\n".join(shown) or None


def _unknown_summary(log: BuildLog, step: StepLog, redaction: Redaction) -> str:
    message = next((error for error in log.errors if not _SILENT_ERRORS.match(error)), None)
    if message:
        return shortened(one_line(redaction.apply(message)), 300)
    if log.errors and log.command:
        code = f"exit code {log.exit_code}" if log.exit_code is not None else "an error"
        return f"The last command ended with {code}; no rule knows its output"
    if step.status_reason:
        return shortened(one_line(redaction.apply(step.status_reason)), 300)
    if log.errors:
        return "The build failed, and the log does not say why"
    if log.is_amplify and not log.is_successful:
        return "The log ends without an error: the build was stopped, took too long or ran out of memory"
    return "No rule knows the log" if log.output else "The log does not say why the step failed"


def _advice(rule: Rule, detail: str | None, log: BuildLog) -> str:
    memory = log.memory_gib
    heap = f"{(memory - 1) * 1024} (below the {memory} GiB of the machine)" if memory and memory > 1 else "SIZE_IN_MB"
    if rule.cause == "build-spec-invalid" and detail and (place := re.search(r"\((\d{1,6}):\d{1,6}\)", detail)):
        detail = f"amplify.yml line {place[1]}"
    elif rule.cause == "build-spec-invalid":
        detail = None
    return rule.advice.replace("{what}", detail or rule.noun).replace("{heap}", heap)


def _shown(redaction: Redaction, text: str | None) -> str | None:
    return None if text is None else shortened(one_line(redaction.apply(text)), _COMMAND_LIMIT)
