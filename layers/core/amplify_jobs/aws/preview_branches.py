"""The branches of apps that show pull requests: boto3 in, our models and our errors out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3

from amplify_jobs.aws.amplify_errors import HOSTING_RESOURCES, amplify_call, amplify_creation
from amplify_jobs.aws.amplify_responses import text_or_none
from amplify_jobs.aws.amplify_stops import send_stop
from amplify_jobs.aws.clients import READ_CONFIG
from amplify_jobs.aws.errors import required_member
from amplify_jobs.errors import NotFoundError
from amplify_jobs.model.job import Job, hosting_state
from amplify_jobs.model.operations import Operation
from amplify_jobs.previewing.branch import AppBranch, BranchSettings

if TYPE_CHECKING:
    from mypy_boto3_amplify.client import AmplifyClient

PREVIEW_TAG = "amplify-jobs:preview"
"""The tag of a branch that amplify-jobs made for a pull request; its value is the route. No other is ever deleted."""
MOST_BRANCHES = 50
"""Amplify's quota of branches an app (AWS General Reference: Amplify endpoints and quotas)."""


class PreviewBranches:
    """The branches of apps behind a boto3 client.

    Every method raises RequestRejected, Throttled, BranchBusy and ServiceTrouble.
    """

    def __init__(self, client: AmplifyClient) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> PreviewBranches:
        """Build it with a boto3 client that goes where the environment says."""
        return cls(boto3.client("amplify", config=READ_CONFIG))

    def branch(self, app_id: str, branch_name: str) -> AppBranch | None:
        """Read a branch; None if Amplify knows no such branch or app (API: GetBranch)."""
        try:
            with amplify_call("GetBranch"):
                answer = self._client.get_branch(appId=app_id, branchName=branch_name)
                return _branch(required_member(answer, "branch", dict))
        except NotFoundError:
            return None

    def create(self, app_id: str, branch_name: str, settings: BranchSettings, route: str) -> None:
        """Create the branch of a preview (API: CreateBranch). Raises UnknownResourceError where no app is."""
        full = (
            f"app {app_id} has as many branches as Amplify allows, which are {MOST_BRANCHES} unless the quota was "
            "raised; close pull requests, delete branches, give the route fewer targets, or have the quota raised"
        )
        with amplify_creation("CreateBranch", HOSTING_RESOURCES, full):
            answer = self._client.create_branch(
                appId=app_id,
                branchName=branch_name,
                enableAutoBuild=False,
                enablePullRequestPreview=False,
                tags={PREVIEW_TAG: route},
                **_arguments(settings),
            )
            required_member(answer, "branch", dict)

    def update(self, app_id: str, branch_name: str, settings: BranchSettings) -> None:
        """Let a branch be as its route says (API: UpdateBranch). Raises NotFoundError if it is gone."""
        with amplify_call("UpdateBranch"):
            answer = self._client.update_branch(appId=app_id, branchName=branch_name, **_arguments(settings))
            required_member(answer, "branch", dict)

    def delete(self, app_id: str, branch_name: str) -> None:
        """Delete a branch with its site and its jobs, unless it is gone (API: DeleteBranch)."""
        try:
            with amplify_call("DeleteBranch"):
                answer = self._client.delete_branch(appId=app_id, branchName=branch_name)
                required_member(answer, "branch", dict)
        except NotFoundError:
            return

    def unfinished_jobs(self, app_id: str, branch_name: str) -> list[Job]:
        """List the jobs of a branch that have not ended, of its newest 50 (API: ListJobs)."""
        try:
            with amplify_call("ListJobs"):
                answer = self._client.list_jobs(appId=app_id, branchName=branch_name, maxResults=50)
                summaries = required_member(answer, "jobSummaries", list)
                return [
                    Job(
                        operation=Operation.START_JOB,
                        app_id=app_id,
                        branch_name=branch_name,
                        job_id=required_member(summary, "jobId", str),
                    )
                    for summary in summaries
                    if not hosting_state(summary.get("status", "")).is_outcome
                ]
        except NotFoundError:
            return []

    def stop_job(self, job: Job) -> None:
        """Have a job stopped; raises as amplify_stops.send_stop."""
        send_stop(self._client, job)


def _arguments(settings: BranchSettings) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "stage": settings.stage,
        "environmentVariables": dict(settings.environment_variables),
        "enableBasicAuth": settings.credentials is not None,
        "basicAuthCredentials": settings.credentials,
        "framework": settings.framework,
        "buildSpec": settings.build_spec,
    }
    return {name: value for name, value in arguments.items() if value is not None}


def _branch(branch: Mapping[str, Any]) -> AppBranch:
    tags, variables = branch.get("tags"), branch.get("environmentVariables")
    has_login = branch.get("enableBasicAuth") is True
    return AppBranch(
        is_preview=isinstance(tags, Mapping) and PREVIEW_TAG in tags,
        settings=BranchSettings(
            stage=text_or_none(branch.get("stage")) or "",
            environment_variables=variables if isinstance(variables, Mapping) else {},
            # Without them in the answer, the branch is taken for changed.
            credentials=(text_or_none(branch.get("basicAuthCredentials")) or "") if has_login else None,
            framework=text_or_none(branch.get("framework")),
            build_spec=text_or_none(branch.get("buildSpec")),
        ),
    )
