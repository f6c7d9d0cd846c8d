"""Problems that checks find in the expanded routes."""

from __future__ import annotations

from typing import Literal, NamedTuple

from amplify_jobs_cli.routes_file.places import Path

# Whether a message is about the name of a member or about its value.
At = Literal["key", "value"]


class Problem(NamedTuple):
    """A place in the expanded routes, and what is wrong there with what to write instead."""

    path: Path
    message: str
    at: At = "value"
