"""The pages of the console, made from example answers: what they show, and what they say when something is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC
from html.parser import HTMLParser
from typing import Any

import pytest

from amplify_jobs_console import static
from amplify_jobs_console.answers import RequestStory
from amplify_jobs_console.api import ApiError
from amplify_jobs_console.console import Console
from amplify_jobs_console.pages.actions import job_actions
from amplify_jobs_console.place import Place
from amplify_jobs_console.web import Request, Response
from tests.support.console_answers import (
    DOCS,
    FAILED,
    MODELS,
    NOW,
    REJECTED,
    RUNNING,
    SHOP,
    STORIES,
    STORY,
    WAITING,
    as_deployment,
)
from tests.support.console_api import API_URL, DELIVERY, ExampleApi, listed

PAGES = [
    "/",
    "/jobs",
    "/jobs?state=finished&app=shop",
    f"/jobs/{FAILED['requestId']}",
    f"/jobs/{FAILED['requestId']}?log=all",
    f"/jobs/{RUNNING['requestId']}",
    f"/jobs/{WAITING['requestId']}",
    f"/jobs/{REJECTED['requestId']}",
    f"/jobs/{MODELS['requestId']}",
    f"/branches/{SHOP}/main",
    "/branches/d3admin0000003/release%2F2026-11",
    "/deliveries",
    f"/deliveries/{DELIVERY['deliveryId']}",
    "/routes",
]


class Text(HTMLParser):
    """The text of a page, the texts of its buttons, and its ids."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self.buttons: list[str] = []
        self.ids: list[str] = []
        self._tag = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())
            if self._tag == "button":
                self.buttons.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def api() -> ExampleApi:
    return ExampleApi()


@pytest.fixture
def console(api: ExampleApi) -> Iterator[Console]:
    console = Console(api, Place("amplify-jobs", zone=UTC), now=lambda: NOW)
    yield console
    console.close()


def get(console: Console, address: str, **headers: str) -> Response:
    path, _, query = address.partition("?")
    sent_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = console.answer(Request("GET", path, query, {"sec-fetch-dest": "document", **sent_headers}))
    assert answer is not None
    return answer


def text(console: Console, address: str) -> str:
    return Text(get(console, address).body).text


@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_whole(console: Console, address: str) -> None:
    answer = get(console, address)
    page = Text(answer.body)
    assert answer.status == 200
    assert len(page.ids) == len(set(page.ids))
    assert "None" not in page.text
    # What the script looks for.
    assert {"health", "news", "fresh", "content"} <= set(page.ids)


def test_the_overview_answers_what_runs_what_waits_and_what_is_live(console: Console) -> None:
    shown = text(console, "/")
    for words in (
        "1 running · 1 waiting",
        "Let operators end a session admin / release/2026-11 #43 aa10b2c grace · push 48 s Running",
        "main live 103c857 2 h ago A package can't be installed: ERESOLVE react@19.0.0 Build again",
        "production nothing is live yet",
        "docs cron(0 3 * * ? *) Europe/Berlin 29 Nov 02:00 in 11 h",
        "No route wants this push: branch try-fonts does not match main",
    ):
        assert words in shown


def test_a_failed_job_says_why_who_and_what_was_built(console: Console) -> None:
    shown = text(console, f"/jobs/{FAILED['requestId']}")
    for words in (
        "Show the cart in the header #17 Failed after 1 min 32 s",
        "A package can't be installed: ERESOLVE react@19.0.0 Two packages need different versions",
        "Who can fix it the author of the commit",
        "Amplify built 6baa233 , not the commit of the event, 9f1e02d",
        "Triggered by ada , push to acme/mono main Delivery 91024057-87c1-11f0 Route shop",
        "Build 1 min 32 s",
        "team slack Waiting slack answered 503; the next try is in 5 minutes",
        "14:16:40 Job 17 failed in step BUILD.",
        "Median 1 min 10 s, longest 1 min 52 s; 3 of the last 11 jobs did not succeed.",
        "amplify-jobs jobs logs shop-cde836c2a17f4d0b",
    ):
        assert words in shown
    page = get(console, f"/jobs/{FAILED['requestId']}").body.decode()
    assert page.count('class="failing"') == 4
    assert '<a href="#line-126">Show the lines of the log</a>' in page


@pytest.mark.parametrize(
    ("request_id", "buttons"),
    [
        (FAILED["requestId"], ["Retry", "Build again", "Replay"]),
        (RUNNING["requestId"], ["Stop"]),
        (WAITING["requestId"], ["Stop"]),
        (REJECTED["requestId"], ["Retry", "Build again", "Replay"]),
        ("shop-0016", ["Build again", "Replay"]),
        ("shop-0012", ["Build again", "Replay"]),
        (MODELS["requestId"], ["Build again", "Replay"]),
    ],
)
def test_a_job_has_the_buttons_that_make_sense(console: Console, request_id: str, buttons: list[str]) -> None:
    page = Text(get(console, f"/jobs/{request_id}").body)
    assert [one for one in page.buttons if one not in ("Copy", "Build")] == buttons


@pytest.mark.parametrize(
    ("members", "buttons"),
    [
        # A route for pull requests takes values from one, so the request is made again.
        ({"trigger": "pull_request"}, [("Build again", "/jobs/shop-0016/retry"), ("Replay", "/jobs/shop-0016/replay")]),
        ({"trigger": "push"}, [("Build again", "/start"), ("Replay", "/jobs/shop-0016/replay")]),
        ({"operation": "remove_preview"}, [("Replay", "/jobs/shop-0016/replay")]),
    ],
)
def test_what_a_pull_request_asked_for_is_asked_for_again_but_no_removal(
    members: dict[str, str], buttons: list[tuple[str, str]]
) -> None:
    story = RequestStory.model_validate({**STORIES["shop-0016"], **members})
    assert [(action.label, "/" + "/".join(action.path)) for action in job_actions(story, is_live=True)] == buttons


@pytest.mark.parametrize(
    ("request_id", "parameters", "is_offered"),
    [
        ("shop-0012", {"artifact": "s3://releases/shop-1.4.zip"}, True),
        ("shop-0012", {"sourceUrl": "https://releases.example/shop-1.4.zip"}, True),
        # What was uploaded for a deployment can't be deployed twice.
        ("shop-0012", {"jobId": "12"}, False),
        # It is live.
        ("shop-0016", {"artifact": "s3://releases/shop-1.4.zip"}, False),
        (FAILED["requestId"], {"artifact": "s3://releases/shop-1.4.zip"}, False),
    ],
)
def test_what_was_deployed_from_an_address_can_be_live_again(
    api: ExampleApi, console: Console, request_id: str, parameters: dict[str, str], is_offered: bool
) -> None:
    api.answers[f"/requests/{request_id}"] = as_deployment(STORIES[request_id], **parameters)
    assert ("Make live again" in Text(get(console, f"/jobs/{request_id}").body).buttons) == is_offered


def test_a_branch_shows_its_badge_or_how_to_have_one(api: ExampleApi) -> None:
    console = Console(api, Place("amplify-jobs", zone=UTC, api_url=API_URL), now=lambda: NOW)
    shown = text(console, f"/branches/{SHOP}/main")
    assert f"{API_URL}/badges/kQ3c2a9vY0d1.svg Copy ![Build of shop main]({API_URL}/badges/" in shown
    assert "Badges are switched off. Deploy the stack with" in text(console, f"/branches/{DOCS}/main")
    api.failures["/branches"] = ApiError(503, "The index does not answer", "ask again later")
    assert "Badges are switched off" not in text(console, f"/branches/{SHOP}/main")
    console.close()


@pytest.mark.parametrize(
    ("answers", "address", "words"),
    [
        ({"/requests": listed([])}, "/jobs", "No job yet. A job appears here as soon as a route requests it."),
        ({"/requests": listed([])}, "/jobs?branch=nope", "No job meets these conditions. Show all, or write an app"),
        ({"/requests": listed([], "more")}, "/jobs", "No job on this page. Older jobs may follow."),
        ({"/branches": listed([])}, "/", "No app has had a job yet. Push routes with"),
        ({"/requests": listed([])}, "/", "Nothing runs. Push a commit to a repository that a route names"),
        ({"/schedules": listed([])}, "/", "Nothing is scheduled. A route with “schedule”"),
        ({"/deliveries": listed([])}, "/deliveries", "No delivery yet. Enter the webhook's address and secret"),
        ({"/routes": {"routes": {}}}, "/routes", "No routes are in effect. Write routes.yaml and push it"),
        ({"/requests": listed([])}, f"/branches/{DOCS}/main", "No job of this branch yet. Push to it"),
        ({"/health": {"warnings": ["The index is 9 minutes behind."]}}, "/", "The index is 9 minutes behind."),
    ],
)
def test_an_empty_page_says_what_to_do(
    api: ExampleApi, console: Console, answers: Any, address: str, words: str
) -> None:
    api.answers.update(answers)
    assert words in text(console, address)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "Check that the stack's address is right"),
        (403, "Your credentials need execute-api:Invoke"),
        (404, "the list shows those that it has"),
        (429, "the page tries again by itself"),
    ],
)
def test_an_error_of_the_api_is_a_page_that_says_what_to_do(
    api: ExampleApi, console: Console, status: int, words: str
) -> None:
    api.failures["/requests"] = ApiError(status, "The jobs can't be read", "the reason")
    answer = get(console, "/jobs")
    assert answer.status == (status or 502)
    assert "The jobs can't be read the reason" in Text(answer.body).text
    assert words in Text(answer.body).text


@pytest.mark.parametrize("path", ["/branches", "/schedules", "/deliveries", "/health"])
def test_a_part_that_can_not_be_read_leaves_the_rest(api: ExampleApi, console: Console, path: str) -> None:
    api.failures[path] = ApiError(503, "It fails", "for a minute")
    answer = get(console, "/")
    assert answer.status == 200
    assert "It fails for a minute" in Text(answer.body).text
    assert "1 running · 1 waiting" in Text(answer.body).text


def test_a_list_is_read_until_its_page_is_full(console: Console) -> None:
    shown = text(console, "/jobs")
    assert "Let operators end a session" in shown
    assert "Sort by price" in shown
    assert "Older jobs" not in shown
    assert "Older jobs" in text(
        Console(ExampleApi(answers={"/requests": listed([FAILED] * 9, "more")}), Place("x")), "/jobs"
    )


def test_a_job_is_shown_by_its_number_too(console: Console) -> None:
    answer = get(console, f"/jobs/{SHOP}/main/17")
    assert (answer.status, answer.headers["Location"]) == (302, f"/jobs/{FAILED['requestId']}")
    assert console.answer(Request("GET", f"/jobs/{SHOP}/main/99")) is None


def test_a_request_that_was_just_accepted_is_waited_for(console: Console) -> None:
    assert get(console, "/jobs/shop-new0001").status == 404
    answer = get(console, "/jobs/shop-new0001?order=retry")
    assert answer.status == 200
    assert 'data-refresh="3"' in answer.body.decode()


def test_a_page_is_sent_again_only_with_news(api: ExampleApi, console: Console) -> None:
    first = get(console, f"/jobs/{RUNNING['requestId']}")
    etag = first.headers["ETag"]
    later = Console(api, console.place, now=lambda: NOW.replace(minute=21), _logs=console._logs)
    assert get(later, f"/jobs/{RUNNING['requestId']}", if_none_match=etag).status == 304
    api.answers[f"/requests/{RUNNING['requestId']}"] = {**STORY, "requestId": RUNNING["requestId"]}
    assert get(later, f"/jobs/{RUNNING['requestId']}", if_none_match=etag).status == 200
    later.close()


@pytest.mark.parametrize(
    ("address", "seconds"), [("/", 3), (f"/jobs/{FAILED['requestId']}", 30), (f"/jobs/{RUNNING['requestId']}", 3)]
)
def test_a_page_looks_for_news_often_while_something_runs(console: Console, address: str, seconds: int) -> None:
    assert f'data-refresh="{seconds}"' in get(console, address).body.decode()


def test_no_script_or_style_but_its_own_runs(console: Console) -> None:
    answer = get(console, "/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_script_that_reads_a_page_does_not_get_the_token(console: Console) -> None:
    assert console.token.encode() in get(console, "/").body
    for dest in ("empty", "iframe", ""):
        assert console.token.encode() not in get(console, "/", sec_fetch_dest=dest).body


def test_what_is_nowhere_is_not_answered(console: Console) -> None:
    for path in ("/nope", "/static/../console.py", "/static/nope", "/jobs/a/b/c/d", "/branches/x"):
        assert console.answer(Request("GET", path)) is None
    assert console.answer(Request("POST", "/jobs")) is None
    assert console.answer(Request("DELETE", "/")) is None
    for name in ("console.css", "console.js", "inter-latin.woff2", "icon.svg"):
        assert get(console, f"/static/{name}").status == 200


def test_nothing_is_asked_for_an_address_that_is_nowhere() -> None:
    """On the local cloud it may be a build's log, which is asked for all the time."""

    class NoApi(ExampleApi):
        def get(self, path: str, query: Mapping[str, str]) -> Any:
            raise AssertionError(f"{path} was asked for")

    console = Console(NoApi(), Place("local cloud", base="/_local", zone=UTC), now=lambda: NOW)
    console.close()
    assert console.answer(Request("GET", "/_local/files/5/BUILD.log")) is None


def test_the_font_is_the_published_file() -> None:
    """@fontsource-variable/inter 5.3.0, files/inter-latin-wght-normal.woff2."""
    content = static.read_static("inter-latin.woff2") or b""
    digest = "3100e775e8616cd2611beecfa23a4263d7037586789b43f035236a2e6fbd4c62"
    assert hashlib.sha256(content).hexdigest() == digest


def test_all_addresses_are_below_the_base(api: ExampleApi) -> None:
    console = Console(api, Place("local cloud", base="/_local", zone=UTC), now=lambda: NOW)
    for address in PAGES:
        page = get(console, f"/_local{address}").body.decode()
        for attribute in ("href", "action", "src"):
            for link in page.split(f'{attribute}="')[1:]:
                assert link.startswith(("/_local/", "https://", '"', "#")), link[:80]
    assert console.answer(Request("GET", "/_localx")) is None
    assert console.answer(Request("GET", "/jobs")) is None
    console.close()
