"""Labelled texts are broken between words, whatever they are and however wide the terminal is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from amplify_jobs_cli.output.screen import broken

ADDRESS = "http://127.0.0.1:4566/_local/jobs/d1a2b3c4d5e6/main/1"


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", None, ["one two three"]),
        ("one\n\n  two three", 8, ["one", "", "  two", "three"]),
        (f"see {ADDRESS} for more", 12, ["see", ADDRESS, "for more"]),
        ("構築 失敗", 5, ["構築", "失敗"]),
        ("", 8, [""]),
    ],
)
def test_a_text_is_broken_between_words(text: str, columns: int | None, lines: list[str]) -> None:
    assert [line.plain.rstrip() for line in broken(Text(text), columns)] == lines


@given(st.text(st.sampled_from("ab \n構"), max_size=60), st.integers(1, 30))
def test_no_word_is_lost_and_only_one_that_is_too_long_goes_over_the_edge(text: str, columns: int) -> None:
    lines = [line.plain for line in broken(Text(text), columns)]
    assert " ".join(lines).split() == text.split()
    for line in lines:
        assert cell_len(line.rstrip()) <= columns or len(line.split()) == 1
