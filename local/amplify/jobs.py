"""Runs jobs: at most five at once in order of their start, one running and one pending a branch, each to its end."""

from __future__ import annotations

import logging
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock, Thread
from typing import Any
from uuid import uuid4

from local.amplify import artifacts
from local.amplify.addresses import Addresses
from local.amplify.artifacts import SITE_ZIP
from local.amplify.build import Build, BuildFailedError, BuildOrder, secrets_of, shown_address
from local.amplify.build_log import BuildLog
from local.amplify.sources import Source
from local.amplify.state import ENDED, RUNNING, WAITING, App, Branch, Job, Step
from local.processes import Processes, StoppedError, TimedOutError
from local.server.protocol.errors import ServiceError

log = logging.getLogger(__name__)

# Amplify's quota of concurrent jobs a Region.
CONCURRENT_JOBS = 5
TIMEOUT_VARIABLE = "_BUILD_TIMEOUT"
DEFAULT_TIMEOUT_MINUTES = 30
TIMEOUT_MINUTES = range(5, 121)
REASON_LIMIT = 1000
# How long a deployment that was created waits for its start, and what a deployed site may have: Amplify's quotas.
START_WITHIN = timedelta(hours=8)
SITE_BYTES = 5 << 30
# How long the files of a deployment may take to arrive; Amplify names no limit.
BRING_WITHIN_MINUTES = 30
# Amplify builds the tip and ignores StartJob's commitId.
COMMIT = "HEAD"
VERIFY_SECONDS = 30
BUILD, DEPLOY, VERIFY = "BUILD", "DEPLOY", "VERIFY"

Emit = Callable[[dict[str, Any]], None]


class Jobs:
    """The jobs of all branches. Methods that take a lock are told so; `lock` guards all state, ours and Hosting's.

    `emit` receives each "Amplify Deployment Status Change" event, from the job's own thread and without the lock.
    `minute` is how many seconds a minute of a job's time limit lasts, `now` gives the time of day, `site_bytes` is the
    most that a site may have.
    """

    def __init__(
        self,
        *,
        lock: RLock,
        addresses: Addresses,
        state_dir: Path,
        emit: Emit,
        minute: float,
        now: Callable[[], datetime],
        site_bytes: int = SITE_BYTES,
    ) -> None:
        self._lock = lock
        self._addresses = addresses
        self._state_dir = state_dir
        self._emit = emit
        self._minute = minute
        self._now = now
        self._site_bytes = site_bytes
        self._queue: list[tuple[App, Branch, Job]] = []
        self._running: list[Job] = []
        self._closed = False

    def start(self, app: App, branch: Branch, job_type: str, message: str | None, commit_time: datetime | None) -> Job:
        """Queue a job; the lock is held. Raises LimitExceededException while the branch has one waiting."""
        # The error and its words are AWS's. AWS seems to refuse already while a job is running (scripts that meet the
        # error look for a running job), but no page says so; a running and a pending job are what it keeps for pushes.
        if any(job.status in WAITING for job in branch.jobs.values()):
            message = f"The requested branch {branch.name} already have pending or running jobs"
            raise ServiceError("LimitExceededException", message, 429)
        job = self._number(branch, job_type)
        job.commit_id, job.commit_message, job.commit_time = COMMIT, message, commit_time or job.started
        self._queue.append((app, branch, job))
        self._dispatch()
        return job

    def create_deployment(self, branch: Branch, source: Source) -> Job:
        """Number a deployment that waits for its start; the lock is held.

        Raises BadRequestException while another job of the branch is not finished, be it only created.
        """
        unfinished = [job for job in branch.jobs.values() if job.status not in ENDED]
        if unfinished:
            # AWS's words (amplify-backend issue 2137).
            raise ServiceError(
                "BadRequestException",
                f"The last job(deployment) {unfinished[-1].id} was not finished, please wait until it finish "
                "or use StopJob operation to cancel it before creating a new deployment.",
            )
        job = self._number(branch, "MANUAL")
        job.source, job.status = source, "CREATED"
        return job

    def start_deployment(self, app: App, branch: Branch, job: Job) -> None:
        """Queue a deployment that was created; the lock is held. Raises BadRequestException for any other job."""
        if job.status != "CREATED":
            expired = job.source is not None and job.status == "FAILED" and not job.steps
            why = "StartDeployment has to follow CreateDeployment within 8 hours" if expired else f"it is {job.status}"
            raise ServiceError("BadRequestException", f"Job {job.id} can't be started: {why}")
        job.status, job.started = "PENDING", self._now()
        self._queue.append((app, branch, job))
        self._dispatch()

    def fail_expired(self, branch: Branch) -> None:
        """Fail the branch's deployments that were created and not started in time; the lock is held."""
        now = self._now()
        for job in branch.jobs.values():
            if job.status == "CREATED" and now - job.started > START_WITHIN:
                job.status, job.ended = "FAILED", now

    def _number(self, branch: Branch, job_type: str) -> Job:
        branch.last_number += 1
        job = Job(branch.last_number, job_type, self._now(), self._state_dir / "jobs")
        job.directory /= job.key
        branch.jobs[job.number] = job
        return job

    def stop(self, job: Job) -> None:
        """Cancel a job that waits or runs; the lock is held. Its processes are gone soon after."""
        if job.status in WAITING:
            self._queue = [entry for entry in self._queue if entry[2] is not job]
            job.status, job.ended = "CANCELLED", self._now()
        elif job.status in RUNNING:
            job.status = "CANCELLING"
            if job.processes is not None:
                job.processes.stop()

    def forget(self, branch: Branch) -> None:
        """End a branch's jobs and delete what they left; the lock is not held, and the branch is no longer listed."""
        with self._lock:
            for job in branch.jobs.values():
                self.stop(job)
            threads = [job.thread for job in branch.jobs.values() if job.thread is not None]
        for thread in threads:
            thread.join()
        for job in branch.jobs.values():
            self.delete_files(job)
        for kind in ("sites", "caches"):
            shutil.rmtree(self._state_dir / kind / branch.key, ignore_errors=True)

    def delete_files(self, job: Job) -> None:
        """Delete the logs and artifacts of a job that has ended."""
        shutil.rmtree(job.directory, ignore_errors=True)

    def close(self) -> None:
        """End every build and its processes; the lock is not held."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            running = list(self._running)
            for job in running:
                self.stop(job)
        for job in running:
            if job.thread is not None:
                job.thread.join()

    def _dispatch(self) -> None:
        """Start what may run now, in the order in which it was asked for; the lock is held."""
        for entry in list(self._queue):
            app, branch, job = entry
            if len(self._running) >= CONCURRENT_JOBS or self._closed:
                return
            if any(other.status in RUNNING for other in branch.jobs.values()):
                continue
            self._queue.remove(entry)
            self._running.append(job)
            job.status = "PROVISIONING"
            job.steps = [Step(name) for name in (BUILD, DEPLOY, VERIFY) if name != BUILD or job.source is None]
            job.processes = Processes()
            job.thread = Thread(
                target=self._run, args=(app, branch, job), name=f"job {branch.name} {job.id}", daemon=True
            )
            job.thread.start()

    def _run(self, app: App, branch: Branch, job: Job) -> None:
        self._announce(branch, job, "STARTED")
        outcome = "FAILED"
        try:
            if job.source is None:
                self._build(app, branch, job)
            self._deploy(branch, job)
            self._verify(branch, job)
            outcome = "SUCCEED"
        except StoppedError:
            outcome = "CANCELLED"
        except BuildFailedError:
            pass
        except Exception:
            log.exception("job %s of %s %s failed in the local cloud itself", job.id, app.id, branch.name)
        with self._lock:
            # A stop that came too late to interrupt anything is kept all the same: CANCELLING was answered.
            job.status = "CANCELLED" if job.status == "CANCELLING" else outcome
            job.ended = self._now()
            for step in job.steps:
                if step.status not in ENDED:
                    step.status = "CANCELLED"
        # A cancelled job sends no event: Amplify's own notification rules know STARTED, SUCCEED and FAILED only.
        if job.status != "CANCELLED":
            self._announce(branch, job, job.status)
        with self._lock:
            self._running.remove(job)
            self._dispatch()

    @contextmanager
    def _step(self, job: Job, name: str) -> Iterator[Step]:
        """Keep a step's times, status and reason around what it does."""
        step = next(step for step in job.steps if step.name == name)
        with self._lock:
            if job.status == "CANCELLING":
                raise StoppedError
            job.status = step.status = "RUNNING"
            step.started = self._now()
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
            with self._lock:
                step.status, step.reason, step.ended = status, reason and reason[:REASON_LIMIT], self._now()

    def _build(self, app: App, branch: Branch, job: Job) -> None:
        processes = job.processes
        assert processes is not None
        job.directory.mkdir(parents=True)
        log_file = job.directory / "BUILD.log"
        repository = app.settings["repository"]
        with self._step(job, BUILD) as step, BuildLog(log_file, secrets_of(repository)) as build_log:
            step.log = log_file.name
            step.context = "The machine that runs the local cloud, with its own programs"
            try:
                with self._lock:
                    order = self._order(app, branch, job)
                    minutes = build_minutes(order.variables.get(TIMEOUT_VARIABLE))
                processes.deadline = time.monotonic() + minutes * self._minute
                build = Build(order, processes, build_log)
                try:
                    job.artifacts = build.run()
                finally:
                    job.built_commit = build.commit
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

    def _order(self, app: App, branch: Branch, job: Job) -> BuildOrder:
        specs = (("the branch", branch), ("the app", app))
        return BuildOrder(
            repository=app.settings["repository"],
            branch_name=branch.name,
            variables={
                **app.settings.get("environmentVariables", {}),
                **branch.settings.get("environmentVariables", {}),
                "AWS_APP_ID": app.id,
                "AWS_BRANCH": branch.name,
                "AWS_BRANCH_ARN": self._addresses.branch_arn(app.id, branch.name),
                "AWS_CLONE_URL": shown_address(app.settings["repository"]),
                "AWS_COMMIT_ID": COMMIT,
                "AWS_JOB_ID": job.padded_id,
            },
            specs=[(name, owner.settings["buildSpec"]) for name, owner in specs if "buildSpec" in owner.settings],
            directory=job.directory,
            cache=self._state_dir / "caches" / branch.key,
        )

    def _deploy(self, branch: Branch, job: Job) -> None:
        """Unpack the site beside the one that is served, then serve it: no visitor sees half of each."""
        with self._step(job, DEPLOY):
            site = self._state_dir / "sites" / branch.key / job.key
            try:
                if job.source is not None:
                    self._bring(job, job.source)
                artifacts.unpack(job.directory / SITE_ZIP, site, limit=self._site_bytes)
            except artifacts.ArtifactsError as error:
                raise BuildFailedError(str(error)) from None
            with self._lock:
                if job.status == "CANCELLING":
                    raise StoppedError
                # The one before stays, for whoever is still reading it.
                kept = {site, branch.site}
                branch.site, branch.deployed_job_id, branch.deployed = site, job.id, self._now()
            for old in set(site.parent.iterdir()) - kept:
                shutil.rmtree(old, ignore_errors=True)

    def _bring(self, job: Job, source: Source) -> None:
        assert job.processes is not None
        job.directory.mkdir(parents=True, exist_ok=True)
        job.processes.deadline = time.monotonic() + BRING_WITHIN_MINUTES * self._minute
        try:
            source.bring(job.directory, self._site_bytes, job.processes)
        except TimedOutError:
            reason = f"{source.name}: not all of it was here after {BRING_WITHIN_MINUTES} minutes, the time limit"
            raise BuildFailedError(reason) from None

    def _verify(self, branch: Branch, job: Job) -> None:
        with self._step(job, VERIFY):
            address = self._addresses.site(branch.app_id, branch.name)
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

    def _announce(self, branch: Branch, job: Job, status: str) -> None:
        addresses = self._addresses
        event = {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "Amplify Deployment Status Change",
            "source": "aws.amplify",
            "account": addresses.account,
            "time": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": addresses.region,
            "resources": [addresses.job_arn(branch.app_id, branch.name, job.padded_id)],
            "detail": {"appId": branch.app_id, "branchName": branch.name, "jobId": job.id, "jobStatus": status},
        }
        try:
            self._emit(event)
        except Exception:
            # As on AWS, an event that can't be delivered changes nothing for the job.
            log.exception("the event %s of job %s could not be delivered", status, job.id)


def build_minutes(text: str | None) -> int:
    """A build's time limit as _BUILD_TIMEOUT gives it: 5 to 120 minutes, 30 when unset.

    Raises BuildFailedError for anything else.
    """
    if not text:
        return DEFAULT_TIMEOUT_MINUTES
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) in TIMEOUT_MINUTES):
        raise BuildFailedError(f"{TIMEOUT_VARIABLE} must be a whole number of minutes from 5 to 120, not {text!r}")
    return int(text)
