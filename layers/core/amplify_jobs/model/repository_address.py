"""The address of an app's repository, as Amplify shows it (API: App.repository)."""

from __future__ import annotations

import re

_HOST = r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
_PATH = r"(?P<path>[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*)"
_ADDRESS = re.compile(rf"(?:https?|ssh)://(?:[^/@\s]*@)?{_HOST}(?::\d+)?/{_PATH}/?")
_SHORT_ADDRESS = re.compile(rf"[A-Za-z0-9._-]+@{_HOST}:{_PATH}/?")
# CodeCommit user guide: the address has a prefix, and repositories have names without an owner.
_CODECOMMIT_PREFIX = "v1/repos/"


def parse_repository_address(address: str) -> tuple[str, str] | None:
    """Give the host and the full name of a repository; None of an address that names no repository of a host."""
    match = _ADDRESS.fullmatch(address) or _SHORT_ADDRESS.fullmatch(address)
    if match is None:
        return None
    name = match["path"].removesuffix(".git").removeprefix(_CODECOMMIT_PREFIX)
    return match["host"].lower(), name
