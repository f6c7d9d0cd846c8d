"""The announcement as JSON, signed by the scheme of Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

from amplify_jobs.reporting.call import JSON, USER_AGENT, Answer, Call, Refused, Retry, Verdict, judge_by_status
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.report import Report
from amplify_jobs.routing.report_targets import Webhook

_PREFIX = "whsec_"


def subject(destination: Destination, report: Report) -> str | None:
    return report.request_id


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    """Sign anew for each attempt, with its time; the id is the same for all attempts of one report."""
    target = destination.target
    if not isinstance(target, Webhook):
        raise TypeError(f"{target.kind} is no webhook")
    body = content(report)
    moment = str(int(time.time()))
    message_id = identity(report)
    headers = {
        "Content-Type": JSON,
        "User-Agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": signature(credentials[target.secret], message_id, moment, body),
    }
    return Call("POST", target.url, headers, body)


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    """Anything but 2xx is a failure that is tried again for days; 410 says that the endpoint wants nothing any more."""
    if answer.status == 410:
        return Refused("HTTP 410", stops=True)
    verdict = judge_by_status(answer, now)
    return Retry(verdict.reason) if isinstance(verdict, Refused) else verdict


def identity(report: Report) -> str:
    """The same for all attempts, and another for each announcement of a request."""
    text = f"{report.request_id} {report.detail_type} {report.outcome}"
    return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def content(report: Report) -> bytes:
    """The body: the detail of the event on the bus, as it is, under a type like job.finished."""
    kind = report.detail_type.value.lower().replace(" ", ".")
    content = {
        "type": kind,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": report.detail.model_dump(mode="json", by_alias=True),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of webhook-signature. Raises ValueError unless the secret is whsec_ and base64."""
    if not secret.startswith(_PREFIX):
        raise ValueError("the secret of a webhook must be whsec_ and base64")
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"
