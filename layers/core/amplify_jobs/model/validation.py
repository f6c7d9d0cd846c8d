"""Validation errors in our words: pydantic's own text repeats the input, which may hold a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from amplify_jobs.errors import AmplifyJobsError


@contextmanager
def invalid_input_is(error: type[AmplifyJobsError], root: str = "") -> Iterator[None]:
    """Raise the given error, with one line for each fault, instead of pydantic's.

    Paths below the member `root` are told without it.
    """
    try:
        yield
    except ValidationError as invalid:
        raise error("; ".join(line.removeprefix(f"{root}.") for line in faults(invalid))) from None


def faults(error: ValidationError, where: str = "") -> list[str]:
    """Say in one line per fault what is wrong and where, e.g. `parameters.appId: …`; values are not repeated."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        # It only follows from the others.
        if fault["type"] == "default_factory_not_called":
            continue
        path = ".".join(part for part in (where, *map(str, fault["loc"])) if part)
        text = re.sub(r"^Value error, ", "", fault["msg"])
        lines.append(f"{path}: {text}" if path else text)
    return lines
