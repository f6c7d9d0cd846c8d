"""Addresses for people: sites, job pages, signed files."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.amplify.addresses import Addresses
from tests.support.amplify_world import World

SITE = {"index.html": "start", "a/index.html": "inner", "a/file.css": "css", "404.html": "lost", "größe ö.txt": "big"}


def test_a_site_is_served_below_its_address_and_on_its_host(world: World) -> None:
    app_id = world.branch(SITE, name="feature/menu")
    world.built(app_id, "feature/menu")
    expected = {
        "": (200, "start"),
        "index.html": (200, "start"),
        "a/": (200, "inner"),
        "a": (200, "inner"),
        "a/file.css": (200, "css"),
        quote("größe ö.txt"): (200, "big"),
        "no/such": (404, "lost"),
        "../index.html": (404, "lost"),
        "%2e%2e/%2e%2e/x": (404, "lost"),
        "a%00b": (404, "lost"),
    }
    port = urlsplit(world.url).port
    for path, answer in expected.items():
        assert world.get(f"/_local/sites/{app_id}/feature%2Fmenu/{path}") == answer, path
        assert world.get(f"/{path}", host=f"feature-menu.{app_id}.localhost:{port}") == answer, path
        assert world.get(f"/{path}", host=f"Feature-Menu.{app_id}.LOCALHOST:{port}") == answer, path
    assert world.get(f"/_local/sites/{app_id}/feature%2Fmenu") == (200, "start")


def test_a_host_follows_the_branchs_display_name(world: World) -> None:
    app_id = world.branch(SITE)
    world.built(app_id)
    world.client.update_branch(appId=app_id, branchName="main", displayName="www")
    port = urlsplit(world.url).port
    assert world.get("/", host=f"www.{app_id}.localhost:{port}") == (200, "start")
    assert world.get("/", host=f"main.{app_id}.localhost:{port}")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/_local/sites/d0/main/",
        "/_local/sites/{app}/none/",
        "/_local/jobs/d0/main/1",
        "/_local/jobs/{app}/main/1",
        "/_local/jobs/{app}/main/x",
        "/_local/jobs/{app}/main/%0a1",
        "/_local/jobs/{app}/main",
        "/_local/other",
        "/_local/",
    ],
)
def test_what_is_not_there_is_not_found(world: World, path: str) -> None:
    app_id = world.branch()
    assert world.get(path.format(app=app_id))[0] == 404


def test_nothing_is_changed_by_these_addresses(world: World) -> None:
    app_id = world.branch()
    world.built(app_id)
    for path in (f"/_local/sites/{app_id}/main/", f"/_local/jobs/{app_id}/main/1"):
        assert world.get(path, method="POST")[0] == 405
        assert world.get(path, method="HEAD") == (200, "")


def test_a_jobs_page_shows_its_steps_and_links_that_work(world: World) -> None:
    app_id = world.branch(name="feature/<b>")
    world.built(app_id, "feature/<b>", commitMessage="Fix <script>alert(1)</script>")
    status, page = world.get(f"/_local/jobs/{app_id}/feature%2F%3Cb%3E/1")
    assert status == 200
    assert "<script>" not in page
    assert "SUCCEED" in page
    assert all(step in page for step in ("BUILD", "DEPLOY", "VERIFY"))
    links = [part.split('"')[0].replace("&amp;", "&") for part in page.split('href="')[1:]]
    # The console is none of Amplify's.
    assert links.pop(0) == "/_local/"
    assert len(links) == 3
    for link in links[:1] + links[2:]:
        assert world.get(link)[0] == 200


def test_a_jobs_page_shows_the_apps_name_the_commit_and_the_end_of_the_log(world: World) -> None:
    spec = "frontend: {phases: {build: {commands: [seq 1 5000, echo '<b>', 'false']}}, artifacts: {baseDirectory: x}}"
    commit = world.repository.commit({"amplify.yml": spec})
    app_id = world.app(name="Shop & Co")
    world.client.create_branch(appId=app_id, branchName="main")
    job = world.built(app_id)
    assert job["summary"]["commitId"] == "HEAD"
    page = world.get(f"/_local/jobs/{app_id}/main/1")[1]
    assert '<h1 class="bad">Shop &amp; Co main #1: FAILED</h1>' in page
    assert f"{app_id}" in page
    assert f"RELEASE of {commit} Change main" in page
    last = html.unescape(page.partition("<pre ")[2].partition("</pre>")[0].partition(">")[2]).strip().split("\n")
    assert last == world.log(job).strip().split("\n")[-40:]
    assert "<b>" not in page


def test_signed_addresses_work_for_their_file_and_their_time_only(world: World) -> None:
    app_id = world.branch(name="ä" * 80)
    job = world.built(app_id, "ä" * 80)
    url = job["steps"][0]["logUrl"]
    assert len(url) <= 1000
    assert world.get(url)[0] == 200
    parts = urlsplit(url)
    for path, query in (
        (parts.path, ""),
        (parts.path, parts.query[:-1] + ("0" if parts.query[-1] != "0" else "1")),
        (parts.path, parts.query.replace("expires=1", "expires=2")),
        (parts.path.replace("BUILD.log", "artifacts.zip"), parts.query),
        (parts.path.replace("BUILD.log", "../BUILD.log"), parts.query),
    ):
        assert world.get(f"{path}?{query}")[0] == 403, path


def test_signed_addresses_expire() -> None:
    addresses = Addresses(account="1", region="r", base_url="http://127.0.0.1:4566/")
    parts = urlsplit(addresses.signed("/a file"))
    args = dict(parse_qsl(parts.query))
    now = datetime.now(UTC)
    assert unquote(parts.path) == "/a file"
    assert addresses.refusal("/a file", args, now + timedelta(minutes=59)) is None
    assert "has expired" in (addresses.refusal("/a file", args, now + timedelta(minutes=61)) or "")


@given(st.text(), st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_a_made_up_signature_is_refused(path: str, expires: str, signature: str) -> None:
    addresses = Addresses(account="1", region="r", base_url="http://127.0.0.1:4566")
    refused = addresses.refusal(path, {"expires": expires, "signature": signature}, datetime.now(UTC))
    assert refused is not None
    assert "does not match" in refused


@given(st.from_regex(r"d[a-z0-9]+", fullmatch=True), st.none() | st.text(min_size=1))
def test_an_arn_names_what_it_was_made_of(app_id: str, branch: str | None) -> None:
    addresses = Addresses(account="111122223333", region="eu-central-1", base_url="http://127.0.0.1:4566")
    arn = addresses.app_arn(app_id) if branch is None else addresses.branch_arn(app_id, branch)
    assert addresses.resource(arn) == (app_id, branch)
    elsewhere = Addresses(account="111122223333", region="eu-west-1", base_url="http://127.0.0.1:4566")
    assert elsewhere.resource(arn) is None
