"""Faults of mirrors: each is named with its place and what to write instead."""

from __future__ import annotations

import pytest

from tests.support.routes_files import faults_of

GOOD = """\
sources:
  gitea:
    provider: gitea
    secrets: [/amplify-jobs/secrets/gitea]
    git: {url: "https://git.example.com/{repository}.git", token: /amplify-jobs/secrets/gitea-token}
  bare: {provider: gitea, secrets: [/amplify-jobs/secrets/bare]}
routes:
  web:
    source: gitea
    when: {push: {repository: acme/web, branches: [main]}}
    request: {operation: start_job, parameters: {appId: d1, branchName: "{branch}", jobType: RELEASE}}
    mirror: {to: "codecommit::web"}
"""


def test_the_file_of_these_tests_has_none() -> None:
    assert faults_of(GOOD) == []


@pytest.mark.parametrize("host", ["127.0.0.1:3001", "localhost"])
def test_http_is_right_for_this_machine(host: str) -> None:
    text = GOOD.replace("https://git.example.com", f"http://{host}").replace(
        "codecommit::web", f"http://{host}/web.git"
    )
    assert faults_of(text) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("/amplify-jobs/secrets/gitea-token", "t0p-s3cret", "sources.gitea.git.token: this is not the name of an SSM"),
        (
            '"codecommit::web"',
            '"codecommit::web", token: /other/secrets/a',
            "routes.web.mirror.token: stack amplify-jobs can't read /other/secrets/a; use /amplify-jobs/secrets/mirr",
        ),
        (
            "source: gitea",
            "source: bare",
            "routes.web.source: source bare has no git, from which a mirror could fetch the code; add git to sources.b",
        ),
        (
            "    source: gitea\n",
            "",
            "routes.web.source: is missing; a mirror needs the source that has the code: use g",
        ),
        (
            "push: {repository: acme/web, branches: [main]}",
            "request: {}",
            "routes.web.mirror: the route's event has no",
        ),
        ("operation: start_job", "operation: start_deployment", "routes.web.mirror: start_deployment builds nothing f"),
        ("codecommit::web", "codecommit::a/b", "routes.web.mirror.to: "),
        ("{repository}", "{branch}", "sources.gitea.git.url: has an unknown value in braces; use {repository}, {own"),
        (
            "https://git",
            "http://git",
            "sources.gitea.git.url: http does not encrypt what is sent, and is for this machine alone; use "
            "https://git.example.com/{repository}.git",
        ),
        (
            "codecommit::web",
            "http://ada:t0p@git.example.com:8080/web.git",
            "routes.web.mirror.to: http does not encrypt what is sent, and is for this machine alone; use "
            "https://git.example.com:8080/web.git",
        ),
        (
            "codecommit::web",
            "http://127.0.0.1:8080",
            "routes.web.mirror.to: 'http://127.0.0.1:8080' has the wrong form",
        ),
    ],
)
def test_a_fault_has_its_place_and_the_remedy(good: str, bad: str, fault: str) -> None:
    assert good in GOOD
    result = faults_of(GOOD.replace(good, bad))
    assert [one for one in result if one.startswith(fault)], result
    assert not [one for one in result if "t0p" in one]
