"""Apps, branches and jobs as the API shows them; what is unset is left out where real answers leave it out."""

from __future__ import annotations

from typing import Any

from local.amplify.addresses import Addresses
from local.amplify.state import App, Branch, Job, Step

# What CreateApp takes and no answer ever shows.
SECRET_SETTINGS = ("oauthToken", "accessToken")


def describe_app(app: App, addresses: Addresses) -> dict[str, Any]:
    """The API's App."""
    settings = {name: value for name, value in app.settings.items() if name not in SECRET_SETTINGS}
    description = {
        "description": "",
        "repository": "",
        "platform": "WEB",
        "environmentVariables": {},
        "enableBranchAutoBuild": False,
        "enableBranchAutoDeletion": False,
        "enableBasicAuth": False,
        "customRules": [],
        "tags": {},
        **settings,
        "appId": app.id,
        "appArn": addresses.app_arn(app.id),
        "defaultDomain": addresses.default_domain(app.id),
        "createTime": app.created,
        "updateTime": app.updated,
    }
    production = next(
        (branch for branch in app.branches.values() if branch.settings.get("stage") == "PRODUCTION"), None
    )
    if production is not None and production.jobs:
        description["productionBranch"] = {
            "branchName": production.name,
            "status": production.jobs[max(production.jobs)].status[:7],
            "lastDeployTime": production.deployed,
        }
    return description


def describe_branch(branch: Branch, addresses: Addresses) -> dict[str, Any]:
    """The API's Branch; its activeJobId is taken to be the job whose site is served."""
    return {
        "description": "",
        "stage": "PRODUCTION",
        "displayName": display_name(branch.name),
        "framework": "",
        "ttl": "5",
        "environmentVariables": {},
        "customDomains": [],
        "tags": {},
        "enableNotification": False,
        "enableAutoBuild": True,
        "enableBasicAuth": False,
        "enablePullRequestPreview": False,
        **branch.settings,
        "branchName": branch.name,
        "branchArn": addresses.branch_arn(branch.app_id, branch.name),
        "createTime": branch.created,
        "updateTime": branch.updated,
        "activeJobId": branch.deployed_job_id,
        "totalNumberOfJobs": str(len(branch.jobs)),
    }


def display_name(branch_name: str) -> str:
    """What a branch is called in its site's host name, unless it was given a name of its own."""
    return branch_name.replace("/", "-")


def summarise_job(branch: Branch, job: Job, addresses: Addresses) -> dict[str, Any]:
    """The API's JobSummary.

    As on AWS jobReason is never shown, commitMessage only if it was given, and a deployment has no commit and no type.
    """
    return {
        "jobArn": addresses.job_arn(branch.app_id, branch.name, job.padded_id),
        "jobId": job.id,
        "commitId": job.commit_id,
        "commitMessage": job.commit_message,
        "commitTime": job.commit_time,
        "startTime": job.started,
        "status": job.status,
        "endTime": job.ended,
        "jobType": job.type if job.source is None else None,
        "sourceUrl": job.source and job.source.url,
        "sourceUrlType": job.source and job.source.url_type,
    }


def describe_job(branch: Branch, job: Job, addresses: Addresses) -> dict[str, Any]:
    """The API's Job; its steps appear when it leaves the queue."""
    return {
        "summary": summarise_job(branch, job, addresses),
        "steps": [describe_step(job, step, addresses) for step in job.steps],
    }


def describe_step(job: Job, step: Step, addresses: Addresses) -> dict[str, Any]:
    """The API's Step, with fresh addresses of its log and its artifacts."""
    return {
        "stepName": step.name,
        "startTime": step.started,
        "status": step.status,
        "endTime": step.ended,
        "statusReason": step.reason,
        "context": step.context,
        "logUrl": step.log and addresses.signed(file_path(job, step.log)),
        "artifactsUrl": step.artifacts and addresses.signed(file_path(job, step.artifacts)),
    }


def file_path(job: Job, name: str) -> str:
    """Where a file of a job is served: under the job's own key, since branch names have no limit that URLs have."""
    return f"/_local/files/{job.key}/{name}"
