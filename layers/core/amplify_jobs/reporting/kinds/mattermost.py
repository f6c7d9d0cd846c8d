"""A message in Mattermost (https://developers.mattermost.com/integrate/webhooks/incoming)."""

from __future__ import annotations

from amplify_jobs.reporting.call import Answer, Call, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.kinds.markdown import bold, escaped, link
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.wording import facts, links, sign, title
from amplify_jobs.routing.report_targets import secrets_of
from amplify_jobs.text import shortened

TEXT_LIMIT = 16_000


def subject(destination: Destination, report: Report) -> str | None:
    """A webhook can't change a message: each request's messages come in their order."""
    return report.request_id


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    (name,) = secrets_of(destination.target)
    return json_call("POST", credentials[name], {"text": text(report)})


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    return judge_by_status(answer, now)


def text(report: Report) -> str:
    """The message in Markdown."""
    lines = [f"{sign(report)} {bold(shortened(title(report), 500))}", ""]
    lines += [f"- {label}: {escaped(value)}" for label, value in facts(report)]
    lines += [f"- {link(label, address)}" for label, address in links(report)]
    return shortened("\n".join(lines), TEXT_LIMIT)
