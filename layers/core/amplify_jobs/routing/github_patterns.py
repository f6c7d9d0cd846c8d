"""Patterns of names and paths, in the grammar of GitHub Actions.

`*` stops at "/", `**` does not; `?` and `+` repeat the character or [list] before them; a backslash makes the next
character an ordinary one. In a list, a later pattern overrides those before it; one that begins with `!` takes back. A
name or path always fits itself, so c++ and app/[id]/page.tsx need no backslash. Source: GitHub Docs, "Workflow syntax",
filter pattern cheat sheet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

# As many as the routes of a large stack have: each is compiled once in a process.
_COMPILED = 32_768
_WILDCARDS = {"**/": ".*/", "**": ".*", "*": "[^/]*"}
# Folders, or none: only a whole segment of a name can be left out.
_FOLDERS = "(?:.*/)?"
# What takes as little as it can, in place of what takes as much.
_LAZY = {_FOLDERS: "(?:.*?/)??", ".*/": ".*?/", ".*": ".*?", "[^/]*": "[^/]*?", "?": "??", "+": "+?"}
# Wildcards that "/" does not stop, and the one that it does.
_WIDER, _NARROWER = (_FOLDERS, ".*/", ".*"), ("[^/]*",)
# A [list] that is none, like the one of [...slug], is not found here, and its bracket stays over.
_TOKENS = re.compile(
    r"(?P<wildcard>\*\*/|\*\*|\*)|\\(?P<escaped>.)|(?P<list>\[(?:[a-zA-Z0-9](?:-[a-zA-Z0-9])?)+\])|(?P<plain>.)",
    re.DOTALL,
)

# The characters before the first that may mean something, without the one that ? or + may make optional.
_BEGINNING = re.compile(r"(?:[^*?+\[\\](?![?+]))*")


def validate_name_pattern(pattern: str) -> str:
    """Return a pattern of branches or tags that can be used; raises ValueError saying what is wrong with it."""
    if re.search(r"[\s~^:]", pattern):
        raise ValueError(f"a name in git can't have blanks or ~ ^ :, as in {pattern!r}; use a name without them")
    validate_pattern(pattern)
    stray = next((literal for _, literal in _parts(pattern.removeprefix("!")) if literal and literal in "?[\\"), None)
    if stray:
        raise ValueError(
            f"{stray} in {pattern!r} means nothing there, and no name has one; use ? after a character that may be "
            "missing, and [0-9] for one digit"
        )
    return pattern


def validate_pattern(pattern: str) -> str:
    """Return a pattern of paths or repositories that can be used; raises ValueError saying what is wrong with it."""
    bare = pattern.removeprefix("!")
    if not bare:
        raise ValueError("an empty pattern matches nothing; use a name, or a pattern like release/*")
    try:
        _compiled(bare)
    except re.error:
        raise ValueError(f"{pattern!r} has a reversed range; use one like [0-9]") from None
    return pattern


def validate_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return patterns that let something in; raises ValueError where each of them only takes back."""
    if patterns and all(pattern.startswith("!") for pattern in patterns):
        raise ValueError("all patterns begin with !, so nothing can match; use one without ! before them, like '**'")
    return patterns


def last_match(patterns: Sequence[str], name: str) -> str | None:
    """The pattern by which a branch, tag, path or repository is in: the last that fits, unless it takes back."""
    return last_fitting(patterns, name, _fits)


def first_match(patterns: tuple[str, ...], names: Iterable[str]) -> tuple[str, str] | None:
    """The first of the names that is in, and the pattern by which it is."""
    # Most files of a push lie elsewhere: how a name begins tells so hundreds of times faster than its pattern does.
    beginnings = literal_prefixes(patterns)
    for name in [name for name in names if name.startswith(beginnings)]:
        if (pattern := last_match(patterns, name)) is not None:
            return name, pattern
    return None


def last_match_in_any_case(patterns: Sequence[str], name: str) -> str | None:
    """The same where upper and lower case are one: names of repositories."""
    return last_fitting(patterns, name, _fits_any_case)


def last_fitting(patterns: Sequence[str], text: str, fits: Callable[[str, str], bool]) -> str | None:
    """The last pattern that fits a text; None if none fits, or if that one takes back."""
    for pattern in reversed(patterns):
        if fits(pattern.removeprefix("!"), text):
            return None if pattern.startswith("!") else pattern
    return None


def _fits(pattern: str, name: str) -> bool:
    return pattern == name or _compiled(pattern).fullmatch(name) is not None


def _fits_any_case(pattern: str, name: str) -> bool:
    return _fits(pattern.casefold(), name.casefold())


@lru_cache(maxsize=_COMPILED)
def literal_prefixes(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """What names begin with that any of the patterns lets in."""
    return tuple(_BEGINNING.match(pattern)[0] for pattern in patterns if not pattern.startswith("!"))  # type: ignore[index]  # it matches every text


@lru_cache(maxsize=_COMPILED)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of names. Raises re.error for a range that runs backwards."""
    return re.compile(_expression([expression for expression, _ in _parts(pattern)], at_end=True), re.DOTALL)


def _expression(parts: list[str], *, at_end: bool, wildcards: Sequence[tuple[str, ...]] = (_WIDER, _NARROWER)) -> str:
    """The regular expression of a pattern's parts; `at_end` says that they must match up to the name's end.

    What follows a wildcard is matched at its first place, and never tried at another, unless it must reach the end: no
    other place leaves more of the name for the rest. Whoever may push chooses the names, and a search that tries all
    places again for each wildcard may take hours for one of them.
    """
    if not wildcards:
        return "".join(part if at_end else _LAZY.get(part, part) for part in parts)
    groups: list[list[str]] = [[]]
    for part in parts:
        if part in wildcards[0]:
            groups.append([])
        groups[-1].append(part)
    *others, last = groups
    expression = ""
    for group in others:
        expression += _group(group, wildcards, at_end=False, final=False)
    return expression + _group(last, wildcards, at_end=at_end, final=True)


def _group(group: list[str], wildcards: Sequence[tuple[str, ...]], *, at_end: bool, final: bool) -> str:
    """The regular expression of a wildcard and what follows it up to the next of its kind."""
    wildcard, rest = (group[0], group[1:]) if group[:1] and group[0] in wildcards[0] else ("", group)
    expression = _expression(rest, at_end=at_end, wildcards=wildcards[1:])
    if not wildcard:
        return expression
    if at_end:
        return wildcard + expression
    lazy = _LAZY[wildcard] + expression
    return lazy if final else f"(?>{lazy})"


def _parts(pattern: str) -> Iterator[tuple[str, str | None]]:
    """The pattern's parts as regular expressions, each with the character that it stands for, if it is just one."""
    repeatable = False
    at_beginning_of_segment = True
    for token in _TOKENS.finditer(pattern):
        character = token["escaped"] or token["plain"]
        if token["wildcard"] or token["list"]:
            folders = token[0] == "**/" and at_beginning_of_segment
            yield _FOLDERS if folders else _WILDCARDS.get(token[0], token[0]), None
            repeatable = token["list"] is not None
        elif token["plain"] in ("?", "+") and repeatable:
            yield token["plain"], None
            repeatable = False
        else:
            yield re.escape(character), character
            repeatable = token[0] != "/"
        at_beginning_of_segment = token[0].endswith("/")
