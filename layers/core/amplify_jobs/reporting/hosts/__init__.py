"""The APIs of git hosts: statuses, comments and deployments; one module a host."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from amplify_jobs.reporting.call import Answer, Call, Verdict
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

# Provider in routes.yaml -> the module here that knows its API.
HOSTS = {"github": "github"}


@dataclass(frozen=True)
class Status:
    """A status of a commit; `repository` is its full name, `ref` as the event had it."""

    repository: str
    commit: str
    ref: str | None
    context: str
    state: ReportState
    description: str
    link: str | None


class Host(Protocol):
    """What each module of a host has."""

    DESCRIPTION_LIMIT: int
    """How many characters the description of a status may have."""

    def status_call(
        self, target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None
    ) -> Call: ...

    def judge_status(self, answer: Answer, remote: str | None, now: float) -> Verdict: ...


def host_of(destination: Destination) -> Host:
    """The module that knows the API of a destination's git host."""
    return cast(Host, import_module(f"{__name__}.{HOSTS[destination.provider or '']}"))
