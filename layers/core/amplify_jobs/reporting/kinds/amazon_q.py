"""A custom notification, which Amazon Q Developer in chat applications shows in Slack and Microsoft Teams.

Source: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html. Its text is the chat's own markup, and
nobody knows which chat will show it: so there is none, foreign text stands in spans of code, and addresses stand alone.
"""

from __future__ import annotations

import json
import re
from typing import Any

from amplify_jobs.announcing.text import attributes
from amplify_jobs.reporting.call import Answer, AwsCall, Refused, Retry, Verdict, judge_by_status
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.wording import facts, links, sign, title
from amplify_jobs.text import shortened

TITLE_LIMIT = 250
FACT_LIMIT = 500
_WORD_JOINER = "\u2060"
# In a span of code, markup shows as it is; these would end the span, or are read by Slack before spans are.
_IN_CODE = str.maketrans(
    {
        "`": "'",
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    }
)
# Outside of spans: each sign of markup in Slack or in Markdown becomes one that looks like it.
_IN_TEXT = _IN_CODE | str.maketrans(
    {
        "*": "\N{ASTERISK OPERATOR}",
        "~": "\N{TILDE OPERATOR}",
        "[": "(",
        "]": ")",
        "|": "\N{BROKEN BAR}",
        "\\": "\N{SET MINUS}",
    }
)
_EMPHASIS = re.compile(r"(?<!\w)_+|_+(?!\w)")
# An invisible character keeps a mention or an address from being one.
_MENTION = re.compile(r"@(?=\w)")
_ADDRESS = re.compile(r":(?=//)|\bwww(?=\.)", re.IGNORECASE)
_NOT_IN_ADDRESSES = re.compile(r"[\s<>|`*\[\]()\\]")


def subject(destination: Destination, report: Report) -> str | None:
    """A message can't be changed: each request's messages come in their order."""
    return report.request_id


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> AwsCall:
    """API: SNS Publish; the attributes are those of mails, for filter policies of subscriptions."""
    parameters = {
        "Message": json.dumps(message(report), ensure_ascii=False),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value}
            for name, value in attributes(report.detail_type, report.detail).items()
        },
    }
    return AwsCall("sns", "Publish", parameters)


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    """What SNS refuses for its form concerns one report; a topic that is gone or forbidden, all of them."""
    if answer.status == 200 and not answer.identity("MessageId"):
        return Retry("SNS answered without MessageId")
    verdict = judge_by_status(answer, now)
    if not isinstance(verdict, Refused):
        return verdict
    return Refused(f"{answer.member('code')}: {answer.member('message')}", stops=verdict.stops)


def message(report: Report) -> dict[str, Any]:
    """The notification: a request's messages are one thread, where the channel's preferences allow threads."""
    heading = shortened(f"{sign(report)} {plain(title(report))}", TITLE_LIMIT)
    lines = [f"- {label}: {code(value)}" for label, value in facts(report)]
    lines += [f"- {label}: {address}" for label, address in links(report) if not _NOT_IN_ADDRESSES.search(address)]
    context = {
        "requestId": report.request_id,
        "phase": report.phase,
        "outcome": report.outcome,
        "route": report.detail.route,
        "appId": report.app_id,
        "branchName": report.branch,
        "jobId": report.job_id,
    }
    return {
        "version": "1.0",
        "source": "custom",
        "content": {"textType": "client-markdown", "title": heading, "description": "\n".join(lines)},
        "metadata": {
            "threadId": report.request_id,
            "summary": heading,
            "eventType": report.detail_type.value,
            # Actions of one's own, such as a button that starts the job again, have these as variables.
            "additionalContext": {name: plain(value) for name, value in context.items() if value},
        },
    }


def code(text: str) -> str:
    """A foreign text in a span of code."""
    shown = _MENTION.sub(f"@{_WORD_JOINER}", shortened(text, FACT_LIMIT).translate(_IN_CODE))
    return f"`{shown}`"


def plain(text: str) -> str:
    """A foreign text that formats, links and mentions nothing in any chat."""
    signs = shortened(text, FACT_LIMIT).translate(_IN_TEXT)
    shown = _EMPHASIS.sub(lambda run: "\N{FULLWIDTH LOW LINE}" * len(run[0]), signs)
    return _ADDRESS.sub(rf"\g<0>{_WORD_JOINER}", _MENTION.sub(f"@{_WORD_JOINER}", shown))
