"""Takes out of a log what must not be published.

Beside what texts.py knows, these are values of secret variables, wherever in the log they stand, and ids of AWS
accounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from amplify_jobs.text import SECRET, assigned_secrets, without_confidential, without_controls, without_private_keys

ACCOUNT = "(account left out)"
_ACCOUNT = re.compile(r"(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])")
# Amplify hands the secrets of a branch to a build as one variable with JSON.
_SECRETS_VARIABLE = re.compile(r"\bsecrets=[{'\"][^\n]{0,65536}")
# Shorter values occur in any word.
_SHORTEST = 4


class Redaction:
    """What to take out of all texts of one log: forms of secrets, and the values of its secret variables."""

    def __init__(self, log: str, secrets: Iterable[str] = ()) -> None:
        # A value may have several lines, of which the log shows each on its own.
        values = {line.strip() for value in secrets for line in without_controls(value).split("\n")}
        values |= assigned_secrets(without_private_keys(log))
        longest_first = sorted((value for value in values if len(value) >= _SHORTEST), key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def apply(self, text: str) -> str:
        """A text without secrets, e-mail addresses, query strings, account ids and control characters."""
        # Keys first: a value may be a part of one, and would hide where it begins.
        text = without_private_keys(without_controls(text))
        if self._values:
            text = self._values.sub(SECRET, text)
        text = _SECRETS_VARIABLE.sub(f"secrets={SECRET}", text)
        return _ACCOUNT.sub(ACCOUNT, without_confidential(text))


def redacted(log: str | bytes, secrets: Iterable[str] = ()) -> str:
    """A whole log, fit to be kept and shown."""
    text = without_controls(log if isinstance(log, str) else log.decode(errors="replace"))
    return Redaction(text, secrets).apply(text)
