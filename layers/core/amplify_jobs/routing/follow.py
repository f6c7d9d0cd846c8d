"""`follow` of routes.yaml: which jobs that somebody else started are followed and announced."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from amplify_jobs.model.base import Model
from amplify_jobs.model.identifiers import AppId
from amplify_jobs.routing.fields import NamePatterns, OneOrMore
from amplify_jobs.routing.github_patterns import last_match


class FollowedBranches(Model):
    """Branches of apps whose jobs are followed, whoever started them."""

    apps: Annotated[tuple[AppId, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None, description="The ids of apps. Default: all.", examples=[["d1a2b3c4d5e6"]]
    )
    branches: NamePatterns | None = Field(
        default=None,
        description="Names or patterns of Amplify's branches. Default: all.",
        examples=[["main", "release/*"]],
    )

    @model_validator(mode="after")
    def _has_a_condition(self) -> FollowedBranches:
        if self.apps is None and self.branches is None:
            raise ValueError("apps and branches are missing; use follow: true for all jobs")
        return self

    def refusal(self, app_id: str, branch_name: str) -> str | None:
        """Why a job of a branch is not among these; None if it is."""
        if self.apps is not None and app_id not in self.apps:
            return f"app {app_id} is not among {', '.join(self.apps)}"
        if self.branches is not None and last_match(self.branches, branch_name) is None:
            return f"branch {branch_name} does not match {', '.join(self.branches)}"
        return None


def _form(value: Any) -> str:
    return "list" if isinstance(value, list | tuple) else "switch"


Follow = Annotated[
    Annotated[bool, Tag("switch")] | Annotated[tuple[FollowedBranches, ...], Field(min_length=1), Tag("list")],
    Field(discriminator=Discriminator(_form)),
]


def follow_refusals(follow: bool | tuple[FollowedBranches, ...], app_id: str, branch_name: str) -> list[str]:
    """Why a job that somebody else started is not followed; empty if it is."""
    if isinstance(follow, bool):
        return [] if follow else ["follow is not switched on in routes.yaml"]
    refusals = [each.refusal(app_id, branch_name) for each in follow]
    reasons = [refusal for refusal in refusals if refusal is not None]
    return reasons if len(reasons) == len(refusals) else []
