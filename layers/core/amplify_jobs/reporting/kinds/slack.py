"""A message in Slack through an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)."""

from __future__ import annotations

from amplify_jobs.reporting.call import Answer, Call, Refused, Retry, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.report import Report, ReportState
from amplify_jobs.reporting.wording import facts, links, title
from amplify_jobs.routing.report_targets import secrets_of
from amplify_jobs.text import shortened

TEXT_LIMIT = 2_900
"""A section takes 3,000 characters, escaping included."""
_SIGNS = {
    ReportState.PENDING: ":hourglass_flowing_sand:",
    ReportState.SUCCEEDED: ":white_check_mark:",
    ReportState.FAILED: ":x:",
    ReportState.ERROR: ":warning:",
    ReportState.CANCELLED: ":no_entry_sign:",
}


def subject(destination: Destination, report: Report) -> str | None:
    """A webhook can't change a message: each request's messages come in their order."""
    return report.request_id


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    (name,) = secrets_of(destination.target)
    return json_call("POST", credentials[name], message(report))


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    """Slack answers `ok` as text; 404 and 410 say that the webhook or its channel is gone."""
    if answer.status == 400:
        return Refused(f"HTTP 400: {answer.body[:100].decode(errors='replace')}")
    if answer.status == 200 and answer.body.strip() != b"ok":
        return Retry("Slack did not answer ok")
    return judge_by_status(answer, now)


def message(report: Report) -> dict[str, object]:
    """The message: its text is what a notification shows."""
    lines = [f"*{label}:* {escaped(value)}" for label, value in facts(report)]
    if addresses := links(report):
        lines.append(" · ".join(f"<{link_escaped(link)}|{label}>" for label, link in addresses))
    blocks: list[dict[str, object]] = [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": f"{_SIGNS[report.state]} *{escaped(shortened(title(report), 500))}*"},
        }
    ]
    if lines:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": cut("\n".join(lines))}})
    return {"text": escaped(shortened(title(report), 500)), "blocks": blocks, "unfurl_links": False}


def escaped(text: str) -> str:
    """Slack's three control characters as entities: no text can mention or link anything."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link_escaped(address: str) -> str:
    """An address inside <…|…>."""
    return address.replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")


def cut(text: str) -> str:
    """The lines that fit as a whole: half an entity or link would show as it is written."""
    excerpt = ""
    for line in text.split("\n"):
        if len(excerpt) + len(line) + 1 > TEXT_LIMIT:
            return f"{excerpt}\n…"
        excerpt = f"{excerpt}\n{line}" if excerpt else line
    return excerpt
