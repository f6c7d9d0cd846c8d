"""The order to roll a branch back."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from amplify_jobs.model.base import Model
from amplify_jobs.model.request import JOB_REASON_LIMIT


class RollbackOrder(Model):
    """What is to be live again: what the job of this number brought, or without one what was live before."""

    app: str
    branch: str
    job: str | None = None
    reason: Annotated[str, StringConstraints(max_length=JOB_REASON_LIMIT)] | None = None
