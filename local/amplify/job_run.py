"""Runs one job: builds, deploys and verifies, and keeps the steps of it as the API shows them."""

from __future__ import annotations

import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.amplify import artifacts
from local.amplify.artifacts import SITE_ZIP
from local.amplify.build import Build, BuildFailedError, BuildOrder, secrets_of, shown_address
from local.amplify.build_log import BuildLog
from local.amplify.context import AmplifyContext, JobLimits
from local.amplify.sources import Source
from local.amplify.state import App, Branch, Job, Step
from local.processes import StoppedError, TimedOutError

TIMEOUT_VARIABLE = "_BUILD_TIMEOUT"
DEFAULT_TIMEOUT_MINUTES = 30
TIMEOUT_MINUTES = range(5, 121)
REASON_LIMIT = 1000
# How long the files of a deployment may take to arrive; Amplify names no limit.
FETCH_WITHIN_MINUTES = 30
# Amplify builds the tip and ignores StartJob's commitId.
COMMIT = "HEAD"
VERIFY_SECONDS = 30
BUILD, DEPLOY, VERIFY = "BUILD", "DEPLOY", "VERIFY"


@dataclass(frozen=True)
class JobRun:
    """One run of a job. Nothing here is called with the lock."""

    context: AmplifyContext
    limits: JobLimits
    app: App
    branch: Branch
    job: Job

    def run(self) -> None:
        """Run every step. Raises StoppedError and BuildFailedError."""
        if self.job.source is None:
            self._build()
        self._deploy()
        self._verify()

    @contextmanager
    def _step(self, name: str) -> Iterator[Step]:
        """Keep a step's times, status and reason around what it does."""
        step = next(step for step in self.job.steps if step.name == name)
        with self.context.lock:
            if self.job.status == "CANCELLING":
                raise StoppedError
            self.job.status = step.status = "RUNNING"
            step.started = self.context.now()
        status, reason = "SUCCEED", None
        try:
            yield step
        except StoppedError:
            status = "CANCELLED"
            raise
        except Exception as error:
            status = "FAILED"
            reason = str(error) if isinstance(error, BuildFailedError) else f"the local cloud failed itself: {error!r}"
            raise
        finally:
            with self.context.lock:
                step.status, step.reason, step.ended = status, reason and reason[:REASON_LIMIT], self.context.now()

    def _build(self) -> None:
        processes = self.job.processes
        assert processes is not None
        self.job.directory.mkdir(parents=True)
        log_file = self.job.directory / "BUILD.log"
        repository = self.app.settings["repository"]
        with self._step(BUILD) as step, BuildLog(log_file, secrets_of(repository)) as build_log:
            step.log = log_file.name
            step.context = "The machine that runs the local cloud, with its own programs"
            try:
                with self.context.lock:
                    order = self._order()
                    minutes = build_minutes(order.variables.get(TIMEOUT_VARIABLE))
                processes.deadline = time.monotonic() + minutes * self.limits.minute
                build = Build(order, processes, build_log)
                try:
                    self.job.artifacts = build.run()
                finally:
                    self.job.built_commit = build.commit
                step.artifacts = SITE_ZIP
                build_log.info("# Build completed successfully")
            except TimedOutError:
                reason = f"the build was not done after {minutes} minutes, its time limit ({TIMEOUT_VARIABLE})"
                build_log.error(f"!!! Build failed: {reason}")
                raise BuildFailedError(reason) from None
            except BuildFailedError as error:
                build_log.error(f"!!! Build failed: {error}")
                raise
            except StoppedError:
                build_log.warning("# The build was stopped")
                raise

    def _order(self) -> BuildOrder:
        specs = (("the branch", self.branch), ("the app", self.app))
        return BuildOrder(
            repository=self.app.settings["repository"],
            clone_address=self.context.clone_address(self.app.settings["repository"]),
            branch_name=self.branch.name,
            variables={
                **self.app.settings.get("environmentVariables", {}),
                **self.branch.settings.get("environmentVariables", {}),
                "AWS_APP_ID": self.app.id,
                "AWS_BRANCH": self.branch.name,
                "AWS_BRANCH_ARN": self.context.addresses.branch_arn(self.app.id, self.branch.name),
                "AWS_CLONE_URL": shown_address(self.app.settings["repository"]),
                "AWS_COMMIT_ID": COMMIT,
                "AWS_JOB_ID": self.job.padded_id,
            },
            specs=[(name, owner.settings["buildSpec"]) for name, owner in specs if "buildSpec" in owner.settings],
            directory=self.job.directory,
            cache=self.context.state_dir / "caches" / self.branch.key,
        )

    def _deploy(self) -> None:
        """Unpack the site beside the one that is served, then serve it: no visitor sees half of each."""
        with self._step(DEPLOY):
            site = self.context.state_dir / "sites" / self.branch.key / self.job.key
            try:
                if self.job.source is not None:
                    self._fetch_source(self.job.source)
                artifacts.unpack(self.job.directory / SITE_ZIP, site, limit=self.limits.site_bytes)
            except artifacts.ArtifactsError as error:
                raise BuildFailedError(str(error)) from None
            with self.context.lock:
                if self.job.status == "CANCELLING":
                    raise StoppedError
                # The one before stays, for whoever is still reading it.
                current = {site, self.branch.site}
                self.branch.site, self.branch.deployed_job_id = site, self.job.id
                self.branch.deployed = self.context.now()
            for old in set(site.parent.iterdir()) - current:
                shutil.rmtree(old, ignore_errors=True)

    def _fetch_source(self, source: Source) -> None:
        assert self.job.processes is not None
        self.job.directory.mkdir(parents=True, exist_ok=True)
        self.job.processes.deadline = time.monotonic() + FETCH_WITHIN_MINUTES * self.limits.minute
        try:
            source.fetch(self.job.directory, self.limits.site_bytes, self.job.processes)
        except TimedOutError:
            reason = f"{source.name}: not all of it was here after {FETCH_WITHIN_MINUTES} minutes, the time limit"
            raise BuildFailedError(reason) from None

    def _verify(self) -> None:
        with self._step(VERIFY):
            address = self.context.addresses.site(self.branch.app_id, self.branch.name)
            try:
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                opener.open(address, timeout=VERIFY_SECONDS).close()
            except urllib.error.HTTPError as error:
                error.close()
                # A site without a start page is the user's own affair; Amplify deploys it too.
                if error.code >= 500:
                    raise BuildFailedError(f"the deployed site answered {error.code} at {address}") from None
            except OSError as error:
                raise BuildFailedError(f"the deployed site did not answer at {address}: {error}") from None


def build_minutes(text: str | None) -> int:
    """A build's time limit as _BUILD_TIMEOUT gives it: 5 to 120 minutes, 30 when unset.

    Raises BuildFailedError for anything else.
    """
    if not text:
        return DEFAULT_TIMEOUT_MINUTES
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) in TIMEOUT_MINUTES):
        raise BuildFailedError(f"{TIMEOUT_VARIABLE} must be a whole number of minutes from 5 to 120, not {text!r}")
    return int(text)
