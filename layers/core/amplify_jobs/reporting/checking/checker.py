"""Checks a target as far as that is possible without a report, and with a test report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from amplify_jobs.errors import NotSetUpError, ServiceTrouble
from amplify_jobs.reporting.call import Accepted, Answer, AwsCall, Call, Continued, Refused, Retry, Verdict
from amplify_jobs.reporting.checking.finding import Finding, Result
from amplify_jobs.reporting.checking.probes import Probe, Question, probes
from amplify_jobs.reporting.checking.secret_forms import SecretFault, secret_doubt, secret_fault
from amplify_jobs.reporting.checking.trial import Trial, trial_report
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.hosts import host_of
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.sending import Http, Secrets
from amplify_jobs.routing.report_targets import RepositoryTarget, secrets_of

_STORE = "amplify-jobs routes push prints the command that stores it"


class Checker:
    """Checks targets with the secrets and from the machine of whoever asks; `clock` is in seconds since 1970."""

    def __init__(self, *, secrets: Secrets, http: Http, clock: Callable[[], float]) -> None:
        self._secrets = secrets
        self._http = http
        self._clock = clock

    def check(self, destination: Destination, repositories: Sequence[str]) -> Iterator[Finding]:
        """Find out whether a target would work: its secret, its host, its token and the right that it needs."""
        credentials: dict[str, str] = {}
        for name in secrets_of(destination.target):
            try:
                credentials[name] = self._secrets.values((name,))[0]
            except NotSetUpError:
                yield Finding("secret", Result.FAULT, "nothing is stored there", name, _STORE)
            except ServiceTrouble as trouble:
                yield Finding("secret", Result.UNKNOWN, f"it can't be read: {trouble}", name)
        if credentials.keys() != set(secrets_of(destination.target)):
            return
        fault = secret_fault(destination.target, credentials)
        if fault is not None:
            yield _secret_finding(fault, Result.FAULT)
            return
        doubt = secret_doubt(destination.target, credentials)
        for name in credentials:
            if doubt is None or doubt.parameter != name:
                yield Finding("secret", Result.OK, "it is stored, and has the right form", name)
        if doubt is not None:
            yield _secret_finding(doubt, Result.DOUBT)
        yield from self._probe(destination, credentials, repositories)

    def _probe(
        self, destination: Destination, credentials: Credentials, repositories: Sequence[str]
    ) -> Iterator[Finding]:
        for probe in probes(Question(destination, credentials, repositories, self._clock())):
            try:
                answer = self._http.send(probe.call)
            except ServiceTrouble as trouble:
                yield Finding("host", Result.FAULT, str(trouble), remedy="look at the address, or try again later")
                return
            findings = list(judge_probe(destination, probe, answer, self._clock()))
            yield from findings
            if any(finding.check != "repository" and finding.result is Result.FAULT for finding in findings):
                return


def judge_probe(destination: Destination, probe: Probe, answer: Answer, now: float) -> Iterator[Finding]:
    """What the answer to a probe says, by the functions that judge the answers to reports."""
    if isinstance(probe.call, Call) and answer.status == 400 and not answer.headers:
        # What made no call at all, such as an address of a private network.
        yield Finding("host", Result.FAULT, answer.body.decode(), remedy="use an address that is public and https")
        return
    if isinstance(probe.call, AwsCall) and answer.status == 403:
        message = f"your own credentials may not call {probe.call.operation}"
        yield Finding(probe.check, Result.UNKNOWN, message, remedy="ask somebody who has the right")
        return
    if probe.any_answer:
        yield Finding(probe.check, Result.OK, f"{probe.subject} answers")
        return
    match probe.judge(answer, now) if probe.judge else _verdict(destination, answer, now):
        case Accepted() | Continued():
            detail = probe.detail(answer, now) if probe.detail else None
            if detail is None or detail.result is not Result.FAULT:
                yield Finding(probe.check, Result.OK, f"{probe.subject} is accepted")
            if detail is not None:
                yield replace(detail, message=_with_subject(detail, probe))
        case Retry(reason):
            yield Finding(probe.check, Result.UNKNOWN, f"{probe.subject}: {reason}", remedy="try again later")
        case Refused(reason, stops):
            yield Finding(probe.check, Result.FAULT, f"{probe.subject}: {reason}", remedy=_remedy(probe, stops=stops))


def _verdict(destination: Destination, answer: Answer, now: float) -> Verdict:
    """What the answer would mean for a report."""
    if isinstance(destination.target, RepositoryTarget):
        return host_of(destination).judge(answer, now)
    report = trial_report(Trial(destination, now, repository="-", commit="0" * 40))
    return kind_of(destination).judge(destination, report, answer, None, now)


def _with_subject(detail: Finding, probe: Probe) -> str:
    return f"{probe.subject}: {detail.message}" if probe.check == "repository" else detail.message


def _remedy(probe: Probe, *, stops: bool) -> str:
    if isinstance(probe.call, AwsCall):
        return "correct its name in the routes" if probe.check == "repository" else "deploy the stack again"
    if probe.check == "repository" and not stops:
        return "give the token or the App access to the repository, or correct its name in the routes"
    return "make another, and store it under another name (docs/reports.md)"


def _secret_finding(fault: SecretFault, result: Result) -> Finding:
    return Finding("secret", result, fault.message, fault.parameter, fault.remedy)
