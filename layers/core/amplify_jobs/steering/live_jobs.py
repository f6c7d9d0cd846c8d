"""What Amplify says now of a job: its steps while it runs, and the log of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from amplify_jobs.diagnosing.bounds import bounded
from amplify_jobs.diagnosing.redaction import redacted
from amplify_jobs.errors import AmplifyJobsError, UnknownItemError
from amplify_jobs.following.log_analysis import secret_values
from amplify_jobs.indexing.answers import LogText, RequestStory, StepState
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.indexing.story import story
from amplify_jobs.indexing.summary import ended_at, summary
from amplify_jobs.model.job import Job, JobState, StepAddress
from amplify_jobs.steering.failing_lines import failing_lines
from amplify_jobs.steering.orders import hosting_job
from amplify_jobs.text import presentable

if TYPE_CHECKING:
    from amplify_jobs.diagnosing.bounds import Readable

LARGEST_PART = 200_000
_SECONDS = 15.0


class Hosting(Protocol):
    """Amplify Hosting; aws.amplify.Amplify."""

    def get_job(self, job: Job) -> JobState: ...

    def step_addresses(self, job: Job) -> tuple[StepAddress, ...]: ...

    def build_variables(self, job: Job) -> Mapping[str, str]: ...


class LogFiles(Protocol):
    """What fetches a log; aws.download.Downloads."""

    def get_bounded(self, url: str, *, keep: Callable[[Readable], bytes], until: float) -> bytes: ...


@dataclass(frozen=True)
class LiveJobs:
    """Reads jobs and their logs at Amplify; `now` and `clock` are the clocks of the day and of time.monotonic."""

    hosting: Hosting
    files: LogFiles
    now: Callable[[], datetime]
    clock: Callable[[], float]

    def story(self, record: RequestRecord) -> RequestStory:
        """The story of a request, with the steps as Amplify tells them now; a note says so if it does not."""
        request, job = story(record), hosting_job(record)
        if job is None:
            return request
        try:
            state = self.hosting.get_job(job)
        except AmplifyJobsError as error:
            note = f"Amplify does not tell the steps now ({error}); they are of {request.as_of:%Y-%m-%d %H:%M:%S} UTC."
            return request.model_copy(update={"notes": (presentable(note),)})
        if _is_another(record, state.started_at):
            return request.model_copy(update={"notes": (_anew(job),)})
        steps = tuple(
            StepState(
                name=step.name,
                status=step.status,
                started_at=step.started_at,
                ended_at=step.finished_at,
                reason=presentable(step.reason),
            )
            for step in state.steps
        )
        notes: tuple[str, ...] = ()
        if state.state.is_outcome and not request.state.is_end:
            notes = (f"Amplify says that the job is {state.state}; its end is announced soon.",)
        return request.model_copy(update={"steps": steps, "is_live": True, "notes": notes})

    def log(self, record: RequestRecord, step: str | None, offset: int) -> LogText:
        """A part of a step's log, from `offset` on, without secrets.

        Without a name, the step that failed is meant, or the one that runs, or the first. Raises UnknownItemError, also
        where the id is that of a later job by now, and ServiceTrouble.
        """
        job = hosting_job(record)
        if job is None:
            raise UnknownItemError(f"request {record.request_id} has no job of Amplify Hosting, and so no log")
        addresses = self.hosting.step_addresses(job)
        started_at = min((address.step.started_at for address in addresses if address.step.started_at), default=None)
        if _is_another(record, started_at):
            raise UnknownItemError(_anew(job))
        address = _chosen(addresses, step)
        if address is None:
            names = ", ".join(address.step.name for address in addresses) or "none yet"
            raise UnknownItemError(f"the job has no step {step or 'with a log'}; its steps: {names}")
        # Of a job whose variables can't be read nothing is shown: they say what must not be.
        secrets = secret_values(self.hosting.build_variables(job))
        content = b""
        if address.log_url is not None:
            content = self.files.get_bounded(address.log_url, keep=bounded, until=self.clock() + _SECONDS)
        is_over = summary(record).state.is_end or address.step.finished_at is not None
        text = redacted(content, secrets)
        if not is_over:
            # A line that is still being written could show half of a secret.
            text = text[: text.rfind("\n") + 1]
        part = text[offset : offset + LARGEST_PART]
        following = min(offset + len(part), len(text))
        return LogText(
            step=address.step.name,
            text=part,
            offset=following,
            complete=is_over and following >= len(text),
            failing_lines=failing_lines(text, _excerpt(record, address.step.name)),
            as_of=self.now(),
        )


def _is_another(record: RequestRecord, started_at: datetime | None) -> bool:
    """Whether the job that Amplify shows is a later one of the same id: it started after the request's had ended."""
    ended = ended_at(record)
    return ended is not None and started_at is not None and started_at > ended


def _anew(job: Job) -> str:
    return (
        f"Job {job.job_id} of {job.branch_name} is another one by now: the branch was made again, or the job was "
        "started again. Amplify keeps nothing of the one before."
    )


def _excerpt(record: RequestRecord, step: str) -> str | None:
    """The excerpt of the failure, if it is of this step's log."""
    ended = record.ended.detail if record.ended else None
    if ended is None or ended.failure is None or (ended.failed_step and ended.failed_step.name != step):
        return None
    return ended.failure.excerpt


def _chosen(addresses: Sequence[StepAddress], name: str | None) -> StepAddress | None:
    if name is not None:
        return next((address for address in addresses if address.step.name.lower() == name.lower()), None)
    for status in ("FAILED", "RUNNING"):
        for address in addresses:
            if address.step.status == status:
                return address
    return next((address for address in addresses if address.log_url is not None), None)
