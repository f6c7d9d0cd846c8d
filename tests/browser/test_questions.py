"""The questions and buttons of docs/console.md, asked and pressed in a browser on a running stack."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.examples import zipped_site
from tests.support.browser import Browser, Tab
from tests.support.signed_calls import call
from tests.support.team import Team

pytestmark = pytest.mark.browser

PAGE = Path(__file__).parents[2] / "docs" / "console.md"
CHAT = "/amplify-jobs/secrets/reports/chat"
NIGHT = {"schedule": {"expression": "cron(0 3 * * ? *)", "timezone": "Europe/Berlin"}}


def table(title: str) -> list[str]:
    """The first cells of the table below a heading of docs/console.md."""
    section = PAGE.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return [row.split(" | ")[0].removeprefix("| ") for row in re.findall(r"^\| .+", section, re.MULTILINE)][2:]


# Question -> what is clicked on the first page, if anything, and what is then there to read.
ANSWERS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "What is building now?": (None, ("1 running", "Take your time")),
    "Why did the last build fail? Its log?": (
        ".app .row-reason a[href$='{broken}']",
        ("uses a folder or file that does not exist", "Correct the path", "cannot stat 'nothing-there'"),
    ),
    "Which commit is live?": (None, ("live", "{commit}")),
    "Who or what triggered job 17?": ("#recent a[href$='{fine}']", ("Triggered by\nada, push to acme/fine main",)),
    "Cancel this build": ("#now a[href$='{slow}']", ("Stop",)),
    "Build main again": (None, ("Build again",)),
    "Was my push received? Why is there no build?": (
        "#deliveries a[href$='{draft}']",
        ("branch draft does not match main, release/*",),
    ),
    "Wait in CI, and fail if the build fails": (
        "#apps a[href$='{fine_app}/main']",
        ("amplify-jobs jobs wait --app {fine_app} --branch main",),
    ),
    "Show a build badge": ("#apps a[href$='{fine_app}/main']", ("![Build of fine main]({api}/badges/",)),
    "Are Slack and the commit told?": ("#recent a[href$='{fine}']", ("Job Finished", "chat", "Sent")),
    "Deploy the earlier version again": ("#recent a[href$='{first}']", ("Make live again",)),
    "What builds at night?": (None, ("nightly", "cron(0 3 * * ? *)")),
}


@dataclass(frozen=True)
class World:
    """A team whose stack has something of everything; `names` are ids of it by the words of ANSWERS."""

    team: Team
    names: dict[str, str]

    def address(self, path: str) -> str:
        return f"{self.team.cloud.endpoint_url}/_local{path}"


def until_told(team: Team, path: str, is_right: Callable[[Any], bool]) -> Any:
    """Wait until the API answers rightly: the index hears of everything a moment later."""

    def answer() -> Any:
        status, document, _ = call(team, "GET", path)
        return document if status == 200 and is_right(document) else None

    return team.until(answer, f"GET {path} never said it")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Team.at_work(tmp_path_factory.mktemp("team")) as team:
        page = f"{team.cloud.endpoint_url}/_local/reports/slack/s3cr3t"
        team.session.client("ssm").put_parameter(Name=CHAT, Type="SecureString", Value=page)
        team.reports = {"chat": {"kind": "slack", "webhook": CHAT}}
        apps = {
            "fine": team.app("fine"),
            "broken": team.app("broken", ["cp nothing-there public/"]),
            "slow": team.app("slow", ["sleep 600"]),
        }
        for name, app_id in apps.items():
            team.route(name, app_id)
        at_night = {"appId": apps["fine"], "branchName": "main", "jobType": "RELEASE"}
        team.route("nightly", apps["fine"], when=NIGHT, request={"operation": "start_job", "parameters": at_night})
        place = team.manual_app("site")
        names = {"api": team.cloud.api_url, "fine_app": apps["fine"]}
        for name, version in (("first", "Version 1"), ("second", "Version 2")):
            artifact = team.store(f"releases/{name}.zip", zipped_site(version))
            names[name] = team.asks("start_deployment", place | {"artifact": artifact})
            team.told(names[name])
        for name, message in (("fine", "Say hello"), ("broken", "Break it")):
            names[name] = team.accepted(team.push(name, message=message))
            team.told(names[name])
        names["draft"] = "delivery-of-draft"
        headers = {"X-GitHub-Delivery": names["draft"]}
        assert team.deliver(team.push("fine", ref="refs/heads/draft"), headers=headers)[0] == 200
        names["slow"] = team.accepted(team.push("slow", message="Take your time"))
        for name in ("first", "second", "broken"):
            until_told(team, f"/requests/{names[name]}", lambda story: story["state"] == "FINISHED")
        story = until_told(team, f"/requests/{names['fine']}", is_reported)
        names["commit"] = story["commitBuilt"][:7]
        until_told(team, f"/branches?app={apps['fine']}&branch=main", lambda page: page["items"][0]["live"] is not None)
        until_told(
            team, "/requests?state=running", lambda page: [one["requestId"] for one in page["items"]] == [names["slow"]]
        )
        until_told(team, f"/deliveries/{names['draft']}", lambda delivery: delivery["decisions"])
        yield World(team, names)


def is_reported(story: Any) -> bool:
    return any(report["state"] == "sent" for report in story["reports"]) and len(story["announcements"]) == 2


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    with browser.tab() as tab:
        tab.show_as(width=1280)
        yield tab


@pytest.mark.parametrize("question", table("Questions and clicks"))
def test_a_question_is_answered_by_a_click_at_most(world: World, tab: Tab, question: str) -> None:
    click, texts = ANSWERS[question]
    tab.goto(world.address("/"))
    if click is not None:
        tab.follow(click.format(**world.names))
    for text in texts:
        assert text.format(**world.names) in tab.text(), tab.text()
    assert tab.problems == []


def new_request(tab: Tab, order: str) -> str:
    """The request on whose page a button has led."""
    assert tab.evaluate("location.search") == f"?order={order}"
    return str(tab.evaluate("location.pathname")).rpartition("/")[2]


def test_stop_ends_a_build(world: World, tab: Tab) -> None:
    team = world.team
    team.route("stopped", team.app("stopped", ["sleep 600"]))
    request_id = team.accepted(team.push("stopped"))
    until_told(team, f"/requests/{request_id}", lambda story: story["state"] == "STARTED")
    tab.goto(world.address(f"/jobs/{request_id}"))
    tab.follow("form[action$='/stop'] button")
    assert new_request(tab, "stop") == request_id
    assert "told to stop" in tab.text()
    assert team.told(request_id)["outcome"] == "CANCELLED"
    tab.wait_until("document.title.startsWith('Cancelled')")


@pytest.mark.parametrize("button", ["retry", "replay", "start"])
def test_a_failed_build_is_built_again(world: World, tab: Tab, button: str) -> None:
    """Retry makes the same request again, Replay processes the event again, Build again asks for the route's job."""
    tab.goto(world.address(f"/jobs/{world.names['broken']}"))
    tab.follow(f"form[action$='/{button}'] button")
    request_id = new_request(tab, button)
    assert request_id != world.names["broken"]
    finished = world.team.told(request_id)
    assert (finished["outcome"], finished["job"]["appName"]) == ("FAILED", "broken")
    tab.wait_until("document.title.startsWith('Failed')")
    assert tab.problems == []


def test_a_delivery_is_processed_again(world: World, tab: Tab) -> None:
    story = until_told(world.team, f"/requests/{world.names['fine']}", lambda story: story["event"]["deliveryId"])
    before = world.team.requests_of("fine")
    tab.goto(world.address(f"/deliveries/{story['event']['deliveryId']}"))
    tab.follow("form[action$='/replay'] button")
    assert "processed again" in tab.text()
    world.team.until(lambda: len(world.team.requests_of("fine")) > len(before) or None, "nothing was requested")


def test_a_route_builds(world: World, tab: Tab) -> None:
    tab.goto(world.address("/routes"))
    tab.click("section:has(input[value=nightly]) summary")
    tab.click("section:has(input[value=nightly]) input[name=reason]")
    tab.send("Input.insertText", text="before the night")
    tab.follow("section:has(input[value=nightly]) button")
    finished = world.team.told(new_request(tab, "start"))
    assert (finished["outcome"], finished["cause"]["reason"]) == ("SUCCEEDED", "before the night")


def test_an_earlier_deployment_is_live_again(world: World, tab: Tab) -> None:
    tab.goto(world.address(f"/jobs/{world.names['first']}"))
    # A build has no such button: Amplify would build the newest commit.
    tab.follow("form[action$='/retry'] button")
    finished = world.team.told(new_request(tab, "retry"))
    assert b"Version 1" in world.team.shown(finished)


def test_a_badge_is_an_image_that_everybody_may_read(world: World, tab: Tab) -> None:
    tab.goto(world.address(f"/branches/{world.names['fine_app']}/main"))
    address = tab.evaluate("document.querySelector('#badge code').textContent")
    with urllib.request.urlopen(address) as image:
        assert image.headers["Content-Type"].startswith("image/svg+xml")
        assert b"build: passing" in image.read()
