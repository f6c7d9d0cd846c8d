"""An adaptive card in Microsoft Teams, through a workflow ("When a Teams webhook request is received").

Source: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors. Connectors of Office 365 are gone.
"""

from __future__ import annotations

from typing import Any

from amplify_jobs.reporting.call import Answer, Call, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.report import Report, ReportState
from amplify_jobs.reporting.wording import facts, links, title
from amplify_jobs.routing.report_targets import secrets_of
from amplify_jobs.text import shortened

# The whole envelope may have 28 KB: eight facts of so many characters, each of at most four bytes.
FACT_LIMIT = 500
_COLOURS = {
    ReportState.PENDING: "accent",
    ReportState.SUCCEEDED: "good",
    ReportState.FAILED: "attention",
    ReportState.ERROR: "warning",
    ReportState.CANCELLED: "default",
}


def subject(destination: Destination, report: Report) -> str | None:
    """A workflow can't change a message: each request's messages come in their order."""
    return report.request_id


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    (name,) = secrets_of(destination.target)
    return json_call("POST", credentials[name], message(report))


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    """202 says that the workflow has it; whether it shows it, only Teams can tell."""
    return judge_by_status(answer, now)


def message(report: Report) -> dict[str, Any]:
    """A message with one card. A TextBlock reads Markdown, a TextRun does not."""
    heading = {
        "type": "RichTextBlock",
        "inlines": [
            {
                "type": "TextRun",
                "text": shortened(title(report), FACT_LIMIT),
                "weight": "bolder",
                "size": "medium",
                "color": _COLOURS[report.state],
            }
        ],
    }
    lines = [
        {
            "type": "RichTextBlock",
            "inlines": [
                {"type": "TextRun", "text": f"{label}: ", "weight": "bolder"},
                {"type": "TextRun", "text": shortened(value, FACT_LIMIT)},
            ],
        }
        for label, value in facts(report)
    ]
    actions = [{"type": "Action.OpenUrl", "title": label, "url": address} for label, address in links(report)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [heading, *lines],
        "actions": actions,
        "msteams": {"width": "Full"},
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}
