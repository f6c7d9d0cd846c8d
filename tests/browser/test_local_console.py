"""The console of a running local cloud in a browser, and a deployed site that would like to press its buttons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.browser import Browser, Tab
from tests.support.team import Team
from tests.support.waiting import eventually

pytestmark = pytest.mark.browser

# A page below /_local/ that is no console's can be read so; a browser opens one window for each click.
CONTROL = """
(async () => {
  const open = window.open("/_local/faults");
  await new Promise((done) => setTimeout(done, 1000));
  return open.document.body.textContent;
})()
"""
# What the script of a site can try, with the token of whatever it can read. It waits for what never answers.
THEFT = """
(async () => {
  const later = (ms) => new Promise((done) => setTimeout(done, ms));
  const token = (text) => (text.match(/data-token="([^"]*)"/) || [, ""])[1];
  const stolen = {};
  stolen.fetch = token(await (await fetch("/_local/jobs")).text());
  stolen.cache = token(await (await fetch("/_local/jobs", {cache: "force-cache"})).text());
  const frame = document.createElement("iframe");
  frame.src = "/_local/jobs";
  document.body.append(frame);
  const open = window.open("/_local/jobs");
  await later(2000);
  const read = (get) => { try { return get() || ""; } catch (error) { return ""; } };
  stolen.frame = read(() => frame.contentDocument.body.dataset.token);
  stolen.window = read(() => open.document.body.dataset.token);
  return stolen;
})()
"""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with Team.at_work(tmp_path_factory.mktemp("team")) as team:
        yield team


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    with browser.tab() as tab:
        yield tab


def site(team: Team, folder: Path) -> str:
    """Deploy a page, and give its address below /_local/sites/, where it has the origin of the console."""
    name = f"site-{folder.name}"
    app_id = team.app(name)
    job = team.amplify.start_job(appId=app_id, branchName="main", jobType="RELEASE")["jobSummary"]["jobId"]

    def is_done() -> bool:
        summary = team.amplify.get_job(appId=app_id, branchName="main", jobId=job)["job"]["summary"]
        return bool(summary["status"] == "SUCCEED")

    eventually(is_done)
    return f"{team.cloud.endpoint_url}/_local/sites/{app_id}/main/"


def test_the_code_of_a_site_presses_no_button(team: Team, tab: Tab, tmp_path: Path) -> None:
    tab.goto(f"{team.cloud.endpoint_url}/_local/jobs")
    secret = tab.evaluate("document.body.dataset.token")
    assert len(secret) > 20
    tab.goto(site(team, tmp_path))
    assert tab.evaluate(THEFT) == {"fetch": "", "cache": "", "frame": "", "window": ""}
    assert "faults" in tab.evaluate(CONTROL)
    order = "fetch('/_local/start', {method: 'POST', body: new URLSearchParams({token: '', route: 'x'})})"
    assert tab.evaluate(f"{order}.then((answer) => answer.status)") == 403


def test_the_aws_port_opens_the_console(team: Team, tab: Tab) -> None:
    tab.goto(f"{team.cloud.endpoint_url}/")
    assert urlsplit(tab.evaluate("location.href")).path == "/_local/"
    assert "local cloud" in tab.text()


def test_a_push_is_seen_and_built_again(team: Team, tab: Tab, tmp_path: Path) -> None:
    """From the link that the announcement calls Console to a second job by a button, with the real API."""
    team.route("seen", team.app("seen"))
    request_id = team.accepted(team.push("seen", message="Say hello"))
    finished = team.told(request_id)
    home = f"{team.cloud.endpoint_url}/_local"

    def is_indexed() -> bool:
        tab.goto(f"{home}/jobs/{request_id}")
        return "Succeeded" in tab.text()

    eventually(is_indexed)
    tab.goto(finished["links"]["console"])
    assert tab.evaluate("location.pathname") == f"/_local/jobs/{request_id}"
    for words in ("Say hello", "Triggered by", "acme/seen", "Build", "# Cloning repository", "Job Finished"):
        assert words in tab.text()
    tab.follow("#facts a[href*='/deliveries/']")
    assert "seen" in tab.text()
    for path in ("", "/jobs", "/deliveries", "/routes"):
        tab.goto(f"{home}{path or '/'}")
        assert "can't be read" not in tab.text()
        assert "seen" in tab.text()
    tab.goto(f"{home}/")
    tab.follow("[aria-label='Build again: seen main']")
    tab.wait_until("document.title.startsWith('Succeeded')")
    assert len(team.requests_of("seen")) == 2
    assert tab.problems == []
