"""Patterns of a routes file that fit nothing: a fault where git has no such name, a warning where it is improbable.

They are no errors of the model, since routes that were pushed before must stay readable.
Source of the rules for names: git-check-ref-format(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.values import items, member, members

Severity = Literal["fault", "warning"]

_NAMES = ("branches", "tags", "targets")
# Branches that most repositories have, of which a pattern may be a misspelling.
_USUAL = ("main", "master", "develop", "production", "staging", "release")
_ALTERNATIVES = re.compile(r"(.*?)(?<!\\)\{([^{}]*,[^{}]*)\}(.*)", re.DOTALL)
_ADDRESS = re.compile(r"[^@\s*]+@[^@\s*]+\.[A-Za-z]{2,}")


def pattern_problems(value: Any, severity: Severity) -> Iterator[Problem]:
    """Find the patterns of all routes and targets that can't fit."""
    for name, route in members(value, "routes"):
        for kind, condition in members(route, "when"):
            for key in (*_NAMES, "paths", "authors", "repository"):
                for index, pattern in items(member(condition, key)):
                    problem = _problem(key, pattern)
                    if problem is not None and problem[0] == severity:
                        yield Problem(("routes", name, "when", kind, key, *index), problem[1])
    for path, patterns in _other_branches(value):
        for index, pattern in items(patterns):
            problem = _problem("branches", pattern)
            if problem is not None and problem[0] == severity:
                yield Problem((*path, "branches", *index), problem[1])


def _other_branches(value: Any) -> Iterator[tuple[Path, Any]]:
    """The patterns of branches outside of routes, with the paths of what has them."""
    for name, target in members(value, "reports"):
        yield ("reports", name, "when"), member(member(target, "when"), "branches")
    follow = member(value, "follow")
    for number, followed in enumerate(follow if isinstance(follow, list) else ()):
        yield ("follow", number), member(followed, "branches")


def _problem(key: str, pattern: str) -> tuple[Severity, str] | None:
    sign, bare = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if not bare:
        return None
    if key == "authors":
        address = "authors are compared by name, not by e-mail address; use the name, like Ada or *[bot]"
        return ("warning", address) if _ADDRESS.fullmatch(bare) else None
    wrong = _wrong_path(bare) if key == "paths" else _wrong_name(bare, key) if key in _NAMES else None
    if wrong is not None:
        return "fault", f"{wrong[0]}; use {_quoted(sign + wrong[1])}"
    improbable = _improbable(bare, key)
    return ("warning", f"{improbable[0]}; use {improbable[1]}") if improbable else None


def _wrong_path(pattern: str) -> tuple[str, str] | None:
    """What no path in git is like, and the pattern that is meant."""
    wrong = _first_wrong(pattern)
    if wrong is None:
        return None
    right = wrong[1]
    while further := _first_wrong(right):
        right = further[1]
    return wrong[0], right


def _first_wrong(pattern: str) -> tuple[str, str] | None:
    if pattern.startswith(("./", "../")):
        return "paths begin at the repository's root, without ./", re.sub(r"^(\.{1,2}/+)+", "", pattern) or "**"
    if pattern.startswith("/"):
        return "paths begin at the repository's root, without /", pattern.lstrip("/") or "**"
    if "//" in pattern or "/./" in pattern or "/../" in pattern:
        return "no path has //, /./ or /../", re.sub(r"/(?:\.{0,2}/)+", "/", pattern)
    if pattern.endswith("/"):
        return "a folder is no file, and patterns fit files", f"{pattern.rstrip('/')}/**"
    return None


def _wrong_name(pattern: str, key: str) -> tuple[str, str] | None:
    """What git takes for no branch or tag, and the pattern that is meant."""
    noun = "tag" if key == "tags" else "branch"
    right = re.sub(r"//+", "/", pattern).strip("/") or "**"
    if pattern not in (right, "**"):
        return f"no {noun} begins or ends with / or has //", right
    if pattern.startswith(("./", "../")):
        return f"no {noun} begins with ./", re.sub(r"^(\.{1,2}/+)+", "", pattern) or "**"
    if pattern in (".*", ".+"):
        return "this is a regular expression, and patterns are not", "**"
    if re.search(r"(?:^|/)\.|\.\.|@\{|\.lock(?:/|$)|\.$", pattern):
        right = re.sub(r"\.lock(?=/|$)|@\{|(?:(?<=/)|^)\.+|\.+$", "", re.sub(r"\.\.+", ".", pattern)) or "**"
        return f"git takes no such name for a {noun}", right
    return None


def _improbable(pattern: str, key: str) -> tuple[str, str] | None:
    """What git may have, but hardly has, and what to write instead."""
    prefix = re.match(r"refs/(?:heads|tags|remotes/[^/]+)/|heads/|origin/", pattern) if key in _NAMES else None
    if prefix and pattern != prefix[0]:
        noun = "a tag" if key == "tags" else "a branch"
        return f"the name of {noun} comes without {prefix[0]}", _quoted(pattern[prefix.end() :])
    if match := _ALTERNATIVES.fullmatch(pattern):
        before, inner, after = match.groups()
        alternatives = ", ".join(_quoted(f"{before}{part.strip()}{after}") for part in inner.split(","))
        return "braces are no alternatives in patterns", f"a pattern for each, [{alternatives}]"
    if match := re.search(r"(?<!\\)\[([\^!])[^\]]*\]", pattern):
        return f"[{match[1]} takes nothing out of a list in patterns", "a second pattern that begins with !"
    if key in ("paths", "repository") and re.search(r"\\[\w.]", pattern):
        return "a backslash only makes the next character an ordinary one", _quoted(re.sub(r"\\+", "/", pattern))
    if key in ("branches", "targets") and (usual := _misspelled(pattern)):
        return f"{_quoted(pattern)} is nearly {usual}", f"{usual}, if that is the branch"
    return None


def _misspelled(name: str) -> str | None:
    """A usual branch that differs by one letter that is wrong, missing or too many, or by two in another order."""
    if name in _USUAL or not re.fullmatch(r"[A-Za-z]+", name):
        return None
    return next((usual for usual in _USUAL if _is_near(name, usual)), None)


def _is_near(name: str, other: str) -> bool:
    if name.lower() == other:
        return True
    if len(name) == len(other):
        wrong = [index for index, pair in enumerate(zip(name, other, strict=True)) if pair[0] != pair[1]]
        first, last = wrong[0], wrong[-1]
        return first == last or (last == first + 1 and name[first] == other[last] and name[last] == other[first])
    longer, shorter = (name, other) if len(name) > len(other) else (other, name)
    return len(longer) == len(shorter) + 1 and any(
        longer[:index] + longer[index + 1 :] == shorter for index in range(len(longer))
    )


def _quoted(pattern: str) -> str:
    return f'"{pattern}"'
