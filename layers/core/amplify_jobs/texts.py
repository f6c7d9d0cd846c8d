"""Foreign text, made fit for logs, errors and announcements."""

from __future__ import annotations

import re
from typing import overload


@overload
def without_queries(text: str) -> str: ...
@overload
def without_queries(text: None) -> None: ...
def without_queries(text: str | None) -> str | None:
    """Take the query strings, which may sign, off all http addresses in a text."""
    return None if text is None else re.sub(r"(?i)(https?://[^\s?#]+)[?#]\S*", r"\1", text)
