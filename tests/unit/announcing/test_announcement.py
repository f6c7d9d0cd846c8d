"""What is announced: for people, for programs, and what must never be in it."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from amplify_jobs.announcing.announcement import (
    Announcement,
    DetailType,
    JobFinished,
    JobRejected,
    JobStarted,
    Outcome,
)
from amplify_jobs.announcing.compose import AppNames, links
from amplify_jobs.announcing.notification import readable_request
from amplify_jobs.announcing.text import SUBJECT_LIMIT, attributes, duration, subject, text
from amplify_jobs.model.job import Job, JobState, State, Step
from amplify_jobs.model.request import Cause
from amplify_jobs.text import TEXT_LIMIT, presentable
from tests.support.announcements import EXECUTION, FAILED, JOB, NAMES, NOW, REQUEST, STACK, finished, rejected, started
from tools import write_schemas


def test_a_failed_job() -> None:
    detail = finished(REQUEST, FAILED)
    assert subject(detail) == "FAILED: web feature/header #7 (8920543)"
    assert text(detail) == (
        "web · feature/header · job 7 FAILED after 3 min 12 s\n"
        "\n"
        "Failed step: BUILD\n"
        "Reason: npm ci failed\n"
        "Commit: 89205432f5b7 Fix the header\n"
        "Author: Ada\n"
        "Triggered by: push to acme/web, route web\n"
        "Console: https://eu-west-1.console.aws.amazon.com/amplify/apps/d1a2b3c4d5e6/branches/feature%2Fheader"
        "/deployments/7\n"
        "Site: https://feature-header.d1a2b3c4d5e6.amplifyapp.com/\n"
        "Request: web-0123456789abcdef0123456789abcdef\n"
        f"Execution: {EXECUTION}\n"
    )
    assert (detail.outcome, detail.duration_seconds) == (Outcome.FAILED, 192)


@pytest.mark.parametrize("kind", ["started", "finished", "rejected"])
def test_the_reason_that_a_sender_gave_is_shown(kind: str) -> None:
    cause = Cause(source="cms", kind="request", reason="corrected by\nada@example.com")
    request = REQUEST.model_copy(update={"cause": cause})
    detail: Announcement = started(request, JobState(job=JOB, state=State.WAITING))
    if kind == "finished":
        detail = finished(request, FAILED)
    elif kind == "rejected":
        detail = rejected(request, "wrong")
    assert "\nTriggered by: request, route web\nAsked because: corrected by (address left out)\n" in text(detail)
    assert "ada@example.com" not in detail.model_dump_json()


def test_a_started_job() -> None:
    waiting = JobState(job=JOB, state=State.WAITING, started_at=NOW)
    detail = started(REQUEST, waiting)
    assert subject(detail) == "Started: web feature/header #7 (8920543)"
    assert text(detail).startswith(
        "web · feature/header · job 7 started, and waits in Amplify's queue until it can run\n"
        "\n"
        "Commit: 89205432f5b7 Fix the header\n"
    )


def test_a_rejected_request() -> None:
    detail = rejected(REQUEST, "parameters.jobType: wrong")
    assert subject(detail) == "Rejected: web feature/header (8920543)"
    assert text(detail).startswith("web · feature/header · no job was started\n\nReason: parameters.jobType: wrong\n")


@pytest.mark.parametrize(
    ("state", "outcome", "headline"),
    [
        (State.SUCCEEDED, "SUCCEEDED", "job 7 SUCCEEDED after 3 min 12 s"),
        (State.CANCELLED, "CANCELLED", "job 7 CANCELLED after 3 min 12 s"),
        # It may run still: how long it took is not known.
        (State.TIMED_OUT, "TIMED_OUT", "job 7 TIMED_OUT"),
        (State.RUNNING, "UNKNOWN", "job 7 is no longer followed"),
        (State.WAITING, "UNKNOWN", "job 7 is no longer followed"),
    ],
)
def test_outcomes(state: State, outcome: str, headline: str) -> None:
    ended = FAILED.model_copy(update={"state": state})
    if not state.is_outcome:
        ended = ended.model_copy(update={"finished_at": None})
    detail = finished(REQUEST, ended)
    assert detail.outcome == outcome
    assert text(detail).splitlines()[0] == f"web · feature/header · {headline}"


def test_links_to_what_is_gone_are_left_out() -> None:
    assert links(FAILED.model_copy(update={"gone": True}), NAMES, STACK).model_dump() == {
        "console": None,
        "site": "https://feature-header.d1a2b3c4d5e6.amplifyapp.com/",
    }
    no_app = links(FAILED, NAMES.model_copy(update={"exists": False}), STACK)
    assert (no_app.console, no_app.site) == (None, None)


def test_a_branch_of_any_name_is_one_segment_of_a_link() -> None:
    job = JOB.model_copy(update={"branch_name": "fix/#12-50%-<b>@all"})
    console = links(FAILED.model_copy(update={"job": job}), NAMES, STACK).console
    assert console is not None
    assert "/branches/fix%2F%2312-50%25-%3Cb%3E%40all/deployments/" in console


def test_what_was_known_before_fills_in_and_an_app_keeps_its_name() -> None:
    gone = AppNames(exists=False).fill_from(NAMES)
    assert gone == NAMES.model_copy(update={"exists": False})
    renamed = NAMES.model_copy(update={"app_name": "site", "display_name": "main"}).fill_from(NAMES)
    assert renamed == NAMES.model_copy(update={"display_name": "main"})
    assert AppNames(app_name="web").fill_from(AppNames()) == AppNames(app_name="web")


def test_what_amplify_did_not_tell_is_left_out() -> None:
    detail = finished(REQUEST, FAILED, AppNames())
    assert subject(detail) == "FAILED: d1a2b3c4d5e6 feature/header #7 (8920543)"
    assert detail.links.site is None
    assert "Site:" not in text(detail)


def test_a_pattern_without_values_is_a_link_as_it_is_and_an_empty_one_is_none() -> None:
    place = STACK.model_copy(update={"console_url": "http://127.0.0.1:4566/console", "site_url": ""})
    assert links(FAILED, AppNames(), place).console == "http://127.0.0.1:4566/console"
    assert links(FAILED, NAMES, place).site is None


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (0, "less than a second"),
        (1, "1 s"),
        (60, "1 min"),
        (192, "3 min 12 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
        (86_400, "24 h"),
    ],
)
def test_durations(seconds: int, message: str) -> None:
    assert duration(seconds) == message


# ---------------------------------------------------------------- what must never be in it


@pytest.mark.parametrize(
    ("foreign", "published"),
    [
        (None, None),
        ("", ""),
        ("npm ci failed", "npm ci failed"),
        ("see https://b.s3.amazonaws.com/log?X-Amz-Signature=abc now", "see https://b.s3.amazonaws.com/log now"),
        ("see HTTPS://b.s3.amazonaws.com/log?X-Amz-Signature=abc now", "see HTTPS://b.s3.amazonaws.com/log now"),
        ("https://example.com/a#access_token=abc", "https://example.com/a"),
        ("thanks to ada@example.com, and others", "thanks to (address left out), and others"),
        ("Ada <ada@example.com>", "Ada <(address left out)>"),
        ("cloning https://user:token@example.com/acme/web", "cloning https://example.com/acme/web"),
        ("cloning https://token@git:8443/acme/web?x=1", "cloning https://git:8443/acme/web"),
        ("npm ERR! react@18.2.0 and @aws/sdk@3.1.0 differ", "npm ERR! react@18.2.0 and @aws/sdk@3.1.0 differ"),
    ],
)
def test_foreign_text_is_made_presentable(foreign: str | None, published: str | None) -> None:
    assert presentable(foreign) == published


@given(st.text(max_size=3_000))
def test_foreign_text_is_never_too_long(foreign: str) -> None:
    assert len(str(presentable(foreign))) <= TEXT_LIMIT


# Made, not written: Hypothesis draws texts that the source holds, and one of them would look like a leak.
SIGNATURE, ADDRESS = "f0" * 32, "ada" * 5 + "@example.com"
some_text = (
    st.none()
    | st.text(max_size=300)
    | st.sampled_from(
        [
            ADDRESS,
            f"https://x.example/y?X-Amz-Signature={SIGNATURE}",
            "a\nConsole: https://evil.example",
            "Site: \x85 x",
        ]
    )
)
names = st.builds(AppNames, app_name=some_text, default_domain=st.none() | st.text(), display_name=st.text())
causes = st.builds(
    Cause,
    source=st.text(),
    kind=st.text(),
    repository=st.none() | st.text(),
    branch=st.none() | st.text(),
    commit=st.none() | st.text(),
    message=some_text,
    author=some_text,
    reason=some_text,
)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
job_steps = st.builds(
    Step, name=st.text(), status=st.sampled_from(["FAILED", "SUCCEED", "x"]), started_at=moments, reason=some_text
)
job_ids = st.integers(min_value=1).map(str)
states = st.builds(
    JobState,
    job=st.builds(Job, operation=st.just("start_job"), app_id=st.text(), branch_name=st.text(), job_id=job_ids),
    state=st.sampled_from(State),
    status=st.none() | st.text(),
    started_at=moments,
    finished_at=moments,
    reason=some_text,
    steps=st.lists(job_steps, max_size=3).map(tuple),
)
requests = st.builds(
    lambda cause, parameters: REQUEST.model_copy(update={"cause": cause, "parameters": parameters}),
    causes,
    st.dictionaries(st.sampled_from(["appId", "branchName"]), st.text() | st.integers() | st.none()),
)
announcements = st.one_of(
    st.builds(started, requests, states, names),
    st.builds(finished, requests, states, names),
    st.builds(rejected, requests, st.text(), names),
)


@given(announcements)
def test_a_subject_is_what_sns_takes(detail: Announcement) -> None:
    """API: SNS Publish, Subject: ASCII, no line breaks or control characters, fewer than 100 characters."""
    line = subject(detail)
    assert 1 <= len(line) <= SUBJECT_LIMIT
    assert all(" " <= character <= "~" for character in line)
    assert not line.startswith(" ")


@given(announcements)
def test_only_what_has_a_label_of_ours_looks_like_it(detail: Announcement) -> None:
    """No value from outside adds a line, whatever it holds: another Console, above the one that is true."""
    message = text(detail)
    labels = [line.partition(": ")[0] for line in message.splitlines() if re.match(r"[A-Z][\w ]+: ", line)]
    labels_in_order = [label for label in LABELS for _ in range(labels.count(label))]
    assert labels == labels_in_order
    assert all(labels.count(label) <= 1 for label in labels)
    assert all(category not in ("Cc", "Zl", "Zp") for category in map(unicodedata.category, message.replace("\n", "")))


LABELS = (
    "Failed step",
    "Attempts",
    "Reason",
    "Commit",
    "Author",
    "Triggered by",
    "Asked because",
    "Console",
    "Site",
    "Request",
    "Execution",
)
FORGED = "Zoë\r\nConsole: https://evil.example\u2028Console: https://evil.example\x85Site: x\x1b]0;pwned\x07\u202e"


def test_a_name_with_line_breaks_forges_no_line() -> None:
    request = REQUEST.model_copy(
        update={"cause": Cause(source="cms", kind="push", repository=FORGED, author=FORGED, message=FORGED)}
    )
    ended = FAILED.model_copy(
        update={"reason": FORGED, "steps": (Step(name=FORGED, status="FAILED", reason=FORGED),), "job": JOB}
    )
    detail = finished(request, ended, NAMES.model_copy(update={"app_name": FORGED}))
    lines = text(detail).splitlines()
    assert [line for line in lines if line.startswith(("Console:", "Site:"))] == [
        f"Console: {detail.links.console}",
        f"Site: {detail.links.site}",
    ]
    # Programs get the texts too: without what makes a terminal or a reader do things.
    for published in (text(detail), detail.model_dump_json()):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\\\\u00", published)


def test_the_further_lines_of_a_reason_are_kept_and_indented() -> None:
    detail = finished(REQUEST, FAILED.model_copy(update={"reason": "npm ci failed\nSite: nowhere"}))
    assert "\nReason: npm ci failed\n    Site: nowhere\n" in text(detail)


@pytest.mark.parametrize("length", [20, 80, 255])
def test_a_long_name_of_an_app_leaves_room_for_what_happened(length: int) -> None:
    long = NAMES.model_copy(update={"app_name": "w" * length})
    line = subject(finished(REQUEST, FAILED, long))
    assert line.startswith("FAILED: www")
    assert line.endswith(" feature/header #7 (8920543)")
    assert len(line) == min(len(f"FAILED: {'w' * length} feature/header #7 (8920543)"), SUBJECT_LIMIT)


def test_long_names_of_an_app_and_a_branch_leave_room_for_the_job_and_its_commit() -> None:
    job = JOB.model_copy(update={"branch_name": "b" * 255})
    long = NAMES.model_copy(update={"app_name": "w" * 255})
    line = subject(finished(REQUEST, FAILED.model_copy(update={"job": job}), long))
    assert re.fullmatch(r"FAILED: w{10,}\.\.\. b{10,}\.\.\. #7 \(8920543\)", line)


def test_what_filters_of_subscriptions_can_go_by() -> None:
    ended = finished(REQUEST, FAILED)
    common = {"appId": "d1a2b3c4d5e6", "branchName": "feature/header", "route": "web"}
    assert attributes(DetailType.JOB_FINISHED, ended) == {
        "detailType": "Job Finished",
        "outcome": "FAILED",
        **common,
    }
    begun = started(REQUEST, FAILED)
    assert attributes(DetailType.JOB_STARTED, begun) == {"detailType": "Job Started", **common}
    refused = rejected(REQUEST, "no")
    assert attributes(DetailType.JOB_REJECTED, refused) == {
        "detailType": "Job Rejected",
        "outcome": "REJECTED",
        **common,
    }
    nobody = rejected(readable_request({}, EXECUTION, NOW), "no", AppNames())
    assert attributes(DetailType.JOB_REJECTED, nobody) == {"detailType": "Job Rejected", "outcome": "REJECTED"}


def test_a_name_of_nothing_that_can_be_shown_is_no_attribute() -> None:
    blank = rejected(REQUEST.model_copy(update={"route": "\u202e \t"}), "no")
    assert "route" not in attributes(DetailType.JOB_REJECTED, blank)


@given(announcements)
def test_attributes_are_what_sns_takes(detail: Announcement) -> None:
    for value in attributes(DETAIL_TYPES[type(detail)], detail).values():
        assert value
        assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in value)


@given(announcements)
def test_no_announcement_holds_an_address_or_a_signature(detail: Announcement) -> None:
    for published in (subject(detail), text(detail), detail.model_dump_json(by_alias=True)):
        assert ADDRESS not in published
        assert SIGNATURE not in published


DETAIL_TYPES = {
    JobStarted: DetailType.JOB_STARTED,
    JobFinished: DetailType.JOB_FINISHED,
    JobRejected: DetailType.JOB_REJECTED,
}
VALIDATORS = {
    detail_type: Draft202012Validator(json.loads(write_schemas.path(detail_type).read_text(encoding="utf-8")))
    for detail_type in DetailType
}


@given(announcements)
def test_every_detail_is_as_its_published_schema_says(detail: Announcement) -> None:
    published: Any = json.loads(detail.model_dump_json(by_alias=True))
    VALIDATORS[DETAIL_TYPES[type(detail)]].validate(published)
    assert type(detail).model_validate(published) == detail


@pytest.mark.parametrize("detail_type", DetailType)
def test_the_published_schemas_are_those_of_the_models(detail_type: DetailType) -> None:
    written = write_schemas.path(detail_type).read_text(encoding="utf-8")
    assert written == write_schemas.text(detail_type), "run: .venv/bin/python -m tools.write_schemas"
    Draft202012Validator.check_schema(json.loads(written))


def test_the_schemas_refuse_what_is_no_announcement() -> None:
    detail = json.loads(finished(REQUEST, FAILED).model_dump_json(by_alias=True))
    valid = VALIDATORS[DetailType.JOB_FINISHED].is_valid
    assert valid(detail)
    assert valid({**detail, "added": "by a later version"})
    assert not valid({**detail, "version": "2"})
    assert not valid({**detail, "outcome": "MAYBE"})
    assert not valid({name: value for name, value in detail.items() if name != "requestId"})


# ---------------------------------------------------------------- requests that can't be read


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"operation": 5, "parameters": []}])
def test_a_request_that_cannot_be_read_is_named_by_its_execution(raw: object) -> None:
    request = readable_request(raw, EXECUTION, NOW)
    detail = rejected(request, "requestId: Field required", AppNames())
    assert detail.request_id == REQUEST.request_id
    assert detail.cause is not None
    assert detail.cause.kind == "unknown"
    assert subject(detail) == f"Rejected: {REQUEST.request_id}"


def test_what_can_be_read_of_a_request_is_kept() -> None:
    raw = {"operation": "start_job", "parameters": {"appId": "d1", "branchName": "main"}, "timeoutMinutes": 0}
    detail = rejected(readable_request(raw, EXECUTION, NOW), "no", AppNames())
    assert (detail.operation, detail.app_id, detail.branch_name) == ("start_job", "d1", "main")
