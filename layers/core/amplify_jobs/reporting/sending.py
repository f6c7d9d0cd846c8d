"""Sending reports: one call after the other until the target has the report, or will never take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from amplify_jobs.errors import AmplifyJobsError, NotSetUpError, ServiceTrouble
from amplify_jobs.reporting.app_tokens import AppTokens
from amplify_jobs.reporting.call import Accepted, Answer, AwsCall, Call, Continued, Refused, Retry
from amplify_jobs.reporting.checking.secret_forms import secret_fault
from amplify_jobs.reporting.destination import INSTALLATION_TOKEN, Credentials, Destination
from amplify_jobs.reporting.github_app import InstallationToken
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.planning import BUILD_RESULTS, Plan, is_change
from amplify_jobs.reporting.report import Report, ReportState, Version
from amplify_jobs.routing.report_targets import RepositoryTarget, secrets_of

# A Slack bot needs two calls for the end of a job, Azure DevOps for a pull request.
_MOST_CALLS = 8
# The pauses of Standard Webhooks, within the 12 hours that SQS can hide a message: about three days.
PAUSES_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200, 43_200)


class Result(StrEnum):
    """What became of a report."""

    SENT = "sent"
    OUTDATED = "outdated"
    UNCHANGED = "unchanged"
    STOPPED = "stopped"
    REFUSED = "refused"


@dataclass(frozen=True)
class SendResult:
    """What became of a report, and why the target does not have it, where it refused it or is stopped."""

    result: Result
    reason: str | None = None


@dataclass(frozen=True)
class Record:
    """What a subject of a target was told last; `remote` is what a further call needs."""

    version: Version | None = None
    remote: str | None = None


@dataclass(frozen=True)
class BranchState:
    """How the last job of an app, branch and route ended, and when it was requested."""

    state: ReportState
    requested_at: datetime


class ReportRetryError(AmplifyJobsError):
    """The target can't take the report now; `after_seconds` is what it asked for."""

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class Records(Protocol):
    """Records of subjects and of targets that were stopped; aws.report_records.ReportRecords."""

    def record(self, plan: Plan) -> Record: ...

    def save(self, plan: Plan, record: Record) -> None: ...

    def branch_state(self, destination: Destination, report: Report) -> BranchState | None:
        """How the last job of the report's app, branch and route ended, as far as this target was to know."""

    def save_branch_state(self, destination: Destination, report: Report) -> None: ...

    def is_stopped(self, destination: Destination) -> bool: ...

    def stop(self, destination: Destination, reason: str) -> bool:
        """Stop a target until its configuration changes; False if it was stopped before."""

    def resume(self, destination: Destination) -> None: ...

    def note_missing_secret(self, destination: Destination, name: str) -> bool:
        """Note that people hear today of a secret that is missing; False if they have heard."""

    def forget_missing_secret(self, destination: Destination, name: str) -> None: ...


class Secrets(Protocol):
    """The values of secrets; aws.secrets.Secrets. Raises ServiceTrouble, and NotSetUpError where none is stored."""

    def values(self, names: tuple[str, ...]) -> Sequence[str]: ...


class Notices(Protocol):
    """Tells people of targets that can't work; aws.target_notices.TargetNotices. Raises ServiceTrouble."""

    def tell_stopped(self, destination: Destination, reason: str) -> None: ...

    def tell_missing_secret(self, destination: Destination, name: str) -> None: ...


class Http(Protocol):
    """What makes a call; aws.report_calls.ReportCalls. Raises ServiceTrouble where there is no answer."""

    def send(self, call: Call | AwsCall) -> Answer: ...


class Sender:
    """Sends reports, each subject's in order: the queue gives the next one once the one before has been sent."""

    def __init__(
        self,
        *,
        records: Records,
        secrets: Secrets,
        http: Http,
        notices: Notices,
        clock: Callable[[], float],
    ) -> None:
        self._records = records
        self._secrets = secrets
        self._http = http
        self._clock = clock
        self._notices = notices
        self._apps = AppTokens(http, clock)

    def send(self, destination: Destination, plan: Plan, report: Report) -> SendResult:
        """Deliver a report, unless the subject was told the same or something newer. Safe to call again.

        Raises ReportRetryError where the target can't take it now, and ServiceTrouble of our own services.
        """
        if self._records.is_stopped(destination):
            return SendResult(Result.STOPPED, "the target is stopped since an earlier report")
        record = self._records.record(plan)
        if record.version is not None and report.version <= record.version:
            return SendResult(Result.OUTDATED)
        if plan.lane is not None and not self._enter(plan.whole_lane, report) and record == Record():
            return SendResult(Result.OUTDATED)
        if destination.target.when.changes and not self._is_change(destination, report):
            return SendResult(Result.UNCHANGED)
        result = self._deliver(destination, plan, report, record)
        if destination.target.when.changes:
            self._records.save_branch_state(destination, report)
        return result

    def _enter(self, lane: Plan, report: Report) -> bool:
        """Whether no newer request is in the lane; what it has begun already, an older one still ends."""
        newest = self._records.record(lane).version
        if newest is not None and report.version < newest:
            return report.request_id == newest.request_id
        self._records.save(lane, Record(report.version))
        return True

    def _is_change(self, destination: Destination, report: Report) -> bool:
        earlier = self._records.branch_state(destination, report)
        if earlier is not None and earlier.requested_at > report.version.requested_at:
            # It comes late, or again: it is no news beside what is known of a newer job.
            return False
        if is_change(earlier.state if earlier else None, report):
            return True
        if report.state in BUILD_RESULTS:
            self._records.save_branch_state(destination, report)
        return False

    def _deliver(self, destination: Destination, plan: Plan, report: Report, record: Record) -> SendResult:
        credentials = {name: self._secret(destination, name) for name in secrets_of(destination.target)}
        if (fault := secret_fault(destination.target, credentials)) is not None:
            reason = f"{fault.parameter}: {fault.message}; {fault.remedy}"
            return self._refused(destination, reason, stops=True)
        try:
            authority = self._authority(destination, report, credentials)
        except ServiceTrouble as trouble:
            raise ReportRetryError(str(trouble)) from None
        if isinstance(authority, Refused):
            return self._refused(destination, authority.reason, stops=authority.stops)
        return self._call(destination, plan, report, record, authority)

    def _authority(self, destination: Destination, report: Report, credentials: Credentials) -> Credentials | Refused:
        """The credentials with what an App's installation has in place of a token. Raises ReportRetryError."""
        target = destination.target
        if not isinstance(target, RepositoryTarget) or target.app is None:
            return credentials
        token = self._apps.token(target, credentials, report.cause.repository or "", report.cause.installation)
        match token:
            case InstallationToken():
                return {**credentials, INSTALLATION_TOKEN: token.value}
            case Retry(reason, seconds):
                raise ReportRetryError(reason, seconds)
            case _:
                return token

    def _call(
        self, destination: Destination, plan: Plan, report: Report, record: Record, credentials: Credentials
    ) -> SendResult:
        kind, remote = kind_of(destination), record.remote
        for _ in range(_MOST_CALLS):
            call = kind.call(destination, report, credentials, remote)
            try:
                answer = self._http.send(call)
            except ServiceTrouble as trouble:
                raise ReportRetryError(str(trouble)) from None
            match kind.judge(destination, report, answer, remote, self._clock()):
                case Accepted(new):
                    self._records.save(plan, Record(report.version, new))
                    return SendResult(Result.SENT)
                case Continued(new, is_kept):
                    remote = new
                    if is_kept:
                        # At once: a second call of its kind would make a second message.
                        self._records.save(plan, Record(record.version, new))
                case Retry(reason, seconds):
                    raise ReportRetryError(reason, seconds)
                case Refused(reason, stops):
                    if answer.status == 401 and self._forget_token(destination, credentials):
                        raise ReportRetryError(f"{reason}: the App's token ended early")
                    return self._refused(destination, reason, stops=stops)
        raise ReportRetryError(f"{destination.target.kind} needed more than {_MOST_CALLS} calls")

    def _forget_token(self, destination: Destination, credentials: Credentials) -> bool:
        """Whether a token was kept that ended early, as GitHub ends them when an installation changes."""
        target, token = destination.target, credentials.get(INSTALLATION_TOKEN)
        return (
            isinstance(target, RepositoryTarget) and token is not None and self._apps.forget(target, credentials, token)
        )

    def _secret(self, destination: Destination, name: str) -> str:
        """A secret of a target. People are told once a day of one that is missing, and the report waits for it."""
        try:
            return self._secrets.values((name,))[0]
        except NotSetUpError:
            if self._records.note_missing_secret(destination, name):
                try:
                    self._notices.tell_missing_secret(destination, name)
                except ServiceTrouble:
                    self._records.forget_missing_secret(destination, name)
                    raise
            raise ReportRetryError(
                f"target {destination.name} needs the secret {name}, which is not in SSM; "
                "`amplify-jobs routes push` prints the command that stores it"
            ) from None

    def _refused(self, destination: Destination, reason: str, *, stops: bool) -> SendResult:
        if not stops:
            return SendResult(Result.REFUSED, reason)
        if self._records.stop(destination, reason):
            try:
                self._notices.tell_stopped(destination, reason)
            except ServiceTrouble:
                # The report comes again, and people are told then.
                self._records.resume(destination)
                raise
        return SendResult(Result.STOPPED, reason)


def pause_seconds(attempt: int, after_seconds: float | None, jitter: float) -> int:
    """How long a report waits after its `attempt`th try, at least what the target asked for; `jitter` is 0 to 1."""
    pause = PAUSES_SECONDS[min(attempt, len(PAUSES_SECONDS)) - 1]
    spread = pause * (0.9 + 0.2 * jitter)
    return min(int(max(spread, after_seconds or 0.0)) + 1, PAUSES_SECONDS[-1])
