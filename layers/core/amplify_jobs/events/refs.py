"""Names of branches and tags: git's own rules, and those that keep a command from reading a name as an option."""

from __future__ import annotations

import re

from amplify_jobs.errors import UnusableRefError
from amplify_jobs.events.payload import LONGEST_NAME

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"

# git's own rules for a ref's name (git check-ref-format).
_BAD_REF = re.compile(r"^$|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/$|\.$|^/")


def ref_name(ref: str, prefix: str) -> str:
    """A branch's or tag's name: the ref without its prefix, and only without that, since names contain "/".

    Raises UnusableRefError for a name that git does not allow, that opens with "-", or of more than 1,024 characters.
    """
    name = ref.removeprefix(prefix)
    if len(ref) > LONGEST_NAME:
        raise UnusableRefError(f"ref {ref[:100]!r} is refused: it has more than {LONGEST_NAME} characters")
    if _BAD_REF.search(name):
        raise UnusableRefError(f"ref {ref[:100]!r} is refused: git does not allow this name")
    if name.startswith("-"):
        reason = "a command may take a name that opens with '-' for an option; give it another name"
        raise UnusableRefError(f"ref {ref[:100]!r} is refused: {reason}")
    return name


def branch_and_tag(ref: str) -> tuple[str | None, str | None]:
    """A full ref's branch or tag. Raises UnusableRefError."""
    return (
        ref_name(ref, BRANCHES) if ref.startswith(BRANCHES) else None,
        ref_name(ref, TAGS) if ref.startswith(TAGS) else None,
    )


def short_name(ref: str | None) -> str | None:
    """The name of a branch or tag given in full or short. Raises UnusableRefError."""
    if ref is None:
        return None
    return ref_name(ref, TAGS if ref.startswith(TAGS) else BRANCHES)
