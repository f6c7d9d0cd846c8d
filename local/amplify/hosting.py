"""Amplify Hosting's operations: each takes its parameters and answers its result, in the API's own names."""

from __future__ import annotations

import base64
import re
import secrets
import string
from collections.abc import Iterable
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from local.amplify.addresses import Addresses
from local.amplify.artifacts import SITE_ZIP
from local.amplify.descriptions import (
    describe_app,
    describe_branch,
    describe_job,
    display_name,
    file_path,
    summarise_job,
)
from local.amplify.jobs import Jobs
from local.amplify.pagination import page
from local.amplify.state import ENDED, App, Branch, Job
from local.server.protocol.errors import ServiceError
from local.server.service import Operations, Parameters, Result

# Amplify's quotas: apps a Region, branches an app, tags a resource.
APPS = 25
BRANCHES = 50
TAGS = 50
RESERVED_PREFIX = "AWS"
APP_ID_TAG = "local:appId"
"""The tag by which CreateApp can be told the new app's id, so that routes and examples can name it beforehand."""

# What the API's members for an app's id take.
APP_ID = re.compile(r"d[a-z0-9]{1,19}")


class Hosting:
    """The apps of one account and Region; `operations` are those that the local cloud has, by the API's names."""

    def __init__(self, *, lock: RLock, addresses: Addresses, jobs: Jobs) -> None:
        self._lock = lock
        self._addresses = addresses
        self._jobs = jobs
        self._apps: dict[str, App] = {}
        self._serial = 0
        self.operations: Operations = {
            "CreateApp": self.create_app,
            "GetApp": self.get_app,
            "ListApps": self.list_apps,
            "UpdateApp": self.update_app,
            "DeleteApp": self.delete_app,
            "CreateBranch": self.create_branch,
            "GetBranch": self.get_branch,
            "ListBranches": self.list_branches,
            "UpdateBranch": self.update_branch,
            "DeleteBranch": self.delete_branch,
            "StartJob": self.start_job,
            "GetJob": self.get_job,
            "ListJobs": self.list_jobs,
            "StopJob": self.stop_job,
            "DeleteJob": self.delete_job,
            "ListArtifacts": self.list_artifacts,
            "GetArtifactUrl": self.get_artifact_url,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }

    # Apps

    def create_app(self, params: Parameters) -> Result:
        """With a repository, an app whose jobs build it; without one, an app of manual deployments."""
        _check_variables(params)
        now = datetime.now(UTC)
        with self._lock:
            if len(self._apps) >= APPS:
                raise ServiceError(
                    "LimitExceededException",
                    f"You have reached the maximum number of apps in this Region: {APPS}.",
                    429,
                )
            app_id = params.get("tags", {}).get(APP_ID_TAG) or _new_app_id()
            if not APP_ID.fullmatch(app_id):
                raise ServiceError("BadRequestException", f"The tag {APP_ID_TAG} must be an app id, not {app_id!r}")
            if app_id in self._apps:
                raise ServiceError("BadRequestException", f"The tag {APP_ID_TAG} names an app that exists: {app_id}")
            self._serial += 1
            app = App(app_id, self._serial, dict(params), now, now)
            self._apps[app.id] = app
            return {"app": describe_app(app, self._addresses)}

    def get_app(self, params: Parameters) -> Result:
        with self._lock:
            return {"app": describe_app(self.app(params["appId"]), self._addresses)}

    def list_apps(self, params: Parameters) -> Result:
        with self._lock:
            apps, token = page(self._apps.values(), lambda app: app.serial, params, 100)
            return {"apps": [describe_app(app, self._addresses) for app in apps], "nextToken": token}

    def update_app(self, params: Parameters) -> Result:
        _check_variables(params)
        with self._lock:
            app = self.app(params["appId"])
            app.settings |= {name: value for name, value in params.items() if name != "appId"}
            app.updated = datetime.now(UTC)
            return {"app": describe_app(app, self._addresses)}

    def delete_app(self, params: Parameters) -> Result:
        with self._lock:
            app = self.app(params["appId"])
            result = {"app": describe_app(app, self._addresses)}
            del self._apps[app.id]
        for branch in app.branches.values():
            self._jobs.forget(branch)
        return result

    # Branches

    def create_branch(self, params: Parameters) -> Result:
        _check_variables(params)
        _check_credentials(params)
        now = datetime.now(UTC)
        name = params["branchName"]
        with self._lock:
            app = self.app(params["appId"])
            if name in app.branches:
                message = f"Failed to create branch. The branch {name} already exists for the app {app.id}"
                raise ServiceError("BadRequestException", message)
            if len(app.branches) >= BRANCHES:
                raise ServiceError(
                    "LimitExceededException", f"The app {app.id} has the maximum number of branches: {BRANCHES}.", 429
                )
            branch = Branch(app.id, name, _settings(params), now, now)
            app.branches[name] = branch
            return {"branch": describe_branch(branch, self._addresses)}

    def get_branch(self, params: Parameters) -> Result:
        with self._lock:
            return {"branch": describe_branch(self.branch(params["appId"], params["branchName"]), self._addresses)}

    def list_branches(self, params: Parameters) -> Result:
        with self._lock:
            app = self.app(params["appId"])
            branches, token = page(app.branches.values(), lambda branch: branch.name, params, 50)
            return {"branches": [describe_branch(branch, self._addresses) for branch in branches], "nextToken": token}

    def update_branch(self, params: Parameters) -> Result:
        _check_variables(params)
        _check_credentials(params)
        with self._lock:
            branch = self.branch(params["appId"], params["branchName"])
            branch.settings |= _settings(params)
            branch.updated = datetime.now(UTC)
            return {"branch": describe_branch(branch, self._addresses)}

    def delete_branch(self, params: Parameters) -> Result:
        with self._lock:
            branch = self.branch(params["appId"], params["branchName"])
            result = {"branch": describe_branch(branch, self._addresses)}
            del self._apps[branch.app_id].branches[branch.name]
        self._jobs.forget(branch)
        return result

    # Jobs

    def start_job(self, params: Parameters) -> Result:
        """Queue a job. RETRY runs the branch anew under a new job id, with the message and time of the job it names."""
        with self._lock:
            app = self.app(params["appId"])
            branch = self.branch(app.id, params["branchName"])
            message, commit_time = params.get("commitMessage"), params.get("commitTime")
            job_type = params["jobType"]
            if job_type == "MANUAL":
                raise ServiceError("BadRequestException", "The requested jobType MANUAL does not support.")
            if job_type == "RETRY":
                if "jobId" not in params:
                    raise ServiceError("BadRequestException", "jobId is required when jobType is RETRY")
                retried = self.job(branch, params["jobId"])
                message = message or retried.commit_message
                commit_time = commit_time or retried.commit_time
            if not app.settings.get("repository"):
                raise ServiceError(
                    "BadRequestException",
                    f"Operation not supported. App {app.id} is not connected to a repository: "
                    "deploy to it with CreateDeployment and StartDeployment",
                )
            job = self._jobs.start(app, branch, job_type, message, commit_time)
            # The answer is the job as it was accepted, however soon a free slot takes it up.
            return {"jobSummary": summarise_job(branch, job, self._addresses) | {"status": "PENDING"}}

    def get_job(self, params: Parameters) -> Result:
        with self._lock:
            branch, job = self._branch_and_job(params)
            return {"job": describe_job(branch, job, self._addresses)}

    def list_jobs(self, params: Parameters) -> Result:
        """Newest first."""
        with self._lock:
            branch = self.branch(params["appId"], params["branchName"])
            jobs, token = page(branch.jobs.values(), lambda job: -job.number, params, 50)
            return {"jobSummaries": [summarise_job(branch, job, self._addresses) for job in jobs], "nextToken": token}

    def stop_job(self, params: Parameters) -> Result:
        with self._lock:
            branch, job = self._branch_and_job(params)
            if job.status in ENDED:
                raise ServiceError("BadRequestException", f"Job {job.id} can't be stopped: it is {job.status}")
            self._jobs.stop(job)
            return {"jobSummary": summarise_job(branch, job, self._addresses)}

    def delete_job(self, params: Parameters) -> Result:
        """Take a job off the list with its files; its number is not given again."""
        with self._lock:
            branch, job = self._branch_and_job(params)
            if job.status not in ENDED:
                raise ServiceError("BadRequestException", f"Job {job.id} is {job.status}: stop it before deleting it")
            del branch.jobs[job.number]
            summary = summarise_job(branch, job, self._addresses)
        self._jobs.delete_files(job)
        return {"jobSummary": summary}

    # Artifacts

    def list_artifacts(self, params: Parameters) -> Result:
        """The zip of the site, then the files of the test section. Amplify's own list has the latter only."""
        with self._lock:
            _, job = self._branch_and_job(params)
            names = [step.artifacts for step in job.steps if step.artifacts] + job.artifacts
            numbers, token = page(range(len(names)), lambda number: number, params, 50)
            artifacts = [{"artifactFileName": names[n][-1000:], "artifactId": f"{job.key}-{n}"} for n in numbers]
            return {"artifacts": artifacts, "nextToken": token}

    def get_artifact_url(self, params: Parameters) -> Result:
        artifact_id = params["artifactId"]
        key, _, number = artifact_id.rpartition("-")
        with self._lock:
            job = self.job_by_key(key)
            names = [SITE_ZIP, *job.artifacts] if job is not None else []
            if job is None or not number.isdecimal() or int(number) >= len(names):
                raise ServiceError("NotFoundException", f"Artifact {artifact_id} not found.", 404)
            url = self._addresses.signed(file_path(job, names[int(number)]))
            return {"artifactId": artifact_id, "artifactUrl": url}

    # Tags

    def tag_resource(self, params: Parameters) -> Result:
        with self._lock:
            resource = self._resource(params["resourceArn"])
            tags = {**resource.settings.get("tags", {}), **params["tags"]}
            if len(tags) > TAGS:
                raise ServiceError("BadRequestException", f"A resource has at most {TAGS} tags, not {len(tags)}")
            resource.settings["tags"] = tags
            return {}

    def untag_resource(self, params: Parameters) -> Result:
        with self._lock:
            resource = self._resource(params["resourceArn"])
            tags = resource.settings.get("tags", {})
            resource.settings["tags"] = {key: tags[key] for key in tags if key not in params["tagKeys"]}
            return {}

    def list_tags_for_resource(self, params: Parameters) -> Result:
        with self._lock:
            return {"tags": self._resource(params["resourceArn"]).settings.get("tags", {})}

    # Finding; the lock is held

    def app(self, app_id: str) -> App:
        """Raises NotFoundException."""
        if app_id not in self._apps:
            raise ServiceError("NotFoundException", f"App {app_id} not found.", 404)
        return self._apps[app_id]

    def branch(self, app_id: str, name: str) -> Branch:
        """Raises NotFoundException. Deployments that were not started in time have failed by then."""
        branches = self.app(app_id).branches
        if name not in branches:
            raise ServiceError("NotFoundException", f"Branch {name} not found.", 404)
        self._jobs.fail_expired(branches[name])
        return branches[name]

    def job(self, branch: Branch, job_id: str) -> Job:
        """Raises NotFoundException."""
        # Numbers of any length satisfy the API's pattern, and Python reads only so many digits.
        job = branch.jobs.get(int(job_id)) if len(job_id) <= 20 else None
        if job is None:
            raise ServiceError("NotFoundException", f"Job {job_id} not found.", 404)
        return job

    def branch_by_host(self, label: str, app_id: str) -> Branch | None:
        """The branch whose site has this host name; host names know no upper case."""
        app = self._apps.get(app_id)
        branches: Iterable[Branch] = app.branches.values() if app else ()
        names = ((branch.settings.get("displayName") or display_name(branch.name), branch) for branch in branches)
        return next((branch for name, branch in names if name.lower() == label.lower()), None)

    def job_by_key(self, key: str) -> Job | None:
        """The job whose files are served under this key."""
        branches = (branch for app in self._apps.values() for branch in app.branches.values())
        return next((job for branch in branches for job in branch.jobs.values() if job.key == key), None)

    def _branch_and_job(self, params: Parameters) -> tuple[Branch, Job]:
        branch = self.branch(params["appId"], params["branchName"])
        return branch, self.job(branch, params["jobId"])

    def _resource(self, arn: str) -> App | Branch:
        named = self._addresses.resource(arn)
        try:
            if named is not None:
                return self.app(named[0]) if named[1] is None else self.branch(named[0], named[1])
        except ServiceError:
            pass
        raise ServiceError("ResourceNotFoundException", f"Resource {arn} not found.", 404)


def _settings(params: Parameters) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name not in {"appId", "branchName"}}


def _check_variables(params: Parameters) -> None:
    for name in params.get("environmentVariables", {}):
        if name.startswith(RESERVED_PREFIX):
            message = f'Environment variables must not start with the reserved prefix "{RESERVED_PREFIX}": {name}'
            raise ServiceError("BadRequestException", message)
        if not name or "=" in name or "\0" in name:
            raise ServiceError("BadRequestException", f"{name!r} can't be the name of an environment variable")
        if "\0" in params["environmentVariables"][name]:
            raise ServiceError("BadRequestException", f"The environment variable {name} must not hold a NUL character")


def _check_credentials(params: Parameters) -> None:
    """Refuse a login that is not of the form that the API's reference wants; what AWS says to it is not known."""
    encoded = params.get("basicAuthCredentials")
    if encoded is None:
        return
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        user = password = ""
    if not user or not password:
        raise ServiceError("BadRequestException", "basicAuthCredentials must be user:password, encoded in base64.")


def _new_app_id() -> str:
    return "d" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(13))
