"""Which branches a pattern means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.patterns import checked_pattern, matches


@pytest.mark.parametrize(
    ("patterns", "fits", "does_not_fit"),
    [
        (["main"], ["main"], ["main2", "amain", "x/main", "Main"]),
        (["release/*"], ["release/1", "release/"], ["release/1/2", "release", "x/release/1"]),
        (["release/**"], ["release/1", "release/1/2"], ["release", "hotrelease/1"]),
        (["*"], ["main", "v1.2"], ["feature/x"]),
        (["**"], ["main", "feature/x/y"], []),
        (["**/fix"], ["fix", "a/fix", "a/b/fix"], ["a/prefix", "fix/a"]),
        (["feature/*-ui"], ["feature/new-ui"], ["feature/new/a-ui", "feature/ui"]),
        (["c++", "v1.*"], ["c++", "v1.0"], ["ccc", "v1x0"]),
        (["**", "!main"], ["dev", "x/main"], ["main"]),
        (["**", "!release/**", "release/9"], ["release/9", "main"], ["release/1"]),
        (["!main"], [], ["main", "dev"]),
    ],
)
def test_patterns(patterns: list[str], fits: list[str], does_not_fit: list[str]) -> None:
    assert [branch for branch in fits if not matches(patterns, branch)] == []
    assert [branch for branch in does_not_fit if matches(patterns, branch)] == []


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("", "matches no branch"),
        ("!", "matches no branch"),
        ("release/?", "only \\* and \\*\\*"),
        ("v[0-9]", "only \\* and \\*\\*"),
        ("a\\*", "only \\* and \\*\\*"),
        ("a b", "no branch can be called"),
        ("a\n", "no branch can be called"),
    ],
)
def test_mistakes_are_named(pattern: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        checked_pattern(pattern)


@given(st.text(min_size=1).filter(lambda name: "*" not in name and not name.startswith("!")))
def test_a_name_without_wildcards_means_itself(name: str) -> None:
    assert matches([name], name)
    assert not matches([name], name + "x")


@given(st.lists(st.text(alphabet="ab/*!+", min_size=1, max_size=8)), st.text(alphabet="ab/+", max_size=8))
def test_matching_never_raises(patterns: list[str], branch: str) -> None:
    assert matches(patterns, branch) in {True, False}
