"""The marked part of a log: what the excerpt of a diagnosed failure shows, wherever else its lines stand too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.diagnosing.diagnose import diagnose
from amplify_jobs.diagnosing.diagnosis import StepLog
from amplify_jobs.diagnosing.redaction import redacted
from amplify_jobs.steering.failing_lines import failing_lines
from tests.support.failing_logs import PRINTED, failed

LOG = "\n".join(
    [
        "12:00 [INFO]: # Executing command: npm run build",
        "12:01 [WARN]: function f() {",
        "12:01 [WARN]: }",
        "12:02 [WARN]: SyntaxError: unexpected token",
        "12:02 [INFO]: # a line of the builder",
        "12:02 [WARN]: }",
        "12:03 [ERROR]: !!! Build failed",
        "12:03 [INFO]: }",
        "",
    ]
)


@pytest.mark.parametrize(
    ("excerpt", "lines"),
    [
        ("SyntaxError: unexpected token", (4, 4)),
        # The last brace of the log is none of the failure's.
        ("SyntaxError: unexpected token\n}", (4, 6)),
        ("function f() {\n}", (2, 3)),
        ("function f() {\n\n   }", (2, 3)),
        ("…taxError: unexpected tok…", (4, 4)),
        ("SyntaxError: unexpected token\n!!! Build fai…", (4, 7)),
        # A line that the log shows in another way does not keep the others from being found.
        ("SyntaxError: unexpected token\n(secret left out)\n!!! Build failed", (4, 7)),
        ("not there", None),
        ("SyntaxError: unexpected token\nnot there", None),
        ("…", None),
        ("\n \n", None),
        ("", None),
        (None, None),
    ],
)
def test_where_it_is(excerpt: str | None, lines: tuple[int, int] | None) -> None:
    assert failing_lines(LOG, excerpt) == lines


@pytest.mark.parametrize(("output", "code"), [(output, code) for _, output, code in PRINTED])
@pytest.mark.parametrize("output_before", [0, 300])
def test_every_diagnosed_failure_is_found(output: list[str], code: int, output_before: int) -> None:
    log = failed([*(f"line {number} of the output" for number in range(output_before)), *output], code)
    failure = diagnose([StepLog("BUILD", log.encode(), status="FAILED")]).failure
    assert failure is not None
    assert failure.excerpt
    shown = redacted(log)
    lines = failing_lines(shown, failure.excerpt)
    assert lines is not None
    first, last = lines
    marked = "\n".join(shown.split("\n")[first - 1 : last])
    assert all(line.strip().strip("…") in marked for line in failure.excerpt.split("\n"))


NUMBERED = st.integers(1, 60).flatmap(lambda count: st.tuples(st.just(count), st.integers(1, count)))


@given(NUMBERED, st.integers(1, 20), st.booleans())
def test_a_part_of_any_log_is_found_where_it_is(place: tuple[int, int], length: int, ends: bool) -> None:
    count, first = place
    lines = [f"12:00 [INFO]: <{number}>" for number in range(1, count + 1)]
    last = min(first + length - 1, count)
    excerpt = "\n".join(line.partition(": ")[2] for line in lines[first - 1 : last])
    assert failing_lines("\n".join(lines) + ("\n" if ends else ""), excerpt) == (first, last)


@given(st.text(max_size=200), st.none() | st.text(max_size=50))
def test_any_text_is_looked_through(text: str, excerpt: str | None) -> None:
    lines = failing_lines(text, excerpt)
    if lines is not None:
        first, last = lines
        assert 1 <= first <= last <= len(text.split("\n"))
