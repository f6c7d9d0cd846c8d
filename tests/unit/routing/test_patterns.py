"""Which names, paths and texts a pattern means."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.routing.github_patterns import (
    first_match,
    last_match,
    last_match_in_any_case,
    validate_name_pattern,
    validate_pattern,
    validate_patterns,
)
from amplify_jobs.routing.text_patterns import last_text_match, validate_text_pattern

BRANCHES = [
    (["main"], ["main"], ["main2", "amain", "x/main", "Main"]),
    (["release/*"], ["release/1", "release/"], ["release/1/2", "release", "x/release/1"]),
    (["release/**"], ["release/1", "release/1/2"], ["release", "hotrelease/1"]),
    (["*"], ["main", "v1.2"], ["feature/x"]),
    (["**"], ["main", "feature/x/y"], []),
    (["**/fix"], ["fix", "a/fix", "a/b/fix"], ["a/prefix", "fix/a"]),
    (["feature/*-ui"], ["feature/new-ui"], ["feature/new/a-ui", "feature/ui"]),
    (["c++", "v1.*"], ["c++", "v1.0"], ["v1x0"]),
    (["**", "!main"], ["dev", "x/main"], ["main"]),
    (["**", "!release/**", "release/9"], ["release/9", "main"], ["release/1"]),
    (["!main"], [], ["main", "dev"]),
    (["*feature"], ["my-feature", "feature", "ver-10-feature"], ["feature-1", "a/feature"]),
    (["v2*"], ["v2", "v2.0", "v2.9"], ["v1"]),
    (["v[12].[0-9]+.[0-9]+"], ["v1.10.1", "v2.0.0"], ["v3.0.0", "v1.x.0", "v1.0"]),
    (["v[0-9]+.[0-9]+", "!v*-rc?"], ["v1.2"], ["v1", "v1.2-rc"]),
]
# After the examples of GitHub's cheat sheet for paths.
PATHS = [
    (["*"], ["README.md", "server.rb"], ["docs/README.md"]),
    (["*.jsx?"], ["page.js", "page.jsx"], ["page.jsxx", "app/page.js", "page.jx"]),
    (["**"], ["all/the/files.md"], []),
    (["*.js"], ["app.js", "index.js"], ["js/index.js"]),
    (["**.js"], ["index.js", "js/index.js", "src/js/app.js"], ["index.json"]),
    (["docs/*"], ["docs/README.md", "docs/file.txt"], ["docs/a/b.md", "README.md"]),
    (["docs/**"], ["docs/README.md", "docs/mona/octocat.txt"], ["docs", "my/docs/README.md"]),
    (["docs/**/*.md"], ["docs/README.md", "docs/mona/hello.md", "docs/a/markdown/file.md"], ["docs/a.txt", "x.md"]),
    (["**/docs/**"], ["docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"], ["adocs/hello.md"]),
    (["**/README.md"], ["README.md", "js/README.md"], ["README.mdx"]),
    (["**/*src/**"], ["a/src/app.js", "my-src/code/js/app.js"], ["srcs/app.js"]),
    (["**/*-post.md"], ["my-post.md", "path/their-post.md"], ["post.md"]),
    (["**/migrate-*.sql"], ["migrate-10909.sql", "db/migrate-v1.0.sql", "db/sept/migrate-v1.sql"], ["migrate.sql"]),
    (["*.md", "!README.md"], ["hello.md"], ["README.md", "docs/hello.md"]),
    (["*.md", "!README.md", "README*"], ["hello.md", "README.md", "README.doc"], ["LICENSE"]),
    (["[CB]at"], ["Cat", "Bat"], ["Rat", "CBat"]),
    # Nothing can be told of how a name begins where the first character may be missing, or be there again.
    (["c?at"], ["at", "cat"], ["ccat", "hat"]),
    (["c+at"], ["cat", "ccat", "c+at"], ["at"]),
    (["ac?t/**"], ["at/x", "act/x"], ["acct/x", "a/x"]),
    (["[1-2]00"], ["100", "200"], ["300"]),
    # What file-based routers call their files.
    (["app/[id]/page.tsx"], ["app/[id]/page.tsx"], ["app/x/page.tsx"]),
    (["app/[...slug]/**"], ["app/[...slug]/page.tsx"], ["app/s/page.tsx"]),
    (["src/**/+page.svelte"], ["src/+page.svelte", "src/a/b/+page.svelte"], ["src/a/page.svelte"]),
    ([r"app/\[id\]/**"], ["app/[id]/a/b.tsx"], ["app/i/a.tsx"]),
    ([r"what\?", r"a\*"], ["what?", "a*"], ["what", "wha", "ab"]),
    (["a\nb*"], ["a\nbc"], ["a", "ab"]),
]


@pytest.mark.parametrize(("patterns", "fits", "does_not_fit"), BRANCHES + PATHS)
def test_names(patterns: list[str], fits: list[str], does_not_fit: list[str]) -> None:
    assert [name for name in fits if last_match(patterns, name) is None] == []
    assert [name for name in does_not_fit if last_match(patterns, name) is not None] == []


@pytest.mark.parametrize(("patterns", "fits", "does_not_fit"), BRANCHES + PATHS)
def test_the_first_name_that_is_in_is_found_among_others(
    patterns: list[str], fits: list[str], does_not_fit: list[str]
) -> None:
    result = first_match(tuple(patterns), [*does_not_fit, *fits])
    assert (result and result[0]) == (fits[0] if fits else None)


def test_the_pattern_that_decided_is_named() -> None:
    assert last_match(["*.md", "!README.md", "README*"], "README.md") == "README*"
    assert last_match(["*.md", "docs/**", "!docs/old/**"], "docs/a.md") == "docs/**"


def test_names_of_repositories_have_no_case() -> None:
    assert last_match_in_any_case(["Acme/*"], "acme/WEB") == "Acme/*"
    assert last_match(["Acme/*"], "acme/WEB") is None


@pytest.mark.parametrize(
    ("patterns", "fits", "does_not_fit"),
    [
        (["*[deploy]*"], ["Fix [Deploy] it", "[deploy]", "a\n\nb/c [deploy]"], ["deploy", "[d]"]),
        (["*", "!*[bot]"], ["Ada", "", "bot"], ["dependabot[bot]", "Renovate[BOT]"]),
        (["release: *"], ["release: 1.0/2"], ["a release: 1.0"]),
    ],
)
def test_texts(patterns: list[str], fits: list[str], does_not_fit: list[str]) -> None:
    assert [text for text in fits if last_text_match(patterns, text) is None] == []
    assert [text for text in does_not_fit if last_text_match(patterns, text) is not None] == []


@given(st.text("ab*", min_size=1, max_size=6), st.text("abAB\n", max_size=8))
def test_a_text_fits_as_the_regular_expression_of_its_pattern_says(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    fits = re.fullmatch(expression, text, re.DOTALL | re.IGNORECASE) is not None
    assert (last_text_match([pattern], text) is not None) is fits


def test_a_text_that_almost_fits_costs_no_more_than_its_length() -> None:
    # A search that tries every place of every part again takes some 10^15 steps for this, and never ends.
    assert last_text_match(["*feat*deploy*x"], "featdeploy" * 100_000) is None
    assert last_text_match(["*feat*deploy*x"], "featdeploy" * 100_000 + "X") is not None


def fits_by_trial(pattern: str, name: str) -> bool:
    """Whether a name fits, decided by trying everything, without a regular expression for the whole."""
    tokens = re.findall(r"(?:\*\*/|\*\*|\*|\[ab\]|.)", pattern, re.DOTALL)

    @cache
    def rest_fits(token: int, place: int) -> bool:
        if token == len(tokens):
            return place == len(name)
        this = tokens[token]
        if this[0] == "*":
            begins = token == 0 or tokens[token - 1].endswith("/")
            if this == "**/":
                ends = [place] if begins else []
                ends += [end + 1 for end in range(place, len(name)) if name[end] == "/"]
            else:
                ends = [end for end in range(place, len(name) + 1) if this == "**" or "/" not in name[place:end]]
            return any(rest_fits(token + 1, end) for end in ends)
        quantifier = tokens[token + 1] if this != "/" and tokens[token + 1 : token + 2] in (["?"], ["+"]) else ""
        characters = "ab" if this == "[ab]" else this
        most = {"": 1, "?": 1, "+": len(name)}[quantifier]
        counts = range(0 if quantifier == "?" else 1, most + 1)
        following = token + 1 + len(quantifier)
        return any(
            rest_fits(following, place + count)
            for count in counts
            if place + count <= len(name) and all(one in characters for one in name[place : place + count])
        )

    return rest_fits(0, 0)


TOKENS = ["a", "b", "/", "*", "**", "**/", "a?", "b+", "[ab]", "[ab]+", "[ab]?"]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=9).map("".join), st.text("ab/", max_size=10))
def test_a_name_fits_as_trying_everything_says(pattern: str, name: str) -> None:
    assert (last_match([pattern], name) is not None) is fits_by_trial(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("**a**b**c**d**x", "abcd" * 250),
        ("*a*b*c*d*x", "abcd" * 250),
        ("**/a/**/b/**/a/**/b/**/x", "a/b/" * 1000),
        ("[ab]+*[ab]+*[ab]+*x", "ab" * 500),
        ("a**a**a**a**/x", "a" * 1000),
    ],
)
def test_a_name_that_almost_fits_ends(pattern: str, name: str) -> None:
    # To try every place of every part again takes some 10^10 steps and more.
    assert last_match([pattern], name) is None


def globs() -> list[tuple[list[str], str, bool]]:
    file = Path(__file__).parents[4] / "shared" / "cases" / "webhooks" / "globs.json"
    rows = json.loads(file.read_text()) if file.exists() else []
    return [(row["patterns"], row["name"], row["expected"]) for row in rows]


@pytest.mark.parametrize(("patterns", "name", "expected"), globs())
def test_globs_mean_what_they_mean_elsewhere(patterns: list[str], name: str, expected: bool) -> None:
    assert (last_match(patterns, name) is not None) is expected
    assert (first_match(tuple(patterns), [name]) is not None) is expected


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not_fit"),
    [
        ("release**/hotfix", ["release/hotfix", "release-1/a/hotfix"], ["releasehotfix"]),
        ("a**/b", ["a/b", "ax/b"], ["ab"]),
        ("[a-c]**/x", ["a/x"], ["ax"]),
        ("a/**/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab"]),
        ("a*/**/b", ["a/b", "ax/y/b"], ["ab", "axb"]),
    ],
)
def test_folders_can_be_left_out_where_a_segment_begins(pattern: str, fits: list[str], does_not_fit: list[str]) -> None:
    assert [name for name in fits if last_match([pattern], name) is None] == []
    assert [name for name in does_not_fit if last_match([pattern], name) is not None] == []


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("", "an empty pattern matches nothing"),
        ("!", "an empty pattern matches nothing"),
        ("release/?", r"\? in 'release/\?' means nothing there"),
        ("v??", r"\? in"),
        ("v[0-9", r"\[ in"),
        ("v[a.b]", r"\[ in"),
        ("a\\", r"\\ in"),
        ("v[9-0]", "a reversed range"),
        ("a b", "a name in git can't have blanks"),
        ("a\n", "a name in git can't have blanks"),
    ],
)
def test_mistakes_are_named(pattern: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        validate_name_pattern(pattern)


def test_patterns_that_only_take_back_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="nothing can match"):
        validate_patterns(("!a", "!b"))
    assert validate_patterns(("a", "!b")) == ("a", "!b")


ANY = st.text(alphabet=st.sampled_from("ab/*!+?[]-\\0é\n"), min_size=1, max_size=10)


@given(st.text(min_size=1).filter(lambda name: not name.startswith("!")))
def test_a_name_fits_itself(name: str) -> None:
    assert last_match([name], name) == name


@given(ANY, ANY)
def test_a_pattern_that_passes_the_check_can_be_asked(pattern: str, name: str) -> None:
    for check, decide in ((validate_pattern, last_match), (validate_text_pattern, last_text_match)):
        try:
            check(pattern)
        except ValueError:
            continue
        assert decide([pattern], name) in {pattern, None}


@given(st.lists(ANY, min_size=1, max_size=3), ANY)
def test_a_name_is_found_exactly_if_a_pattern_lets_it_in(patterns: list[str], name: str) -> None:
    try:
        decided = [validate_pattern(pattern) for pattern in patterns] and last_match(patterns, name)
    except ValueError:
        return
    assert first_match(tuple(patterns), [name]) == (None if decided is None else (name, decided))


@given(st.text(alphabet="ab/.", min_size=1, max_size=12))
def test_backslashes_make_every_character_an_ordinary_one(name: str) -> None:
    pattern = "".join(f"\\{character}" for character in name)
    assert last_match([pattern], name) == pattern
    assert last_match([pattern], name + "x") is None
