"""CreateDeployment, the uploads that follow it, and StartDeployment: jobs of apps without a repository."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.amplify.artifacts import SITE_ZIP
from local.amplify.context import AmplifyContext
from local.amplify.descriptions import summarise_job
from local.amplify.hosting import Hosting
from local.amplify.jobs import START_WITHIN, Jobs
from local.amplify.sources import BUCKET_PREFIX, ZIP, Source, UploadedFiles, UploadedZip, web_or_s3
from local.amplify.state import App, Branch
from local.server.protocol.errors import ServiceError
from local.server.protocol.match import raw_path
from local.server.service import Operations, Parameters, Result


@dataclass(frozen=True)
class Deployments:
    """Manual deployments; `operations` are Amplify's two for them, `answer` takes what is uploaded."""

    context: AmplifyContext
    hosting: Hosting
    jobs: Jobs

    @property
    def operations(self) -> Operations:
        return {"CreateDeployment": self.create_deployment, "StartDeployment": self.start_deployment}

    def create_deployment(self, params: Parameters) -> Result:
        """Number a job and answer where its files go: one zip, or each file of fileMap at an address of its own."""
        files: dict[str, str] = params.get("fileMap", {})
        _check_names(files)
        source = UploadedFiles(files) if files else UploadedZip()
        with self.context.lock:
            _, branch = self._app_and_branch(params)
            job = self.jobs.create_deployment(branch, source)

            def address(place: str) -> str:
                return self.context.addresses.signed(
                    f"/_local/uploads/{job.key}/{place}", until=job.started + START_WITHIN
                )

            if isinstance(source, UploadedFiles):
                urls = {name: address(place) for name, place in source.places().items()}
                return {"jobId": job.id, "fileUploadUrls": urls}
            return {"jobId": job.id, "fileUploadUrls": {}, "zipUploadUrl": address(SITE_ZIP)}

    def start_deployment(self, params: Parameters) -> Result:
        """Queue the job that CreateDeployment numbered, or a new one for what lies at sourceUrl."""
        job_id = params.get("jobId")
        with self.context.lock:
            app, branch = self._app_and_branch(params)
            source = self._source(params)
            if source is not None:
                job = self.jobs.create_deployment(branch, source)
            elif job_id is not None:
                job = self.hosting.job(branch, job_id)
            else:
                raise ServiceError("BadRequestException", "Must specify jobId or sourceUrl for StartDeploymentRequest.")
            self.jobs.start_deployment(app, branch, job)
            # The answer is the job as it was accepted, however soon a free slot takes it up.
            return {"jobSummary": summarise_job(branch, job, self.context.addresses) | {"status": "PENDING"}}

    def answer(self, request: Request) -> Response | None:
        """Take what is PUT to an address that CreateDeployment answered; None for any other address."""
        match [unquote(segment) for segment in raw_path(request).split("/")[1:]]:
            case ["_local", "uploads", key, *rest] if request.method == "PUT":
                place = "/".join(rest)
                refused = self.context.addresses.refusal(
                    f"/_local/uploads/{key}/{place}", request.args, self.context.now()
                )
                return _text(refused, 403) if refused is not None else self._keep(key, place, request.get_data())
            case ["_local", "uploads", *_]:
                return _text("only PUT is answered here", 405)
        return None

    def _keep(self, key: str, place: str, content: bytes) -> Response:
        # Written beside the job's files and moved among them, so that a deployment sees all of a file or none of it.
        arrived = self.context.state_dir / "uploads" / uuid4().hex
        arrived.parent.mkdir(parents=True, exist_ok=True)
        arrived.write_bytes(content)
        try:
            with self.context.lock:
                job = self.hosting.job_by_key(key)
                if job is None:
                    return _text("the deployment is deleted", 404)
                if job.status != "CREATED":
                    return _text(f"the deployment takes no files any more: it is {job.status}", 409)
                target = job.directory / place
                target.parent.mkdir(parents=True, exist_ok=True)
                arrived.replace(target)
        finally:
            arrived.unlink(missing_ok=True)
        # As S3 answers, where Amplify's own addresses lead.
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return Response(status=200, headers={"ETag": f'"{digest}"'})

    def _app_and_branch(self, params: Parameters) -> tuple[App, Branch]:
        app = self.hosting.app(params["appId"])
        branch = self.hosting.branch(app.id, params["branchName"])
        if app.settings.get("repository"):
            # In AWS's words, as amplify-cli issue 4837 and amplify-hosting issue 1423 have them.
            raise ServiceError("BadRequestException", "Operation not supported. App is already connected a repository.")
        return app, branch

    def _source(self, params: Parameters) -> Source | None:
        url, url_type = params.get("sourceUrl"), params.get("sourceUrlType", ZIP)
        if url is None:
            return None
        # What AWS says to these two is not known; it can't do what they ask for.
        if "jobId" in params:
            raise ServiceError(
                "BadRequestException", "Must specify either jobId or sourceUrl for StartDeploymentRequest, not both."
            )
        if url_type == BUCKET_PREFIX and not url.startswith("s3://"):
            raise ServiceError(
                "BadRequestException", "With sourceUrlType BUCKET_PREFIX, sourceUrl must begin with s3://"
            )
        try:
            urlsplit(url)
        except ValueError as error:
            raise ServiceError("BadRequestException", f"sourceUrl is no address: {error}") from None
        return web_or_s3(url, url_type, self.context.s3)


def _check_names(names: Mapping[str, str]) -> None:
    for name in names:
        if {"", ".", ".."} & set(name.split("/")) or "\0" in name:
            message = f"fileMap: {name!r} is no path of a file, relative to the site and without empty parts, . and .."
            raise ServiceError("BadRequestException", message)


def _text(text: str, status: int) -> Response:
    return Response(text + "\n", status, mimetype="text/plain")
