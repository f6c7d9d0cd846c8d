"""Every view and every button of the console, as people meet them: with eyes, a keyboard, a screen reader, a phone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_jobs_console.api import ApiError
from tests.browser.conftest import Served
from tests.support.browser import Tab
from tests.support.console_answers import (
    FAILED,
    LIVE_LOG,
    MODELS,
    REJECTED,
    RUNNING,
    SHOP,
    STORIES,
    WAITING,
    as_deployment,
)
from tests.support.console_api import API_URL, DELIVERY, DELIVERY_STORY, listed
from tests.unit.console.test_hostile_answers import ANSWERS, ATTACKS, PAGES, fill

pytestmark = pytest.mark.browser

VIEWS = {
    "overview": "/",
    "jobs": "/jobs",
    "failed": f"/jobs/{FAILED['requestId']}",
    "running": f"/jobs/{RUNNING['requestId']}",
    "waiting": f"/jobs/{WAITING['requestId']}",
    "rejected": f"/jobs/{REJECTED['requestId']}",
    "models": f"/jobs/{MODELS['requestId']}",
    "branch": f"/branches/{SHOP}/main",
    "deliveries": "/deliveries",
    "delivery": f"/deliveries/{DELIVERY['deliveryId']}",
    "routes": "/routes",
}
LOOKS = [(1280, False), (1280, True), (390, False), (390, True)]
RUN = f"/jobs/{RUNNING['requestId']}"
# Asks for news at once, as the timer does.
LOOK_FOR_NEWS = "document.dispatchEvent(new Event('visibilitychange'))"


def violations(tab: Tab, axe: str) -> list[str]:
    tab.evaluate(axe)
    result: Any = tab.evaluate(
        "axe.run({resultTypes: ['violations']}).then((result) => JSON.stringify(result.violations))"
    )
    return [f"{one['id']}: {[node['html'] for node in one['nodes']][:3]}" for one in json.loads(result)]


@pytest.mark.parametrize(("width", "is_dark"), LOOKS)
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_works_for_everybody(
    tab: Tab, served: Served, axe: str, shots: Path, *, name: str, width: int, is_dark: bool
) -> None:
    tab.show_as(width=width, is_dark=is_dark)
    tab.goto(served.address(VIEWS[name]))
    tab.evaluate("document.fonts.ready.then(() => true)")
    tab.screenshot(shots / f"{name}-{width}-{'dark' if is_dark else 'light'}.png")
    assert violations(tab, axe) == []
    assert tab.problems == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("question", "click", "answer"),
    [
        ("What is building now?", None, "Let operators end a session"),
        ("Why did it fail?", ".app .row-reason a[href*='shop-cde']", "Two packages need different versions"),
        ("Its log?", ".app .row-reason a[href*='shop-cde']", "Command failed with exit code 1"),
        ("Which commit is live?", None, "103c857"),
        ("Who triggered job 17?", f"#recent a[href$='{FAILED['requestId']}']", "Triggered by\nada, push"),
        ("Cancel this build", f"#now a[href$='{RUNNING['requestId']}']", "Stop"),
        ("Build main again", None, "Build again"),
        ("Was my push received?", "#deliveries a[href$='9101aa']", "none of 2 changed files matches docs/**"),
        ("Wait in CI", f".app a[href$='{SHOP}/main']", f"amplify-jobs jobs wait --app {SHOP} --branch main"),
        ("Are Slack and the commit told?", f"#recent a[href$='{FAILED['requestId']}']", "the next try is in 5 minutes"),
        ("Deploy the earlier version again", "#recent a[href$='shop-0015']", "Make live again"),
        ("Show a badge", f".app a[href$='{SHOP}/main']", f"![Build of shop main]({API_URL}/badges/"),
        ("What builds at night?", None, "cron(0 3 * * ? *)"),
    ],
)
def test_each_question_is_one_click_from_the_first_page(
    tab: Tab, served: Served, *, question: str, click: str | None, answer: str
) -> None:
    """The questions of docs/console.md."""
    served.api.answers["/deliveries/9101aa"] = {**DELIVERY_STORY, "deliveryId": "9101aa", "requests": 0}
    served.api.answers["/requests/shop-0015"] = as_deployment(STORIES["shop-0015"])
    tab.show_as(width=1280)
    if click is not None:
        tab.follow(click)
    assert answer in tab.text()


BUILD = ("/requests", {"route": "shop", "branch": "main"})
FAILED_ID, RUNNING_ID, DELIVERY_ID = FAILED["requestId"], RUNNING["requestId"], DELIVERY["deliveryId"]


@pytest.mark.parametrize(
    ("address", "button", "call", "notice"),
    [
        ("/", '[aria-label="Build again: shop main"]', BUILD, "accepted"),
        (VIEWS["branch"], "form[action$='/start'] button", BUILD, "accepted"),
        (VIEWS["failed"], "form[action$='/start'] button", BUILD, "accepted"),
        (VIEWS["failed"], "form[action$='/retry'] button", (f"/requests/{FAILED_ID}/retry", {}), "again"),
        (VIEWS["failed"], "form[action$='/replay'] button", (f"/requests/{FAILED_ID}/replay", {}), "event"),
        (RUN, "form[action$='/stop'] button", (f"/requests/{RUNNING_ID}/stop", {}), "told to stop"),
        (VIEWS["delivery"], "form[action$='/replay'] button", (f"/deliveries/{DELIVERY_ID}/replay", {}), "again"),
    ],
)
@pytest.mark.parametrize("has_script", [True, False])
def test_a_button_does_what_it_says(
    tab: Tab, served: Served, *, address: str, button: str, call: tuple[str, Any], notice: str, has_script: bool
) -> None:
    served.api.answers["/requests/shop-new0001"] = {**STORIES[FAILED["requestId"]], "requestId": "shop-new0001"}
    tab.show_as(width=1280)
    tab.send("Emulation.setScriptExecutionDisabled", value=not has_script)
    tab.goto(served.address(address))
    tab.follow(button)
    [(path, body)] = served.api.posted
    assert path == call[0]
    assert call[1] is None or body == call[1]
    assert notice in tab.text()
    assert tab.problems == []


def test_a_route_builds_with_what_somebody_writes(tab: Tab, served: Served) -> None:
    tab.goto(served.address("/routes"))
    tab.click("#build-2 summary")
    tab.click("#build-2 input[name=reason]")
    tab.send("Input.insertText", text="try <it>")
    tab.follow("#build-2 button")
    assert served.api.posted == [("/requests", {"route": "shop", "reason": "try <it>"})]


def test_buttons_work_after_a_part_was_refreshed(tab: Tab, served: Served) -> None:
    tab.goto(served.address(RUN))
    story = {**STORIES[RUNNING["requestId"]], "commitMessage": "Another title"}
    served.api.answers[f"/requests/{RUNNING['requestId']}"] = story
    tab.evaluate(LOOK_FOR_NEWS)
    tab.wait_until("document.querySelector('h1').textContent.includes('Another title')")
    tab.follow("form[action$='/stop'] button")
    assert served.api.posted == [(f"/requests/{RUNNING['requestId']}/stop", {})]


def test_news_come_without_moving_what_somebody_reads(tab: Tab, served: Served) -> None:
    tab.show_as(width=1280)
    tab.goto(served.address(RUN))
    tab.evaluate(
        "window.isSame = true; window.shift = 0; new PerformanceObserver((list) => list.getEntries().forEach("
        "(one) => { window.shift += one.value })).observe({type: 'layout-shift', buffered: false})"
    )
    tab.evaluate("document.querySelector('#log-lines').scrollTop = 120; document.querySelector('#log-lines').focus()")
    served.api.answers[f"/requests/{RUNNING['requestId']}/log"] = {
        **LIVE_LOG,
        "text": LIVE_LOG["text"] * 2,
        "complete": True,
    }
    served.server.console._logs._logs.clear()
    tab.evaluate(LOOK_FOR_NEWS)
    tab.wait_until("document.querySelector('#log .count').textContent.startsWith('120 lines')")
    assert tab.evaluate("window.isSame")
    assert tab.evaluate("document.querySelector('#log-lines').scrollTop") == 120
    assert tab.evaluate("document.activeElement.id") == "log-lines"
    served.api.answers[f"/requests/{RUNNING['requestId']}"] = {
        **STORIES[RUNNING["requestId"]],
        "state": "FINISHED",
        "outcome": "SUCCEEDED",
        "durationSeconds": 60,
    }
    tab.evaluate(LOOK_FOR_NEWS)
    tab.wait_until("document.title.startsWith('Succeeded')")
    assert tab.evaluate("document.getElementById('news').textContent").startswith("Succeeded: admin")
    assert tab.evaluate("document.body.dataset.refresh") == "30"
    assert tab.evaluate("window.shift") == 0


def test_without_news_nothing_is_sent_again(tab: Tab, served: Served) -> None:
    tab.goto(served.address("/"))
    tab.evaluate(
        "window.sent = []; window.fetch = ((old) => async (...all) => { const answer = await old(...all); "
        "window.sent.push(answer.status); return answer; })(window.fetch)"
    )
    tab.evaluate(LOOK_FOR_NEWS)
    tab.wait_until("window.sent.length > 0")
    assert tab.evaluate("window.sent") == [304]
    tab.evaluate(f"Object.defineProperty(document, 'hidden', {{value: true}}); {LOOK_FOR_NEWS}")
    # While it is hidden, no timer waits either.
    assert tab.evaluate("window.sent") == [304]


def test_a_console_that_was_stopped_says_so(tab: Tab, served: Served) -> None:
    tab.goto(served.address("/"))
    tab.send("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
    tab.evaluate(LOOK_FOR_NEWS)
    tab.wait_until("document.getElementById('fresh').textContent.includes('does not answer')")


def test_an_error_is_shown_and_goes_away(tab: Tab, served: Served) -> None:
    served.api.failures["/requests"] = ApiError(503, "The index can't be read", "It is busy.")
    tab.goto(served.address("/"))
    assert "The index can't be read" in tab.text()
    del served.api.failures["/requests"]
    tab.evaluate(LOOK_FOR_NEWS)
    tab.wait_until("document.body.innerText.includes('1 running')")


def test_an_empty_stack_says_what_to_do(tab: Tab, served: Served, axe: str, shots: Path) -> None:
    served.api.answers.update({f"/{name}": listed([]) for name in ("requests", "branches", "schedules", "deliveries")})
    tab.show_as(width=1280)
    tab.goto(served.address("/"))
    tab.screenshot(shots / "empty-1280-light.png")
    assert "Nothing runs." in tab.text()
    assert violations(tab, axe) == []


def test_a_keyboard_is_enough(tab: Tab, served: Served) -> None:
    tab.goto(served.address(VIEWS["failed"]))
    tab.press("Tab", 9)
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.press("Enter", 13, "\r")
    assert tab.evaluate("location.hash") == "#content"
    reached = []
    for _ in range(60):
        tab.press("Tab", 9)
        reached.append(tab.evaluate("document.activeElement.textContent.trim().slice(0, 40)"))
        has_outline = "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        assert tab.evaluate(f"document.activeElement === document.body || {has_outline}"), reached[-1]
    for name in ("Retry", "Build again", "Replay", "Show the lines of the log", "Open the site", "Copy"):
        assert name in reached


def test_a_command_is_copied(tab: Tab, served: Served) -> None:
    tab.goto(served.address(VIEWS["failed"]))
    tab.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    tab.click("[data-copy]")
    tab.wait_until("window.copied !== undefined")
    assert tab.evaluate("window.copied") == f"amplify-jobs jobs show {FAILED['requestId']}"
    assert tab.evaluate("document.querySelector('[data-copy]').textContent") == "Copied"


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_name_runs_nothing(tab: Tab, served: Served, attack: str) -> None:
    served.api.answers.update(fill(ANSWERS, attack.replace("alert(1)", "window.parent.hacked=1")))
    tab.show_as(width=390)
    for address in PAGES:
        tab.goto(served.address(address))
        assert tab.evaluate("window.hacked") is None
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    assert tab.problems == []


def test_nobody_comes_in_without_the_address(browser: Any, served: Served) -> None:
    with browser.tab() as stranger:
        stranger.goto(served.address("/"))
        assert "open the address that the command line printed" in stranger.text()
