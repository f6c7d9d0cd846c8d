"""Which announcements of a request were published, so that a retry repeats none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PublishedAnnouncements:
    """The labels of the announcements, and the names that the first of them had."""

    labels: frozenset[str]
    names: Mapping[str, Any]
