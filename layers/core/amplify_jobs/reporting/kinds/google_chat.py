"""A message in Google Chat (https://developers.google.com/workspace/chat/quickstart/webhooks)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from amplify_jobs.reporting.call import Answer, Call, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.wording import facts, links, sign, title
from amplify_jobs.routing.report_targets import secrets_of
from amplify_jobs.text import shortened


def subject(destination: Destination, report: Report) -> str | None:
    """All messages of a request are one thread."""
    return report.request_id


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    (name,) = secrets_of(destination.target)
    address = credentials[name]
    thread = f"threadKey={quote(report.request_id)}&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
    return json_call("POST", f"{address}{'&' if '?' in address else '?'}{thread}", message(report))


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    return judge_by_status(answer, now)


def message(report: Report) -> dict[str, Any]:
    """A card: its texts are plain but for a few tags of HTML."""
    heading = f"{sign(report)} {title(report)}"
    widgets: list[dict[str, Any]] = [
        {"decoratedText": {"topLabel": label, "text": _escaped(shortened(value, 1_000)), "wrapText": True}}
        for label, value in facts(report)
    ]
    buttons = [{"text": label, "onClick": {"openLink": {"url": address}}} for label, address in links(report)]
    if buttons:
        widgets.append({"buttonList": {"buttons": buttons}})
    card = {"header": {"title": shortened(heading, 200)}, "sections": [{"widgets": widgets}]}
    return {"fallbackText": shortened(heading, 500), "cardsV2": [{"cardId": "job", "card": card}]}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
