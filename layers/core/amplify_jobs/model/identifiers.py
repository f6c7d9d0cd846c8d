"""Identifiers of Amplify's apps, branches and jobs, with their lengths and patterns. Source: Amplify API reference."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

AppId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=20, pattern=r"^d[a-z0-9]+$"),
    Field(
        description="The app's id as Amplify shows it: d, then small letters and digits, at most 20.",
        examples=["d1a2b3c4d5e6"],
    ),
]
BranchName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    Field(description="The name of a branch of the app, at most 255 characters.", examples=["main", "{branch}"]),
]
JobId = Annotated[str, StringConstraints(max_length=255, pattern=r"^[0-9]+$")]
