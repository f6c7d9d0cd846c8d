"""Faults of targets of reports: each is named with its place and what to write instead, and none repeats a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.reporting.hosts import HOSTS
from amplify_jobs.routing.report_targets import STATUS_HOSTS
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.load import Finding, check_routes

GOOD = """\
sources:
  github: {provider: github, secrets: [/amplify-jobs/secrets/github]}
  git: {provider: gitea, secrets: [/amplify-jobs/secrets/git]}
  cms: {provider: standard, secrets: [/amplify-jobs/secrets/cms]}
routes:
  web:
    source: github
    when: {push: {repository: acme/web, branches: [main]}}
    request: {operation: start_job, parameters: {appId: d1, branchName: main, jobType: RELEASE}}
  docs:
    source: github
    when: {push: {repository: acme/docs, branches: [main]}}
    request: {operation: start_job, parameters: {appId: d2, branchName: main, jobType: RELEASE}}
reports:
  statuses:
    kind: commit_status
    source: github
    token: /amplify-jobs/secrets/github-token
  gitea:
    kind: commit_status
    source: git
    api: https://git.example.com/api/v1
    token: /amplify-jobs/secrets/gitea-token
    context: "jobs/{route}"
  team:
    kind: slack
    webhook: /amplify-jobs/secrets/slack
    when:
      outcomes: [FAILED, TIMED_OUT]
      branches: [main, "release/*"]
      routes: ["web*"]
  bot:
    kind: slack_bot
    token: /amplify-jobs/secrets/bot
    channel: C0123456789
  hook:
    kind: webhook
    url: https://example.com/jobs
    secret: /amplify-jobs/secrets/hook
"""


def findings(text: str) -> tuple[Finding, ...]:
    checked = check_routes(text.encode(), "amplify-jobs", datetime(2026, 11, 27, tzinfo=UTC))
    return (*checked.faults, *checked.warnings)


def headlines(text: str) -> list[str]:
    return [finding.text("routes.yaml").splitlines()[0].removeprefix("routes.yaml:") for finding in findings(text)]


def changes_and_faults() -> Iterator[tuple[str, str, list[str]]]:
    """What of GOOD is replaced by what, and the faults of that: the blocks of target_faults.txt."""
    for block in (Path(__file__).parent / "target_faults.txt").read_text().strip().split("\n\n"):
        good, bad, *expected = block.splitlines()
        yield json.loads(good.removeprefix("- ")), json.loads(bad.removeprefix("+ ")), expected


def test_the_file_that_is_broken_below_is_right() -> None:
    assert headlines(GOOD) == []


@pytest.mark.parametrize(("good", "bad", "expected"), list(changes_and_faults()))
def test_a_fault_is_named_with_place_member_and_what_to_write_instead(good: str, bad: str, expected: list[str]) -> None:
    assert good in GOOD
    result = findings(GOOD.replace(good, bad, 1))
    headlines = [
        f"{'warning: ' if finding.severity == 'warning' else ''}"
        f"{finding.line}:{finding.column}: {finding.path}: {finding.message}"
        for finding in result
    ]
    assert headlines == expected
    assert [finding.message for finding in result if "; " not in finding.message] == []


def test_a_long_context_becomes_a_digest_at_bitbucket() -> None:
    text = GOOD.replace("provider: gitea", "provider: bitbucket").replace(
        '"jobs/{route}"', f'"jobs/{{route}}/{"x" * 40}"'
    )
    (warning,) = findings(text.replace("    api: https://git.example.com/api/v1\n", ""))
    assert warning.path == "reports.gitea.context"
    assert warning.message.startswith("a key of Bitbucket's has at most 40 characters")


@pytest.mark.parametrize(
    ("provider", "api", "expected"),
    [
        ("github", "https://github.example.com", "use https://github.example.com/api/v3"),
        ("github", "https://api.acme.ghe.com", None),
        ("github", "https://api.github.com", None),
        ("gitlab", "https://example.com/gitlab/api", "use https://example.com/gitlab/api/v4"),
        ("gitlab", "https://gitlab.com", "use https://gitlab.com/api/v4"),
        ("bitbucket", "https://bitbucket.org", "use https://api.bitbucket.org/2.0"),
        ("bitbucket-server", "https://example.com/stash/rest/api/latest", "use https://example.com/stash"),
        ("bitbucket-server", "https://example.com:7990/stash", None),
        ("forgejo", "https://codeberg.org", "use https://codeberg.org/api/v1"),
        ("azure-devops", "https://dev.azure.com", "the organization is missing"),
        ("azure-devops", "https://dev.azure.com/acme/shop", "use https://dev.azure.com/acme"),
        ("azure-devops", "https://dev.azure.com/acme", None),
        ("azure-devops", "https://tfs.example.com/tfs/DefaultCollection", None),
        ("github", "http://127.0.0.1:4566/_local/reports/github", None),
        ("github", "https://github.example.com:99999/api/v3", "this is not an address"),
        ("github", "https://[github]/api/v3", "this is not an address"),
    ],
)
def test_the_address_of_an_api_is_that_of_its_host(provider: str, api: str, expected: str | None) -> None:
    text = GOOD.replace("provider: gitea", f"provider: {provider}").replace(
        "https://git.example.com/api/v1", f"'{api}'"
    )
    messages = [finding.message for finding in findings(text)]
    assert len(messages) == (expected is not None)
    assert expected is None or expected in messages[0]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", "slack"),
        ("https://discordapp.com/api/webhooks/1/x", "discord"),
        ("https://chat.googleapis.com/v1/spaces/A/messages?key=x", "google_chat"),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/x", "teams"),
    ],
)
def test_the_webhook_of_a_chat_is_a_secret(address: str, kind: str) -> None:
    (fault,) = findings(GOOD.replace("https://example.com/jobs", address))
    assert f"use kind: {kind}, and put the address into SSM" in fault.message
    assert "/x" not in fault.text("routes.yaml")


@pytest.mark.parametrize("secret", ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "hunter2supersecret", "correct-horse"])
@pytest.mark.parametrize("place", ["token: {}", "secret: {}", "webhook: {}", "username: {}", "url: {}", "auth: {}"])
@pytest.mark.parametrize("broken", ["", "\n  - x", "\nroutes: @"])
def test_a_secret_in_the_place_of_its_name_is_never_repeated(secret: str, place: str, broken: str) -> None:
    text = GOOD.replace("    channel: C0123456789", f"    channel: nowhere\n    {place.format(secret)}")
    flow = f"reports: {{bot: {{kind: slack_bot, channel: nowhere, {place.format(secret)}}}}}\nroutes: {{}}\n"
    for whole in (text + broken, flow + broken, flow.replace("reports", "report") + broken):
        result = findings(whole)
        assert result
        assert [finding.text("routes.yaml") for finding in result if secret in finding.text("routes.yaml")] == []


@pytest.mark.parametrize("secret", ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "hunter2supersecret"])
@pytest.mark.parametrize("member", ["source", "context", "channel", "api", "kind", "when"])
def test_what_looks_like_a_secret_is_repeated_nowhere(secret: str, member: str) -> None:
    text = f"reports:\n  status: {{kind: commit_statu, {member}: {secret}}}\nroutes: {{}}\n"
    for finding in findings(text):
        assert secret not in finding.text("routes.yaml")


def test_a_secret_stays_hidden_where_an_open_member_has_it_too() -> None:
    text = "reports:\n  status: {kind: slak, token: horse-battery, context: horse-battery}\nroutes: {}\n"
    for finding in findings(text):
        assert "horse-battery" not in finding.text("routes.yaml")


# ---------------------------------------------------------------- the model


def test_each_git_host_takes_statuses_and_each_that_is_public_has_an_address() -> None:
    assert STATUS_HOSTS.keys() == HOSTS.keys()
    assert set(STATUS_HOSTS) == {name for name, row in PROVIDERS.items() if row.is_git_host}
    modules = {
        name: __import__(f"amplify_jobs.reporting.hosts.{module}", fromlist=["API"]) for name, module in HOSTS.items()
    }
    assert {name for name, module in modules.items() if hasattr(module, "API")} == {
        name for name, is_public in STATUS_HOSTS.items() if is_public
    }


@pytest.mark.parametrize(
    ("sources", "target", "expected"),
    [
        ({}, {}, "reports.status: there is no source 'git'"),
        ({"git": "standard"}, {}, "reports.status: a source of provider standard has no commits"),
        ({"git": "gitea"}, {}, "reports.status: api is missing"),
        ({"git": "github"}, {"api": "https://github.example.com/"}, "reports.status.commit_status.api"),
        ({"git": "github"}, {"context": "{job}"}, "unknown value {job} of a status"),
    ],
)
def test_what_is_pushed_has_no_target_that_can_not_work(
    sources: dict[str, str], target: dict[str, str], expected: str
) -> None:
    routes = {
        "sources": {name: {"provider": provider, "secrets": ["/a/secrets/b"]} for name, provider in sources.items()},
        "routes": {},
        "reports": {"status": {"kind": "commit_status", "source": "git", "token": "/a/secrets/token", **target}},
    }
    with pytest.raises(ValidationError) as invalid:
        Routes.model_validate(routes)
    assert expected in str(invalid.value)
