"""Identifiers of Amplify's apps, branches and jobs, with their lengths and patterns. Source: Amplify API reference."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

AppId = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=r"^d[a-z0-9]+$")]
BranchName = Annotated[str, StringConstraints(min_length=1, max_length=255)]
JobId = Annotated[str, StringConstraints(max_length=255, pattern=r"^[0-9]+$")]
