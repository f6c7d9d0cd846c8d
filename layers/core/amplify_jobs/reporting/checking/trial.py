"""A test report: what `reports check --send` delivers, by the sender's own code and without any record of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from amplify_jobs.announcing.announcement import AnnouncedJob, DetailType, JobFinished, Links, Outcome
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.model.request import Cause
from amplify_jobs.reporting.call import Answer, AwsCall, Call
from amplify_jobs.reporting.checking.finding import Finding, Result
from amplify_jobs.reporting.destination import Destination
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.planning import Plan
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.sending import BranchState, Http, Record, ReportRetryError, Secrets, Sender
from amplify_jobs.reporting.sending import Result as Sent
from amplify_jobs.routing.report_targets import (
    CodeCommitComment,
    CommitStatus,
    ReportConditions,
    RepositoryTarget,
    Target,
)
from amplify_jobs.text import one_line, presentable

ROUTE = "reports-check"
CONTEXT = "amplify-jobs/test"
"""The name of a test status: no branch requires it."""
_ANSWER_LIMIT = 200


@dataclass(frozen=True)
class Trial:
    """What a test report is about; a target of a git host needs repository and commit."""

    destination: Destination
    now: float
    repository: str | None = None
    commit: str | None = None
    branch: str | None = None
    pull_request: int | None = None


def trial_report(trial: Trial) -> Report:
    """Make the report: a job that succeeded, of an app that there is not."""
    moment = datetime.fromtimestamp(trial.now, UTC)
    target = trial.destination.target
    detail = JobFinished(
        request_id=f"reports-check-{int(trial.now)}",
        route=ROUTE,
        account="000000000000",
        region="none",
        execution="none",
        requested_at=moment,
        cause=Cause(
            source=_source_of(target),
            kind="push",
            repository=trial.repository,
            commit=trial.commit,
            branch=trial.branch,
            pull_request=trial.pull_request,
            message=f"A test of the target {trial.destination.name}: no job has run",
        ),
        job=AnnouncedJob(operation="start_job", app_id="d0000000000000", app_name="test", job_id="0"),
        links=Links(),
        outcome=Outcome.SUCCEEDED,
    )
    return Report(DetailType.JOB_FINISHED, detail)


def _source_of(target: Target) -> str:
    match target:
        case RepositoryTarget(source=name):
            return name
        case CodeCommitComment():
            return CODECOMMIT
    return ROUTE


def send_trial(trial: Trial, secrets: Secrets, http: Http, clock: Callable[[], float]) -> Finding:
    """Send a test report, and say what the target answered."""
    destination = _for_trial(trial.destination)
    report = trial_report(replace(trial, destination=destination))
    subject = kind_of(destination).subject(destination, report)
    if subject is None:
        remedy = "name one with --repository and --commit, and --pull-request where the kind needs it"
        return Finding("report", Result.UNKNOWN, "nothing is sent without a commit", remedy=remedy)
    memory, recorder = _Memory(), _Recorder(http)
    sender = Sender(records=memory, secrets=secrets, http=recorder, notices=memory, clock=clock)
    try:
        outcome = sender.send(destination, Plan(destination.name, subject), report)
    except (ReportRetryError, ServiceTrouble) as trouble:
        message = f"the target does not take the test report now: {trouble}{recorder.shown()}"
        return Finding("report", Result.FAULT, message, remedy="try again later")
    if outcome.result is Sent.SENT:
        return Finding("report", Result.OK, f"the test report was accepted{recorder.shown()}")
    message = (
        f"the target refused the test report{recorder.shown()}" if outcome.result is Sent.REFUSED else memory.reason
    )
    return Finding("report", Result.FAULT, message, remedy="docs/reports.md says what the answers of each target mean")


def _for_trial(destination: Destination) -> Destination:
    """The destination without conditions, and with a name for the status that no branch requires."""
    changes: dict[str, object] = {"when": ReportConditions()}
    if isinstance(destination.target, CommitStatus):
        changes["context"] = CONTEXT
    return replace(destination, target=destination.target.model_copy(update=changes))


@dataclass
class _Recorder:
    """Makes the calls of another, and keeps the last answer to show it."""

    http: Http
    answer: Answer | None = None

    def send(self, call: Call | AwsCall) -> Answer:
        self.answer = None
        self.answer = self.http.send(call)
        return self.answer

    def shown(self) -> str:
        if self.answer is None:
            return ""
        body = presentable(one_line(self.answer.body[:10_000].decode(errors="replace")), _ANSWER_LIMIT)
        return f" (HTTP {self.answer.status}{f': {body}' if body else ''})"


@dataclass
class _Memory:
    """Records and notices of one test report, which nobody else sees."""

    reason: str = ""
    records: dict[Plan, Record] = field(default_factory=dict)

    def record(self, plan: Plan) -> Record:
        return self.records.get(plan, Record())

    def save(self, plan: Plan, record: Record) -> None:
        self.records[plan] = record

    def branch_state(self, destination: Destination, report: Report) -> BranchState | None:  # noqa: ARG002
        return None

    def save_branch_state(self, destination: Destination, report: Report) -> None:
        """No job has ended."""

    def is_stopped(self, destination: Destination) -> bool:  # noqa: ARG002 -- a test is sent all the same
        return False

    def stop(self, destination: Destination, reason: str) -> bool:  # noqa: ARG002
        self.reason = reason
        return True

    def resume(self, destination: Destination) -> None:
        """Nothing was stopped."""

    def note_missing_secret(self, destination: Destination, name: str) -> bool:  # noqa: ARG002
        return False

    def forget_missing_secret(self, destination: Destination, name: str) -> None:
        """Nothing was noted."""

    def tell_stopped(self, destination: Destination, reason: str) -> None:
        """Whoever checks is told anyhow."""

    def tell_missing_secret(self, destination: Destination, name: str) -> None:
        """Whoever checks is told anyhow."""
