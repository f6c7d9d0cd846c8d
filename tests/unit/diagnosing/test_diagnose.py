"""Why a build failed: the cause of each tool's words, whatever stands around them, and no secret in the answer."""

from __future__ import annotations

import io
import json
import random
import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amplify_jobs.diagnosing.bounds import HEAD_BYTES, TAIL_BYTES, bounded, bounded_bytes
from amplify_jobs.diagnosing.build_log import parse
from amplify_jobs.diagnosing.diagnose import EXCERPT_LIMIT, diagnose
from amplify_jobs.diagnosing.diagnosis import StepLog
from amplify_jobs.diagnosing.redaction import redacted
from amplify_jobs.diagnosing.rule import Part
from amplify_jobs.diagnosing.rules import RULES, table
from amplify_jobs.model.failure import UNKNOWN, Failure
from amplify_jobs_cli.cli import main
from tests.support.failing_logs import COMMIT, HEAD, NOT_CLONED, PRINTED, REFUSED, failed, not_cloned, refused, stamped

PROJECT = Path(__file__).parents[3]
LOGS = PROJECT.parent / "shared" / "logs"
# A worktree lies beside the shared folder too.
CASES: list[dict[str, Any]] = (
    json.loads((LOGS / "expected.json").read_text())["cases"] if (LOGS / "expected.json").exists() else []
)
FIXTURES = [
    *((cause, failed(output, code)) for cause, output, code in PRINTED),
    *((cause, refused(error)) for cause, error, _ in REFUSED),
    *((cause, not_cloned(*filter(None, [output]))) for cause, output in NOT_CLONED),
]


def failure_of(log: str | bytes, **members: Any) -> Failure | None:
    return diagnose([StepLog("BUILD", log, **members)]).failure


def cause_of(log: str | bytes, **members: Any) -> str | None:
    failure = failure_of(log, **members)
    return failure.cause if failure else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_the_recorded_logs_are_judged_as_expected(case: dict[str, Any]) -> None:
    step = StepLog(
        case["step"],
        (LOGS / case["file"]).read_bytes(),
        status=case.get("jobStatus"),
        status_reason=case.get("statusReason"),
        duration_seconds=case.get("durationSeconds"),
    )
    diagnosis = diagnose([step])
    failure = diagnosis.failure
    if case["cause"] is None:
        assert failure is None
        return
    assert failure is not None
    result = (failure.cause, failure.phase, failure.command, failure.who, failure.retry_helps)
    assert result == (case["cause"], case["phase"], case["command"], case["who"], case["retryHelps"])
    excerpt = failure.excerpt or ""
    assert (case["evidence"] or "") in excerpt
    assert case.get("hint", "") in excerpt
    assert excerpt.endswith(case.get("excerptEndsWith", ""))
    assert case.get("mustNotContain", "\0") not in diagnosis.model_dump_json()
    assert (failure.advice is None) == (case["advice"] is None)


@pytest.mark.parametrize(("cause", "output", "code"), PRINTED)
def test_the_words_of_a_tool_tell_the_cause(cause: str, output: list[str], code: int) -> None:
    failure = failure_of(failed(output, code))
    assert failure is not None
    assert (failure.cause, failure.phase, failure.command) == (cause, "build", "npm run all")


@pytest.mark.parametrize(("cause", "error", "phase"), REFUSED)
def test_the_words_of_the_builder_tell_the_cause(cause: str, error: str, phase: str | None) -> None:
    failure = failure_of(refused(error))
    assert failure is not None
    assert (failure.cause, failure.phase, failure.command) == (cause, phase, None)
    assert failure.excerpt
    assert failure.excerpt in error


@pytest.mark.parametrize(("cause", "output"), NOT_CLONED)
def test_the_words_of_git_tell_why_there_is_no_clone(cause: str, output: str) -> None:
    failure = failure_of(not_cloned(*filter(None, [output])))
    assert failure is not None
    assert (failure.cause, failure.phase, failure.command) == (cause, "clone", None)


def test_every_rule_has_a_log() -> None:
    logs = [failure_of(log) for _, log in FIXTURES]
    names = {(failure.cause, failure.summary) for failure in logs if failure}
    missing = [
        (rule.cause, rule.summary)
        for rule in RULES
        if rule.part not in (Part.REASON, Part.END)
        and not any(rule.cause == cause and summary.startswith(rule.summary) for cause, summary in names)
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Build failed to complete successfully. Reason: Build container ran out of memory", "out-of-memory-container"),
        ("The build timed out", "timeout"),
        ("Build failed to complete successfully", UNKNOWN),
    ],
)
def test_the_reason_of_the_step_tells_the_cause_of_a_log_that_ends(reason: str, cause: str) -> None:
    log = stamped([*HEAD, ("INFO", "Creating an optimized production build ...")])
    failure = failure_of(log, status="FAILED", status_reason=reason)
    assert failure is not None
    assert (failure.cause, failure.phase, failure.command) == (cause, "build", "npm run all")
    assert failure.excerpt == "Creating an optimized production build ..."


@pytest.mark.parametrize(
    ("output", "seconds", "cause"),
    [
        ("Compiling", 1_799, "timeout"),
        ("Compiling", 60, UNKNOWN),
        ("[09:16:40] Starting 'watch:css'...", 60, "timeout"),
        ("Found 0 errors. Watching for file changes.", 60, "timeout"),
        ("npm error code ECONNRESET", 60, UNKNOWN),
        ("JavaScript heap out of memory", 60, "node-heap-out-of-memory"),
    ],
)
def test_a_log_that_ends_without_an_error(output: str, seconds: int, cause: str) -> None:
    assert cause_of(stamped([*HEAD, ("INFO", output)]), duration_seconds=seconds) == cause


def test_a_log_that_ends_where_the_key_was_taken_is_one_of_a_denied_clone() -> None:
    log = stamped([("INFO", "# Cloning repository: git@git.example.com:a/b.git"), ("INFO", "Git SSH Key acquired")])
    assert cause_of(log, status="FAILED") == "clone-denied"


def test_deployments_that_amplify_fails_are_worth_a_retry() -> None:
    failure = failure_of("2023-04-06T12:00:01 [INFO]: Deploying\n2023-04-06T12:00:02 [ERROR]: !!! Failed to deploy\n")
    assert failure is not None
    assert (failure.cause, failure.who, failure.retry_helps) == ("amplify-internal-error", "amplify", True)


DECOYS = [
    "npm warn ERESOLVE overriding peer dependency",
    "npm warn EBADENGINE Unsupported engine {",
    "npm WARN tarball tarball data for a@1 seems to be corrupted. Trying again.",
    "npm http fetch GET 503 https://r.example.com/a attempt 2 failed with ECONNRESET",
    " WARN  GET https://r.example.com/a error (ERR_PNPM_FETCH_503). Will retry in 10 seconds. 2 retries left.",
    "info There appears to be trouble with your network connection. Retrying...",
    'info fsevents@2.3.3: The platform "linux" is incompatible with this module.',
    'warning glob@11: The engine "node" is incompatible with this module.',
    "WARNING: Retrying (Retry(total=4)) after connection broken by 'ReadTimeoutError'",
    "✓ shows JavaScript heap out of memory (4 ms)",
    "src/errors/FATAL.tsx built",
    "0 errors, 3 warnings",
    "Tests:       42 passed, 42 total",
    "✖ 3 problems (0 errors, 3 warnings)",
    "Module 'ENOTFOUND.ts' was bundled",
    "warning Error: Module not found: Can't resolve 'encoding'",
]


@pytest.mark.parametrize("decoy", DECOYS)
def test_frightening_words_are_no_cause(decoy: str) -> None:
    failure = failure_of(failed([decoy]))
    assert failure is not None
    assert (failure.cause, failure.advice, failure.who, failure.retry_helps) == (UNKNOWN, None, None, False)
    assert decoy.strip() in (failure.excerpt or "")


def test_only_the_command_that_failed_counts() -> None:
    log = stamped(
        [
            *HEAD,
            ("WARNING", "sh: husky: command not found"),
            ("INFO", "# Executing command: ./pack.sh"),
            ("INFO", "packing"),
            ("ERROR", "!!! Build failed"),
            ("ERROR", "!!! Non-Zero Exit Code detected"),
        ]
    )
    failure = failure_of(log)
    assert failure is not None
    assert (failure.cause, failure.command, failure.excerpt) == (UNKNOWN, "./pack.sh", "packing")


def test_a_build_that_succeeded_has_no_failure() -> None:
    lines = [*HEAD, ("WARNING", "npm error code E401"), ("INFO", "## Build completed successfully")]
    assert cause_of(stamped(lines)) is None
    assert cause_of(failed(["npm error code E401"]), status="SUCCEED") is None
    assert cause_of("") is None


def test_the_first_step_that_failed_counts() -> None:
    steps = [
        StepLog("BUILD", failed(["npm error code E401"]), log="s3://logs/1"),
        StepLog("DEPLOY", "2023-04-06T12:00:02 [ERROR]: !!! Failed to deploy", log="s3://logs/2"),
    ]
    diagnosis = diagnose(steps)
    assert diagnosis.failure is not None
    assert (diagnosis.failure.cause, diagnosis.failure.log) == ("registry-unauthorized", "s3://logs/1")
    assert diagnosis.commit_built == COMMIT


COLOURED = re.compile(r"(\[(?:INFO|WARNING)\]: )(?![#>])(.*)")
NOISE = ["added 12 packages in 3s", "npm notice New minor version of npm available! 10.8.2 -> 11.1.0", "", "   ", "42"]


@given(
    fixture=st.sampled_from(FIXTURES),
    ending=st.sampled_from(["\n", "\r\n"]),
    colour=st.sampled_from(["", "\x1b[31m", "\x1b[1;38;5;9m"]),
    noise=st.lists(st.tuples(st.integers(8, 9), st.sampled_from(NOISE)), max_size=5),
    shift=st.integers(0, 59),
    has_numbers=st.booleans(),
    npm=st.sampled_from(["npm error ", "npm ERR! "]),
)
def test_what_stands_around_does_not_change_the_cause(
    *,
    fixture: tuple[str, str],
    ending: str,
    colour: str,
    noise: list[tuple[int, str]],
    shift: int,
    has_numbers: bool,
    npm: str,
) -> None:
    cause, log = fixture
    log = re.sub("npm (?:error|ERR!) ", npm, log)
    lines = re.sub(r"T10:\d\d", f"T11:{shift:02}", log).splitlines()
    for index, text in noise:
        # After the command has begun, and before it fails.
        if len(lines) > index and "# Completed" not in lines[index]:
            lines.insert(index, f"2026-05-01T11:{shift:02}:00.000Z [INFO]: {text}")
    lines = [COLOURED.sub(lambda match: f"{match[1]}{colour}{match[2]}\x1b[0m", line) for line in lines]
    if has_numbers and not any(line.startswith(" ") for line in lines):
        lines = [part for number, line in enumerate(lines, 1) for part in ("", str(number), "", line)]
    assert cause_of(ending.join(lines)) == cause


@given(fixture=st.sampled_from([case for case in PRINTED if len(case[1]) == 1]), data=st.data())
def test_a_line_that_a_record_cuts_is_one_line(fixture: tuple[str, list[str], int], data: st.DataObject) -> None:
    cause, (line,), code = fixture
    line = line.strip()
    cut = data.draw(st.integers(1, len(line) - 1))
    log = failed([line[:cut], line[cut:]], code)
    result = cause_of(log)
    # Half a line may tell less than the whole, such as the name of a rule's second signature.
    assert result is not None
    assert result == cause or any(cause_of(failed([part], code)) == result for part in (line[:cut], line[cut:]))


SECRETS = [
    "npm_" + "EXAMPLE0EXAMPLE0EXAMPLE0EXAMPLE0EX",
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ada.lovelace@example.com",
    "123456789012",
    "hunter2-hunter2",
    "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA7x\nqPq8aBcDeF0123\n-----END RSA PRIVATE " + "KEY-----",
]


@given(
    secret=st.sampled_from(SECRETS),
    before=st.sampled_from(["", "token: ", "https://x:", "_authToken=", "npm error code E401 ", "Error: "]),
    after=st.sampled_from(["", "@git.example.com/a", ": command not found", " is not set", "' not found"]),
    place=st.integers(0, 3),
    is_command=st.booleans(),
)
def test_no_secret_is_told(secret: str, before: str, after: str, place: int, is_command: bool) -> None:
    output = ["npm error code E401", "npm error a", "npm error b"]
    output.insert(place, f"{before}{secret}{after}")
    log = failed(output)
    if is_command:
        log = log.replace("npm run all", f"deploy {before}{secret.splitlines()[0]}")
    diagnosis = diagnose([StepLog("BUILD", log, status_reason=f"failed with {secret}")], ["hunter2-hunter2"])
    text = diagnosis.model_dump_json() + redacted(log, ["hunter2-hunter2"])
    hidden = [line for line in secret.split("\n") if "PRIVATE KEY" not in line]
    assert [line for line in hidden if line in text] == []


def test_a_value_of_a_secret_variable_is_told_nowhere_in_the_log() -> None:
    log = failed(
        ["export API_TOKEN=s3same0pen", "npm error code E401", "npm error GET https://r.example.com/s3same0pen"]
    )
    assert "s3same0pen" not in redacted(log)
    assert "s3same0pen" not in diagnose([StepLog("BUILD", log)]).model_dump_json()


@given(st.binary(max_size=400) | st.text(max_size=400))
@example(b"\xff\xfe\x00 [ERROR]: !!!")
@example("9999-99-99T99:99:99Z [INFO]: a\n9999-99-99T99:99:99Z [ERROR]: !!! b")
def test_no_log_raises(log: bytes | str) -> None:
    diagnosis = diagnose([StepLog("BUILD", log, status="FAILED", status_reason=str(log)[:50])])
    assert diagnosis.failure is not None
    assert len(diagnosis.failure.excerpt or "") <= EXCERPT_LIMIT
    redacted(log)


PIECES = [rule.signatures[0].pattern for rule in RULES if rule.signatures]
WORDS = sorted({word for piece in PIECES for word in re.findall(r"[A-Za-z_]{3,}|[: .'\"(]", piece)})


@settings(max_examples=30)
@given(
    words=st.lists(st.sampled_from(WORDS) | st.text(string.printable, max_size=3), min_size=1, max_size=4),
    blank=st.sampled_from(["", " ", ": ", "\n"]),
)
def test_hostile_lines_take_no_longer_than_their_size(words: list[str], blank: str) -> None:
    # A search that takes quadratic time would run into the time-out of the test.
    cause_of(failed([(blank.join(words) + blank) * (30_000 // (len("".join(words)) + 1))]))


@given(size=st.integers(0, 3), extra=st.integers(-5, 5))
def test_a_long_log_is_read_in_bounded_memory(size: int, extra: int) -> None:
    content = random.Random(size).randbytes(max(0, size * (HEAD_BYTES + TAIL_BYTES) + extra))
    excerpt = bounded(io.BytesIO(content))
    assert len(excerpt) <= HEAD_BYTES + TAIL_BYTES + 2 * 64 * 1024
    assert excerpt[-TAIL_BYTES // 2 :] == content[-TAIL_BYTES // 2 :]
    assert len(bounded_bytes(content)) <= HEAD_BYTES + TAIL_BYTES + 2 * 64 * 1024


def test_what_is_left_out_of_a_long_log_is_not_judged() -> None:
    long = stamped([*HEAD, ("WARNING", "npm error code E401")])
    long += "2026-05-01T10:01:00.000Z [INFO]: page built\n" * 60_000
    end = stamped([("ERROR", "!!! Build failed"), ("ERROR", "!!! Non-Zero Exit Code detected")])
    diagnosis = diagnose([StepLog("BUILD", bounded(io.BytesIO((long + end).encode())))])
    assert diagnosis.failure is not None
    assert (diagnosis.failure.cause, diagnosis.failure.command) == (UNKNOWN, None)
    assert diagnosis.commit_built == COMMIT


def test_a_long_line_shows_what_was_found_in_it() -> None:
    log = failed(["x" * 20_000 + " FATAL ERROR: JavaScript heap out of memory " + "y" * 20_000])
    failure = failure_of(log)
    assert failure is not None
    assert failure.cause == "node-heap-out-of-memory"
    assert "JavaScript heap out of memory" in (failure.excerpt or "")


def test_the_form_of_a_log_is_read() -> None:
    log = parse(failed(["a"], exit_code=3))
    assert (log.commit, log.memory_gib, log.phase, log.command, log.exit_code) == (COMMIT, 8, "build", "npm run all", 3)


def test_all_causes_are_in_the_documentation() -> None:
    text = (PROJECT / "docs" / "failures.md").read_text()
    assert "\n".join(table()) in text


def test_the_command_line_tells_the_cause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "BUILD.txt"
    file.write_text(failed(["npm error code E401"]))
    assert main(["diagnose", str(file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {
        *("cause", "summary", "advice", "phase", "command", "excerpt", "who", "retryHelps", "log"),
        "commitBuilt",
    }
    assert (document["cause"], document["commitBuilt"], document["log"]) == ("registry-unauthorized", COMMIT, str(file))
    assert main(["diagnose", str(file)]) == 0
    assert capsys.readouterr().out.startswith("registry-unauthorized: ")


def test_the_command_line_reads_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = stamped([*HEAD, ("INFO", "## Build completed successfully")])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(log.encode())))
    assert main(["diagnose", "-", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["cause"], document["retryHelps"], document["commitBuilt"]) == (None, False, COMMIT)


def test_the_command_line_names_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", str(tmp_path / "none.txt")]) == 1
    assert "none.txt: can't be read: No such file or directory" in capsys.readouterr().err
