"""A message in Discord (https://docs.discord.com/developers/resources/webhook)."""

from __future__ import annotations

from typing import Any

from amplify_jobs.reporting.call import Answer, Call, Retry, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.kinds.markdown import escaped, link
from amplify_jobs.reporting.report import Report, ReportState
from amplify_jobs.reporting.wording import facts, links, title
from amplify_jobs.routing.report_targets import secrets_of
from amplify_jobs.text import shortened

_COLOURS = {
    ReportState.PENDING: 0x3498DB,
    ReportState.SUCCEEDED: 0x2ECC71,
    ReportState.FAILED: 0xE74C3C,
    ReportState.ERROR: 0xE67E22,
    ReportState.CANCELLED: 0x95A5A6,
}


def subject(destination: Destination, report: Report) -> str | None:
    """One message a job, which is changed."""
    return report.request_id


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    """Post the message, and wait for its id; later change it."""
    (name,) = secrets_of(destination.target)
    address = credentials[name]
    if remote is not None:
        return json_call("PATCH", f"{address}/messages/{remote}", message(report))
    return json_call("POST", f"{address}?wait=true", message(report))


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    """429 has the seconds in its body too; 404 and 401 say that the webhook was deleted."""
    verdict = judge_by_status(answer, now, remote or _id(answer))
    seconds = answer.member("retry_after")
    if isinstance(verdict, Retry) and isinstance(seconds, int | float):
        return Retry(verdict.reason, max(float(seconds), verdict.after_seconds or 0.0))
    return verdict


def message(report: Report) -> dict[str, Any]:
    """One embed; it mentions nobody."""
    fields = [{"name": label, "value": shortened(escaped(value), 1_000)} for label, value in facts(report)]
    addresses = [link(label, address) for label, address in links(report)]
    embed: dict[str, Any] = {
        "title": shortened(title(report), 256),
        "description": shortened(" · ".join(addresses), 2_000),
        "color": _COLOURS[report.state],
        # Six thousand characters in all: the facts have at most eight, of which two can be long.
        "fields": [{**field, "value": shortened(field["value"], 500)} for field in fields],
    }
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _id(answer: Answer) -> str | None:
    value = answer.member("id")
    return value if isinstance(value, str) and value.isdecimal() else None
