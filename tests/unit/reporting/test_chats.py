"""Messages in chats and outgoing webhooks: their form, and texts that want to be more than text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.model.failure import Failure
from amplify_jobs.reporting.call import Accepted, Answer, Call, Continued, Refused, Retry
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.kinds.markdown import escaped, link
from amplify_jobs.reporting.report import Report
from amplify_jobs.routing.routes import Routes
from tests.support.announced import finished, started

NOW = 1_000_000.0
SECRET = "/amplify-jobs/secrets/chat"
ADDRESS = "https://chat.example/hooks/s3cr3t"
KEY = base64.b64encode(b"k" * 32).decode()
CHATS = ("slack", "teams", "discord", "google_chat", "mattermost")
HOSTILE = (
    "<!channel> <@U123> @everyone @here <https://evil.example|click> & <script>alert(1)</script> "
    "[link](https://evil.example) **bold** `code` \u202egnp.exe " + "x" * 10_000
)


def destination(kind: str) -> Destination:
    members = {
        "slack_bot": {"token": SECRET, "channel": "C0123456789"},
        "webhook": {"url": "https://ci.example/hook", "secret": SECRET},
    }.get(kind, {"webhook": SECRET})
    routes = Routes.model_validate({"routes": {}, "reports": {"it": {"kind": kind, **members}}})
    return destinations(routes)[0]


def call(kind: str, report: Report, remote: str | None = None, secret: str = ADDRESS) -> Call:
    where = destination(kind)
    result = kind_of(where).call(where, report, {SECRET: secret}, remote)
    assert isinstance(result, Call)
    return result


def hostile(text: str = HOSTILE) -> Report:
    failure = Failure(cause="unknown", summary=text, advice=text, command=text, excerpt=text)
    report = finished(Outcome.FAILED, reason=text, failure=failure)
    cause = report.cause.model_copy(update={"message": text, "author": text, "repository": "acme/web"})
    job = {"job": report.detail.model_dump()["job"] | {"app_name": text, "branch_name": text}}
    detail = report.detail.model_dump() | job | {"cause": cause.model_dump()}
    return Report(report.detail_type, type(report.detail).model_validate(detail))


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for member in members for text in texts(member)]


@pytest.mark.parametrize("kind", CHATS)
def test_a_message_says_what_people_want_to_know(kind: str) -> None:
    failure = Failure(cause="command-not-found", summary="vite: command not found", advice="Add vite.")
    result = call(kind, finished(Outcome.FAILED, failure=failure))
    assert result.url.startswith(ADDRESS)
    shown = " ".join(texts(json.loads(result.body))).replace("\\", "")
    for words in ("web · main · job 17", "failed after 1 min 35 s", "vite: command not found", "Add vite.", "Ada"):
        assert words in shown, (kind, words)
    assert "s3cr3t" not in result.body.decode()


@pytest.mark.parametrize("kind", CHATS)
def test_hostile_texts_fit_and_stay_texts(kind: str) -> None:
    body = call(kind, hostile()).body
    document = json.loads(body)
    everything = "\n".join(texts(document))
    assert "\u202e" not in everything
    assert len(body) < 28_000
    if kind == "google_chat":
        # A header and the fallback are plain text; a widget reads some HTML.
        (section,) = document["cardsV2"][0]["card"]["sections"]
        assert not any(text.startswith("<") or "<s" in text for text in texts(section))
    if kind == "slack":
        assert "<!channel>" not in everything
        assert all(len(block["text"]["text"]) <= 3_000 for block in document["blocks"])
    if kind == "discord":
        assert document["allowed_mentions"] == {"parse": []}
        (embed,) = document["embeds"]
        assert len(embed["title"]) <= 256
        assert sum(map(len, texts(embed))) <= 6_000
    if kind == "mattermost":
        assert "@here" not in everything
        assert "](https://evil" not in everything
    if kind == "teams":
        # Only a TextBlock reads Markdown.
        assert "TextBlock" not in texts(document)


@given(st.text(max_size=300))
def test_escaped_markdown_mentions_nobody(text: str) -> None:
    shown = escaped(text)
    assert not any(before == "@" and after.isalnum() for before, after in itertools.pairwise(shown))


@given(st.text(max_size=2_000))
def test_any_text_becomes_a_message(text: str) -> None:
    for kind in CHATS:
        json.loads(call(kind, hostile(text)).body)


def test_an_address_can_not_end_early_nor_mention_anybody() -> None:
    address = "https://a.example/b%2Fc/<!here>@everyone(x) ä?d=1&e=2#f"
    assert link("Site", address) == ("[Site](https://a.example/b%2Fc/%3C!here%3E%40everyone%28x%29%20%C3%A4?d=1&e=2#f)")


def judge(kind: str, answer: Answer, report: Report | None = None, remote: str | None = None) -> object:
    where = destination(kind)
    return kind_of(where).judge(where, report or started(), answer, remote, NOW)


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        ("slack", Answer(200, {}, b"ok"), Accepted()),
        ("slack", Answer(200, {}, b"<html>"), Retry("Slack did not answer ok")),
        ("slack", Answer(404, {}, b"channel_not_found"), Refused("HTTP 404", stops=True)),
        ("slack", Answer(429, {"retry-after": "30"}), Retry("HTTP 429", 30.0)),
        ("slack", Answer(400, {}, b"invalid_payload"), Refused("HTTP 400: invalid_payload")),
        ("teams", Answer(202), Accepted()),
        ("discord", Answer(200, {}, b'{"id": "123"}'), Accepted("123")),
        ("discord", Answer(429, {}, b'{"retry_after": 1.5}'), Retry("HTTP 429", 1.5)),
        ("discord", Answer(404), Refused("HTTP 404", stops=True)),
        ("google_chat", Answer(200), Accepted()),
        ("mattermost", Answer(500), Retry("HTTP 500")),
        ("webhook", Answer(204), Accepted()),
        ("webhook", Answer(410), Refused("HTTP 410", stops=True)),
        ("webhook", Answer(404), Retry("HTTP 404")),
        ("webhook", Answer(302), Retry("HTTP 302")),
        ("slack_bot", Answer(200, {}, b'{"ok": false, "error": "invalid_auth"}'), Refused("invalid_auth", stops=True)),
        ("slack_bot", Answer(200, {}, b'{"ok": false, "error": "msg_too_long"}'), Refused("msg_too_long")),
        ("slack_bot", Answer(200, {}, b'{"ok": false, "error": "ratelimited"}'), Retry("ratelimited")),
        ("slack_bot", Answer(200, {}, b"<html>"), Retry("no answer")),
    ],
)
def test_answers(kind: str, answer: Answer, expected: object) -> None:
    assert judge(kind, answer) == expected


def test_discord_changes_its_message() -> None:
    assert (call("discord", started()).method, call("discord", started()).url) == ("POST", f"{ADDRESS}?wait=true")
    later = call("discord", finished(), "123")
    assert (later.method, later.url) == ("PATCH", f"{ADDRESS}/messages/123")


def test_a_bot_updates_its_message_and_tells_the_end_in_the_thread() -> None:
    first = call("slack_bot", started(), secret="xoxb")
    assert first.url.endswith("/chat.postMessage")
    posted = judge("slack_bot", Answer(200, {}, b'{"ok": true, "channel": "C1", "ts": "1.2"}'))
    assert isinstance(posted, Accepted)
    update = call("slack_bot", finished(), posted.remote, "xoxb")
    assert update.url.endswith("/chat.update")
    assert json.loads(update.body)["ts"] == "1.2"
    updated = judge("slack_bot", Answer(200, {}, b'{"ok": true}'), finished(), posted.remote)
    assert isinstance(updated, Continued)
    thread = call("slack_bot", finished(), updated.remote, "xoxb")
    assert json.loads(thread.body)["thread_ts"] == "1.2"
    assert isinstance(judge("slack_bot", Answer(200, {}, b'{"ok": true}'), finished(), updated.remote), Accepted)


def test_a_webhook_is_signed_by_the_scheme() -> None:
    result = call("webhook", finished(), secret=f"whsec_{KEY}")
    signed = f"{result.headers['webhook-id']}.{result.headers['webhook-timestamp']}.".encode() + result.body
    expected = base64.b64encode(hmac.digest(b"k" * 32, signed, hashlib.sha256)).decode()
    assert result.headers["webhook-signature"] == f"v1,{expected}"
    content = json.loads(result.body)
    assert content["type"] == "job.finished"
    assert content["data"]["outcome"] == "SUCCEEDED"
    assert call("webhook", finished(), secret=f"whsec_{KEY}").headers["webhook-id"] == result.headers["webhook-id"]
    assert call("webhook", started(), secret=f"whsec_{KEY}").headers["webhook-id"] != result.headers["webhook-id"]
    with pytest.raises(ValueError, match="whsec_"):
        call("webhook", finished(), secret="plain")
