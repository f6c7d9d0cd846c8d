"""Local Amplify behind a real port, a git repository for it to build, and a boto3 client."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from werkzeug.wrappers import Request, Response

from local.amplify import LocalAmplify, trail
from local.amplify.addresses import Addresses
from local.amplify.context import AmplifyContext, JobLimits
from local.codegen import Generator
from local.server.http_server import HttpServer, Listen
from tests.support.services import call

ACCOUNT = "111122223333"
REGION = "eu-central-1"
# Generous, for a machine that has other things to do; nothing waits for it unless something is broken.
PATIENCE_SECONDS = 60
# The generators take their time, and the first to need them waits for their packages to be installed.
GENERATOR_PATIENCE_SECONDS = 600
GIT_AUTHOR = {
    f"GIT_{role}_{part}": f"{part.lower()}@example.com"
    for role in ("AUTHOR", "COMMITTER")
    for part in ("NAME", "EMAIL")
}


class Repository:
    """A git repository on disk, of which tests write the files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self._git("init", "--quiet", "--initial-branch=main")

    def commit(self, files: Mapping[str, str], branch: str = "main") -> str:
        """Make these the branch's only files, and answer the commit's id."""
        self._git("switch", "--quiet", "--orphan" if not self._exists(branch) else "--force", branch)
        for name in self._git("ls-files").splitlines():
            (self.path / name).unlink()
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message", f"Change {branch}")
        return self._git("rev-parse", "HEAD").strip()

    def _exists(self, branch: str) -> bool:
        return bool(self._git("branch", "--list", branch))

    def _git(self, *arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.path), **GIT_AUTHOR}
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout


def _no_s3() -> Any:
    raise AssertionError("S3 is tested against a whole local cloud")


class World:
    """A local Amplify, its client, its repository and the events that it emitted."""

    def __init__(self, directory: Path, limits: JobLimits | None = None, generator: Generator | None = None) -> None:
        self.repository = Repository(directory / "repository")
        self.state_dir = directory / "state"
        # What Amplify tells of jobs, and what CloudTrail tells of calls.
        self.events: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self.passed = timedelta()
        self._changed = threading.Condition()
        self._server = HttpServer("amplify under test", Listen(subdomains=True))
        self.url = self._server.url
        addresses = Addresses(account=ACCOUNT, region=REGION, base_url=self.url)
        context = AmplifyContext(addresses, self.state_dir, self._note, _no_s3, self._time)
        self.service = LocalAmplify(context, limits=limits, generator=generator)
        self._server.start(self._answer)
        self.client = self.make_client("amplify")

    def close(self) -> None:
        self.service.close()
        self.client.close()
        self._server.close()

    def make_client(self, service: str) -> Any:
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        return session.client(service, endpoint_url=self.url, config=config)  # type: ignore[call-overload]

    def _answer(self, request: Request) -> Response:
        scope = request.headers.get("Authorization", "").partition("Credential=")[2].split("/")
        if len(scope) > 3:
            return call(self.service, scope[3], request)
        return self.service.local(request) or Response("nothing is here", 404)

    def _time(self) -> datetime:
        """The time of day, after all the time that a test let pass."""
        return datetime.now(UTC) + self.passed

    def _note(self, event: dict[str, Any]) -> None:
        with self._changed:
            (self.calls if event["detail-type"] == trail.DETAIL_TYPE else self.events).append(event)
            self._changed.notify_all()

    def app(self, **settings: Any) -> str:
        """A new app of the repository, by id."""
        settings = {"name": "web", "repository": str(self.repository.path), **settings}
        app_id: str = self.client.create_app(**settings)["app"]["appId"]
        return app_id

    def branch(self, files: Mapping[str, str] | None = None, *, name: str = "main", app: str | None = None) -> str:
        """A branch with these files, in a new app unless one is named; answers the app's id."""
        self.repository.commit(files or {"index.html": "hello"}, name)
        app_id = app or self.app()
        self.client.create_branch(appId=app_id, branchName=name)
        return app_id

    def start(self, app_id: str, branch: str = "main", **parameters: Any) -> str:
        parameters = {"jobType": "RELEASE", **parameters}
        job_id: str = self.client.start_job(appId=app_id, branchName=branch, **parameters)["jobSummary"]["jobId"]
        return job_id

    def job(self, app_id: str, job_id: str, branch: str = "main") -> dict[str, Any]:
        job: dict[str, Any] = self.client.get_job(appId=app_id, branchName=branch, jobId=job_id)["job"]
        return job

    def status(self, app_id: str, job_id: str, branch: str = "main") -> str:
        status: str = self.job(app_id, job_id, branch)["summary"]["status"]
        return status

    def ended(self, app_id: str, job_id: str, branch: str = "main") -> dict[str, Any]:
        """The job, once it has come to an end."""
        self.eventually(lambda: self.status(app_id, job_id, branch) in {"SUCCEED", "FAILED", "CANCELLED"})
        return self.job(app_id, job_id, branch)

    def built(self, app_id: str, branch: str = "main", **parameters: Any) -> dict[str, Any]:
        """A new job of the branch, once it has come to an end."""
        return self.ended(app_id, self.start(app_id, branch, **parameters), branch)

    def get(self, address: str, host: str | None = None, method: str = "GET") -> tuple[int, str]:
        """Status and text of an address, which may be only a path."""
        url = address if address.startswith("http") else self.url + address
        request = urllib.request.Request(url, headers={"Host": host} if host else {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def log(self, job: dict[str, Any]) -> str:
        """The log of a job's build."""
        return self.get(job["steps"][0]["logUrl"])[1]

    def told(self, app_id: str, count: int) -> list[str]:
        """The job statuses that events told of an app, once there are that many."""

        def find() -> list[str]:
            with self._changed:
                details = [event["detail"] for event in self.events]
            return [detail["jobStatus"] for detail in details if detail["appId"] == app_id]

        self.eventually(lambda: len(find()) >= count)
        return find()

    def eventually(self, holds: Callable[[], bool], patience: float = PATIENCE_SECONDS) -> None:
        deadline = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < deadline, "it never came about"
            time.sleep(0.02)
