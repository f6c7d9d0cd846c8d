"""Runs jobs: at most five at once in order of their start, one running and one pending a branch, each to its end."""

from __future__ import annotations

import logging
import shutil
from datetime import datetime, timedelta
from threading import Thread
from uuid import uuid4

from local.amplify.build import BuildFailedError
from local.amplify.context import AmplifyContext, JobLimits
from local.amplify.job_run import BUILD, COMMIT, DEPLOY, VERIFY, JobRun
from local.amplify.sources import Source
from local.amplify.state import ENDED, RUNNING, WAITING, App, Branch, Job, Step
from local.processes import Processes, StoppedError
from local.server.protocol.errors import ServiceError

log = logging.getLogger(__name__)

# Amplify's quota of concurrent jobs a Region.
CONCURRENT_JOBS = 5
# How long a deployment that was created waits for its start: Amplify's quota.
START_WITHIN = timedelta(hours=8)


class Jobs:
    """The jobs of all branches. Each method says whether its caller holds the lock."""

    def __init__(self, context: AmplifyContext, limits: JobLimits) -> None:
        self._context = context
        self._limits = limits
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
        job.status, job.started = "PENDING", self._context.now()
        self._queue.append((app, branch, job))
        self._dispatch()

    def fail_expired(self, branch: Branch) -> None:
        """Fail the branch's deployments that were created and not started in time; the lock is held."""
        now = self._context.now()
        for job in branch.jobs.values():
            if job.status == "CREATED" and now - job.started > START_WITHIN:
                job.status, job.ended = "FAILED", now

    def _number(self, branch: Branch, job_type: str) -> Job:
        branch.last_number += 1
        job = Job(branch.last_number, job_type, self._context.now(), self._context.state_dir / "jobs")
        job.directory /= job.key
        branch.jobs[job.number] = job
        return job

    def stop(self, job: Job) -> None:
        """Cancel a job that waits or runs; the lock is held. Its processes are gone soon after."""
        if job.status in WAITING:
            self._queue = [entry for entry in self._queue if entry[2] is not job]
            job.status, job.ended = "CANCELLED", self._context.now()
        elif job.status in RUNNING:
            job.status = "CANCELLING"
            if job.processes is not None:
                job.processes.stop()

    def forget(self, branch: Branch) -> None:
        """End a branch's jobs and delete what they left; the lock is not held, and the branch is no longer listed."""
        with self._context.lock:
            for job in branch.jobs.values():
                self.stop(job)
            threads = [job.thread for job in branch.jobs.values() if job.thread is not None]
        for thread in threads:
            thread.join()
        for job in branch.jobs.values():
            self.delete_files(job)
        for kind in ("sites", "caches"):
            shutil.rmtree(self._context.state_dir / kind / branch.key, ignore_errors=True)

    def delete_files(self, job: Job) -> None:
        """Delete the logs and artifacts of a job that has ended."""
        shutil.rmtree(job.directory, ignore_errors=True)

    def close(self) -> None:
        """End every build and its processes; the lock is not held."""
        with self._context.lock:
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
            JobRun(self._context, self._limits, app, branch, job).run()
            outcome = "SUCCEED"
        except StoppedError:
            outcome = "CANCELLED"
        except BuildFailedError:
            pass
        except Exception:
            log.exception("job %s of %s %s failed in the local cloud itself", job.id, app.id, branch.name)
        with self._context.lock:
            # A stop that came too late to interrupt anything is kept all the same: CANCELLING was answered.
            job.status = "CANCELLED" if job.status == "CANCELLING" else outcome
            job.ended = self._context.now()
            for step in job.steps:
                if step.status not in ENDED:
                    step.status = "CANCELLED"
        # A cancelled job sends no event: Amplify's own notification rules know STARTED, SUCCEED and FAILED only.
        if job.status != "CANCELLED":
            self._announce(branch, job, job.status)
        with self._context.lock:
            self._running.remove(job)
            self._dispatch()

    def _announce(self, branch: Branch, job: Job, status: str) -> None:
        addresses = self._context.addresses
        event = {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "Amplify Deployment Status Change",
            "source": "aws.amplify",
            "account": addresses.account,
            "time": self._context.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": addresses.region,
            "resources": [addresses.job_arn(branch.app_id, branch.name, job.padded_id)],
            "detail": {"appId": branch.app_id, "branchName": branch.name, "jobId": job.id, "jobStatus": status},
        }
        try:
            self._context.emit(event)
        except Exception:
            # As on AWS, an event that can't be delivered changes nothing for the job.
            log.exception("the event %s of job %s could not be delivered", status, job.id)
