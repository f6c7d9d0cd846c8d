"""One message a job in Slack, which is updated, with the end in its thread (API: chat.postMessage, chat.update)."""

from __future__ import annotations

import json
from typing import Any

from amplify_jobs.reporting.call import (
    Accepted,
    Answer,
    Call,
    Continued,
    Refused,
    Retry,
    Verdict,
    json_call,
    judge_by_status,
)
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.kinds.slack import message
from amplify_jobs.reporting.report import Report, ReportState
from amplify_jobs.routing.report_targets import SlackBot

# Errors that no other message would escape.
_STOPPING = {
    "account_inactive",
    "channel_not_found",
    "invalid_auth",
    "is_archived",
    "missing_scope",
    "not_authed",
    "not_in_channel",
    "token_expired",
    "token_revoked",
}
_PASSING = {"fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout", "service_unavailable"}


def subject(destination: Destination, report: Report) -> str | None:
    return report.request_id


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    """Post the message; later update it, then tell the end in its thread."""
    target = destination.target
    if not isinstance(target, SlackBot):
        raise TypeError(f"{target.kind} is no bot of Slack")
    headers = {"Authorization": f"Bearer {credentials[target.token]}"}
    place = _place(remote)
    if place is None:
        return json_call(
            "POST", f"{target.api}/chat.postMessage", {"channel": target.channel, **message(report)}, headers
        )
    if place.get("updated") == _mark(report):
        content = {"channel": place["channel"], "thread_ts": place["ts"], **message(report)}
        return json_call("POST", f"{target.api}/chat.postMessage", content, headers)
    content = {"channel": place["channel"], "ts": place["ts"], **message(report)}
    return json_call("POST", f"{target.api}/chat.update", content, headers)


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    """Slack answers 200 with ok: false for most errors."""
    verdict = judge_by_status(answer, now)
    if not isinstance(verdict, Accepted):
        return verdict
    if answer.member("ok") is not True:
        error = str(answer.member("error") or "no answer")
        if error in _PASSING or answer.json is None:
            return Retry(error)
        return Refused(error, stops=error in _STOPPING)
    place = _place(remote)
    if place is None:
        return Accepted(json.dumps({"channel": answer.member("channel"), "ts": answer.member("ts")}))
    if place.get("updated") == _mark(report) or report.state is ReportState.PENDING:
        return Accepted(remote)
    return Continued(json.dumps({**place, "updated": _mark(report)}))


def _place(remote: str | None) -> dict[str, Any] | None:
    return json.loads(remote) if remote is not None else None


def _mark(report: Report) -> str:
    return f"{report.version.sequence} {report.outcome}"
