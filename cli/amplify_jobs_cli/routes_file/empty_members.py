"""Warnings of members that stand there with nothing after them: they mean none, and look like the opposite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.model_faults import Scalar
from amplify_jobs_cli.routes_file.model_fields import field_at
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.remedies import remedy

_SECTIONS = ("sources", "routes")


def empty_members(value: Any, scalar: Scalar) -> Iterator[Problem]:
    """Find the optional members that are empty, such as `preview:` alone; null, written out, is meant.

    `scalar` gives a scalar as the file writes it, by its path.
    """
    for section in _SECTIONS:
        yield from _below((section,), value.get(section) if isinstance(value, dict) else None, scalar)


def _below(path: Path, value: Any, scalar: Scalar) -> Iterator[Problem]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _below((*path, name), inner, scalar)
    elif value is None and scalar(path) == "":
        yield Problem(path, f"is empty, which means none; use {remedy(field_at(Routes, path))}, or leave it out", "key")
