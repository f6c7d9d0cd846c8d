"""Custom notifications: their form, texts that want to be more than text, and what SNS answers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.model.failure import Failure
from amplify_jobs.reporting.call import Accepted, Answer, AwsCall, Refused, Retry
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.kinds.amazon_q import code, message, plain
from amplify_jobs.reporting.report import Report
from amplify_jobs.routing.routes import Routes
from local.report_hosts.amazon_q import CustomNotification
from tests.support.announced import finished, rejected, started
from tests.unit.reporting.test_chats import hostile

MARKUP = (
    "<!channel> <@U1> @here **b** _i_ ~s~ `c` [x](https://evil.example) <https://evil.example|y> www.evil.example ```"
)


@pytest.fixture(scope="module")
def destination() -> Destination:
    routes = Routes.model_validate({"routes": {}, "reports": {"team": {"kind": "amazon_q"}}})
    return destinations(routes)[0]


def sent(destination: Destination, report: Report) -> AwsCall:
    call = kind_of(destination).call(destination, report, {}, None)
    assert isinstance(call, AwsCall)
    return call


@pytest.mark.parametrize("report", [started(), finished(), finished(Outcome.FAILED), rejected()])
def test_a_report_is_published_in_the_documented_form(destination: Destination, report: Report) -> None:
    call = sent(destination, report)
    assert (call.service, call.operation) == ("sns", "Publish")
    notification = CustomNotification.model_validate_json(call.parameters["Message"])
    assert notification.metadata.thread_id == report.request_id
    assert call.parameters["MessageAttributes"]["route"] == {"DataType": "String", "StringValue": "web"}


def test_all_messages_of_a_request_are_one_thread_and_tell_what_people_want_to_know(destination: Destination) -> None:
    first, last = message(started()), message(finished())
    assert first["metadata"]["threadId"] == last["metadata"]["threadId"]
    assert last["content"]["title"] == "✅ web · main · job 17: succeeded after 1 min 35 s"
    assert "- Site: https://main.d1a2b3c4d5e6.amplifyapp.com" in last["content"]["description"]
    assert "- Commit: `3f1c9a7be2d0 Fix the error page`" in last["content"]["description"]
    assert last["metadata"]["additionalContext"]["outcome"] == "SUCCEEDED"
    subjects = {kind_of(destination).subject(destination, report) for report in (started(), finished())}
    assert subjects == {"web-1"}


def test_hostile_texts_format_link_and_mention_nothing(destination: Destination) -> None:
    report = hostile(f"{MARKUP} \u202egnp.exe {'long ' * 2_000}")
    call = sent(destination, report)
    assert len(json.dumps(call.parameters)) < 60_000
    shown = CustomNotification.model_validate_json(call.parameters["Message"])
    assert "\u202e" not in call.parameters["Message"]
    assert not re.search(r"<|@\w", call.parameters["Message"])
    assert shown.content.title
    assert not re.search(r"[`*~\[\]|]|://", shown.content.title)
    for line in shown.content.description.split("\n"):
        # Spans of code alone have what is foreign, and none of them ends early.
        assert re.fullmatch(r"- [\w ]+: (`[^`\n]*`|https://\S+)", line), line


@given(st.text() | st.text("_*a @:/w.<`"))
@example("0__")
def test_no_text_leaves_its_span_or_has_markup(text: str) -> None:
    assert code(text).count("`") == 2
    assert not re.search(r"[<>`*~\[\]|\\]|@\w|://|(?<!\w)_|_(?!\w)", plain(text))


def test_a_secret_in_an_excerpt_is_not_published(destination: Destination) -> None:
    """Excerpts are lines of a log; nothing of them is in a message that a whole channel reads."""
    failure = Failure(cause="unknown", summary="npm failed", advice="Look.", excerpt="password=hunter2")
    assert "hunter2" not in sent(destination, finished(Outcome.FAILED, failure=failure)).parameters["Message"]


def error(status: int, code: str) -> Answer:
    return Answer(status, body=json.dumps({"code": code, "message": "No."}).encode())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, body=b'{"MessageId": "1"}'), Accepted()),
        (Answer(200, body=b"{}"), Retry("SNS answered without MessageId")),
        (Answer(200, body=b'{"MessageId": []}'), Retry("SNS answered without MessageId")),
        (error(429, "Throttled"), Retry("HTTP 429")),
        (error(500, "InternalError"), Retry("HTTP 500")),
        (error(400, "InvalidParameter"), Refused("InvalidParameter: No.")),
        (error(403, "AuthorizationError"), Refused("AuthorizationError: No.", stops=True)),
        (error(404, "NotFound"), Refused("NotFound: No.", stops=True)),
    ],
)
def test_answers(destination: Destination, answer: Answer, expected: Any) -> None:
    assert kind_of(destination).judge(destination, started(), answer, None, 0.0) == expected
