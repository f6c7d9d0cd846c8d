"""Kinds of targets: one module a kind, without input or output of its own (reports and secrets in; calls out)."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from amplify_jobs.reporting.call import Answer, AwsCall, Call, Verdict
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.report import Report

# The kind in routes.yaml -> the module here that knows it. A module is loaded when a target needs it.
KINDS = {
    "commit_status": "commit_status",
    "pull_request_comment": "pull_request_comment",
    "deployment": "deployment",
    "slack": "slack",
    "slack_bot": "slack_bot",
    "teams": "teams",
    "discord": "discord",
    "google_chat": "google_chat",
    "mattermost": "mattermost",
    "amazon_q": "amazon_q",
    "webhook": "webhook",
}


class Kind(Protocol):
    """What each module of a kind has."""

    def subject(self, destination: Destination, report: Report) -> str | None:
        """What the report is about at the target, where a newer report replaces an older; None if it tells nothing."""

    def call(
        self, destination: Destination, report: Report, credentials: Credentials, remote: str | None
    ) -> Call | AwsCall:
        """The next call that delivers a report; `remote` is what the last call for the subject left."""

    def judge(
        self, destination: Destination, report: Report, answer: Answer, remote: str | None, now: float
    ) -> Verdict:
        """What the answer to a call means; `now` is in seconds since 1970."""


def kind_of(destination: Destination) -> Kind:
    """The module that knows a destination's kind."""
    return cast(Kind, import_module(f"{__name__}.{KINDS[destination.target.kind]}"))
