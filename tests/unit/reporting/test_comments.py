"""Comments on pull requests: one a context, whatever is lost, repeated, late, deleted or copied; texts do nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.model.failure import Failure
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.reporting.hosts import HOSTS, host_of
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.kinds.comment_text import comment_text
from amplify_jobs.reporting.kinds.markdown import code, inert
from amplify_jobs.reporting.planning import Plan, plan
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.sending import ReportRetryError, Result, Sender
from amplify_jobs.routing.routes import Routes
from tests.support.announced import COMMIT, JOB, REQUESTED, finished, rejected, started
from tests.support.host_comments import COMMENT_LISTS, WHOLE_PAGE
from tests.support.host_wire import BASE, Fault, HostWire, answers, lost
from tests.support.report_fakes import Notices, Records, Secrets, until_sent

TOKEN = "/amplify-jobs/secrets/token"
every_host = pytest.mark.parametrize("provider", sorted(HOSTS))


def destination(provider: str, **members: Any) -> Destination:
    target = {"kind": "pull_request_comment", "source": "host", "token": TOKEN, "api": BASE, **members}
    sources = {"host": {"provider": provider, "secrets": ["/amplify-jobs/secrets/host"]}}
    return destinations(Routes.model_validate({"sources": sources, "routes": {}, "reports": {"comments": target}}))[0]


def of_pull_request(report: Report, number: int | None = 7, **members: Any) -> Report:
    changes = {"source": "host", "kind": "pull_request", "pull_request": number, **members}
    cause = report.cause.model_copy(update=changes)
    return Report(report.detail_type, report.detail.model_copy(update={"cause": cause}))


@dataclass
class World:
    provider: str
    records: Records = field(default_factory=Records)
    notices: Notices = field(default_factory=Notices)
    members: dict[str, Any] = field(default_factory=dict)
    wire: HostWire = field(init=False)

    def __post_init__(self) -> None:
        # As the headers of each host have it, so that the stand-in knows who wrote a comment.
        self.wire = HostWire(self.provider)

    def send(self, report: Report) -> Result:
        sender = Sender(
            records=self.records, secrets=Secrets(), http=self.wire, notices=self.notices, clock=lambda: 1_000.0
        )
        where = destination(self.provider, **self.members)
        (planned,) = plan([where], report)
        return sender.send(where, planned, report).result

    def until_sent(self, report: Report) -> Result:
        return until_sent(lambda: self.send(report))

    def listed(self) -> list[tuple[str, str]]:
        comments = COMMENT_LISTS[self.provider]
        members: dict[str, str] = {}
        for page in (1, 2):
            pages = {"page": str(page), "start": str(100 * (page - 1))}
            members |= dict(comments.read(self.wire.ask("GET", comments.of(7), **WHOLE_PAGE, **pages)))
        return list(members.items())

    def texts(self) -> list[str]:
        return [text for _, text in self.listed()]

    def write(self, text: str) -> None:
        """Comment as somebody else."""
        content = {"body": text, "text": text, "content": {"raw": text}, "comments": [{"content": text}]}
        path = COMMENT_LISTS[self.provider].of(7).replace("activities", "comments")
        self.wire.ask("POST", path, content, **{"api-version": "7"})

    def delete(self, identity: str) -> None:
        base = COMMENT_LISTS[self.provider].of(7)
        path, query = f"{base}/{identity}", {"api-version": "7.1"}
        match self.provider:
            case "github" | "gitea" | "forgejo":
                path = f"/repos/acme/web/issues/comments/{identity}"
            case "bitbucket-server":
                path = f"{base.replace('activities', 'comments')}/{identity}"
                query["version"] = str(self.wire.ask("GET", path)["version"])
            case "azure-devops":
                path = f"{base}/{identity}/comments/1"
        self.wire.ask("DELETE", path, **query)


@every_host
def test_one_comment_is_made_and_kept_up_to_date(provider: str) -> None:
    world = World(provider)
    world.write("Looks good to me")
    assert world.send(of_pull_request(started())) is Result.SENT
    (begun,) = [text for text in world.texts() if "amplify-jobs" in text]
    assert "started" in begun
    failure = Failure(cause="x", summary="Module not found", advice="Add it", command="npm ci", excerpt="a\nb")
    failed = finished(Outcome.FAILED, failure=failure)
    assert world.send(of_pull_request(failed)) is Result.SENT
    newer: dict[str, Any] = {"request_id": "web-2", "requested_at": REQUESTED + timedelta(minutes=5)}
    (text,) = [text for text in world.texts() if "amplify-jobs" in text]
    for words in ("failed after 1 min 35 s", "Module not found", "Add it", "npm ci", COMMIT[:12], "    a\n    b"):
        assert words in text
    assert "https://console.example/17" in text
    assert world.send(of_pull_request(finished(**newer))) is Result.SENT
    (text,) = [text for text in world.texts() if "amplify-jobs" in text]
    assert "succeeded" in text
    assert "Preview:** [main\\.d1a2b3c4d5e6\\.amplifyapp\\.com](https://main.d1a2b3c4d5e6.amplifyapp.com)" in text
    assert "Module not found" not in text
    assert len(world.texts()) == 2


@every_host
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=7),
    st.lists(
        st.sampled_from([None, None, None, lost, answers(503), answers(429, **{"retry-after": "3"})]), max_size=12
    ),
)
def test_whatever_is_lost_late_or_repeated_there_is_one_comment_with_the_newest_state(
    provider: str, order: list[int], faults: list[Fault | None]
) -> None:
    second: dict[str, Any] = {"request_id": "web-2", "requested_at": REQUESTED + timedelta(seconds=1)}
    reports = [started(), finished(Outcome.FAILED), started(**second), finished(**second), rejected()]
    world = World(provider)
    world.wire.faults = list(faults)
    for number in order:
        world.until_sent(of_pull_request(reports[number]))
    (text,) = world.texts()
    newest = max((reports[number] for number in order), key=lambda report: report.version)
    assert {"pending": "started", "succeeded": "succeeded", "failed": "failed", "error": "no job was"}[
        newest.state
    ] in text
    assert world.notices.told == []


@every_host
def test_a_comment_whose_record_is_lost_is_found_among_many_and_a_copy_of_its_marker_is_not_taken(
    provider: str,
) -> None:
    world = World(provider)
    for number in range(130):
        world.write(f"Comment {number}")
    world.send(of_pull_request(started()))
    (entries,) = [text for text in world.texts() if text.startswith("[//]: # (amplify-jobs ")]
    world.write(entries)
    world.write(f"> {entries}")
    world.records.records.clear()
    assert world.until_sent(of_pull_request(finished())) is Result.SENT
    texts = world.texts()
    assert len([text for text in texts if "succeeded" in text]) == 1
    assert len([text for text in texts if "started" in text]) == 2


@every_host
def test_a_comment_that_was_made_behind_many_is_found_where_the_answer_was_lost(provider: str) -> None:
    world = World(provider)
    for number in range(130):
        world.write(f"Comment {number}")
    world.wire.lost_methods = ["POST"]
    assert world.until_sent(of_pull_request(started())) is Result.SENT
    assert len([text for text in world.texts() if "started" in text]) == 1


@every_host
def test_a_comment_of_somebody_else_with_our_marker_is_left_alone(provider: str) -> None:
    world = World(provider, members={"token": "/amplify-jobs/secrets/earlier"})
    world.send(of_pull_request(started()))
    world.records.records.clear()
    world.members.clear()
    assert world.until_sent(of_pull_request(finished())) is Result.SENT
    first, second = sorted(world.texts(), key=lambda text: "succeeded" in text)
    assert "started" in first
    assert "succeeded" in second
    assert world.notices.told == []


@every_host
def test_a_deleted_comment_is_made_again(provider: str) -> None:
    world = World(provider)
    world.send(of_pull_request(started()))
    ((identity, _),) = world.listed()
    world.delete(identity)
    assert world.texts() == []
    world.wire.lost_methods = ["POST"]
    assert world.until_sent(of_pull_request(finished())) is Result.SENT
    (text,) = world.texts()
    assert "succeeded" in text


@every_host
def test_comments_of_two_routes_and_of_two_stacks_are_apart(provider: str) -> None:
    world = World(provider)
    world.send(of_pull_request(started()))
    world.send(of_pull_request(started(route="docs", request_id="docs-1")))
    world.records.records.clear()
    execution = "arn:aws:states:eu-west-1:123456789012:execution:other-job:web-9"
    world.send(of_pull_request(started(execution=execution, request_id="web-9")))
    assert len(world.texts()) == 3


@every_host
def test_a_push_is_no_pull_request_and_a_token_is_for_its_source(provider: str) -> None:
    where = destination(provider)
    assert list(plan([where], of_pull_request(started(), number=None))) == []
    assert list(plan([where], of_pull_request(started(), source="other"))) == []
    assert [each.target for each in plan([where], of_pull_request(rejected()))] == ["comments"]


@pytest.mark.parametrize(
    ("provider", "fault", "result"),
    [
        *((provider, answers(401), Result.STOPPED) for provider in HOSTS),
        *((provider, answers(410), Result.STOPPED) for provider in HOSTS if provider != "gitlab"),
        *((provider, answers(404), Result.REFUSED) for provider in HOSTS),
        ("github", answers(403, "Resource not accessible by personal access token"), Result.STOPPED),
        ("github", answers(403, "Unable to create comment because issue is locked."), Result.REFUSED),
        ("github", answers(403, "Repository was archived so is read-only."), Result.REFUSED),
        ("github", answers(422, "Validation Failed: body is too long"), Result.REFUSED),
        ("gitlab", answers(403, "403 Forbidden"), Result.REFUSED),
        ("gitea", answers(423, "repo is archived"), Result.REFUSED),
        ("azure-devops", answers(203), Result.STOPPED),
        ("azure-devops", answers(302), Result.STOPPED),
    ],
)
def test_answers(provider: str, fault: Fault, result: Result) -> None:
    for before in (0, 1):
        world = World(provider)
        world.wire.faults = [*[None] * before, fault]
        assert world.until_sent(of_pull_request(started())) is result
        assert world.texts() == []


def test_a_rate_limit_is_waited_for() -> None:
    world = World("github")
    world.wire.faults = [None, answers(403, "You have exceeded a secondary rate limit", **{"retry-after": "90"})]
    with pytest.raises(ReportRetryError) as raised:
        world.send(of_pull_request(started()))
    assert raised.value.after_seconds == 90
    assert world.send(of_pull_request(started())) is Result.SENT


def test_a_comment_that_changed_at_bitbucket_while_it_was_read_is_changed_later() -> None:
    world = World("bitbucket-server")
    world.send(of_pull_request(started()))
    world.wire.faults = [None, answers(409)]
    assert world.until_sent(of_pull_request(finished())) is Result.SENT
    assert "succeeded" in world.texts()[0]


def test_a_thread_of_azure_keeps_nobody_from_merging() -> None:
    world = World("azure-devops")
    world.send(of_pull_request(started()))
    assert [call.content["status"] for call in world.wire.calls if call.method == "POST"] == ["closed"]


# ---------------------------------------------------------------- texts

HOSTILE = (
    "@here @everyone @channel @acme/team @ada",
    "<img src=x onerror=alert(1)> <script>x</script> <!-- x -->",
    "![x](https://evil.example/x.png) [y](javascript:alert(1))",
    "| a | b |\n|---|---|\n| c | d |",
    "```\n/close\n````\n~~~\n/merge\n~~~",
    "/close\n/assign @ada\n/approve",
    "# H\n> q\n* i\n1. n\n---\n    code",
    '#12 !34 acme/web#5 $1 %"v1" ~bug &7 fixes #1',
    "https://evil.example www.evil.example http://evil.example/@ada",
    "a\u202ednuor\u202c \u2066x\u2069 \u200f",
    "x" * 10_000,
    "&<>|~*_`[]()!@#" * 700,
)


def hostile_report(text: str) -> Report:
    failure = Failure(cause="x", summary=text, advice=text, phase=text, command=text, excerpt=text[:1_500])
    report = of_pull_request(
        finished(
            Outcome.FAILED,
            failure=failure,
            job=JOB.model_copy(update={"app_name": text[:255], "branch_name": text[:255]}),
        ),
        message=text,
        author=text,
    )
    # As it came over the bus: announcements have no controls, and texts of at most 1,000 characters.
    return Report.from_event(report.detail_type.value, report.detail.model_dump(mode="json", by_alias=True))


@every_host
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_do_nothing(provider: str, text: str) -> None:
    where, report = destination(provider), hostile_report(text)
    world = World(provider)
    assert world.send(report) is Result.SENT
    (body,) = world.texts()
    assert len(body) <= host_of(where).COMMENT_LIMIT
    assert harmful(body) == []


def harmful(body: str) -> list[str]:
    """What of a comment a host would act on."""
    marker, _, rest = body.partition("\n")
    assert re.fullmatch(r"\[//\]: # \(amplify-jobs [0-9a-f]{32}\)", marker)
    items: list[str] = []
    for line in rest.splitlines():
        is_code = line.startswith("    ")
        items += re.findall(r"@[\w{<]", line)
        if is_code:
            continue
        assert line == "" or line.startswith(("### ", "- **", "**Log:**")), line
        items += re.findall(r"[<>|~]", line)
        items += re.findall(r"(?<!\\)(?:!\[|`|_)", line)
        links = re.findall(r"\[[^\]\n]*\]\((https://[^\s()]+)\)", line)
        assert all(link.startswith(("https://console.example/", "https://main.d1a2")) for link in links)
        shown = re.sub(r"\]\(https://[^\s()]+\)", "", line)
        items += re.findall(r"(?i)https?://|\bwww\.|(?<![&\w])[#!$%~](?=\w)", shown)
        items += re.findall("[\u202a-\u202e\u2066-\u2069\u200f]", line)
    return items


@given(st.text(max_size=200))
def test_a_text_shows_as_it_is_on_one_line(text: str) -> None:
    result = inert(text)
    assert "\n" not in result
    plain = re.sub(r"\\([\\`*_{}\[\]()#+\-.!])", r"\1", result)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&#124;", "|"), ("&#126;", "~"), ("&amp;", "&")):
        plain = plain.replace(entity, character)
    assert plain.replace("\u2060", "") == " ".join(text.split()).replace("\u2060", "")


@given(st.text(max_size=300))
def test_code_has_no_end_that_it_could_write(text: str) -> None:
    assert [line for line in code(text).split("\n") if line and not line.startswith("    ")] == []


@pytest.mark.parametrize("limit", [400, 800, 2_000, 10_240])
def test_what_does_not_fit_is_left_out_from_the_end(limit: int) -> None:
    text = comment_text(hostile_report("&" * 10_000), limit, "[//]: # (amplify-jobs x)")
    whole = comment_text(hostile_report("&" * 10_000), 1_000_000, "[//]: # (amplify-jobs x)")
    # The marker and the title are never left out.
    assert len(text) <= max(limit, text.index("\n", text.index("\n### ") + 1) + 1)
    assert whole.startswith(text)


def test_the_subject_keeps_pull_requests_and_contexts_apart() -> None:
    where = destination("github", context="previews {branch}")
    subjects = {
        kind_of(where).subject(where, of_pull_request(started(), number=number, repository=repository))
        for number in (7, 8)
        for repository in ("acme/web", "acme/docs")
    }
    assert len(subjects) == 4
    assert Plan("comments", "acme/web pull request 7 previews main").subject in subjects
