"""Faults of previews: each is named with its place and what to write instead."""

from __future__ import annotations

import re

import pytest

from amplify_jobs_cli.routes_file.load import check_routes
from tests.support.routes_files import faults_of

GOOD = """\
sources:
  gitlab:
    provider: gitlab
    secrets: [/amplify-jobs/secrets/gitlab]
    git: {url: "https://git.example.com/{repository}.git", token: /amplify-jobs/secrets/gitlab-token}
routes:
  web:
    source: gitlab
    when: {pull_request: {repository: acme/web, targets: [main]}}
    request:
      operation: start_job
      parameters: {appId: d1, branchName: "pr-{pullRequest.number}", jobType: RELEASE}
    mirror: {to: "codecommit::web"}
    preview:
      environmentVariables: {API: "https://staging.example.com"}
      basicAuth: /amplify-jobs/secrets/preview-login
      approval: {label: preview}
"""


def test_the_file_of_these_tests_has_none() -> None:
    assert faults_of(GOOD) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("targets: [main]", "forks: true", "routes.web.when.pull_request.forks: would build the code of strangers"),
        (
            "/amplify-jobs/secrets/preview-login",
            "ada:t0p-s3cret",
            "routes.web.preview.basicAuth: this is not the name of an SSM parameter that the stack can read; put user:",
        ),
        (
            "/amplify-jobs/secrets/preview",
            "/b/secrets/p",
            "routes.web.preview.basicAuth: stack amplify-jobs can't read",
        ),
        ("pr-{pullRequest.number}", "preview", "routes.web.request.parameters.branchName: each pull request needs"),
        (
            '"codecommit::web"',
            '"codecommit::web", branch: live',
            "routes.web.mirror.branch: would get the code of every",
        ),
        (
            "{label: preview}",
            '{comment: "/a", by: [b]}',
            "routes.web.preview.approval.comment: approves nothing on GitL",
        ),
        ("{label: preview}", "{label: preview, by: [b]}", "routes.web.preview.approval: by belongs to comment"),
        (
            "{label: preview}",
            "{labels: preview}",
            "routes.web.preview.approval.labels: unknown member labels; use label",
        ),
        ("API:", "AWS_API:", "routes.web.preview.environmentVariables.AWS_API: "),
        (
            "pull_request: {repository: acme/web, targets: [main]}",
            "push: {repository: acme/web}",
            "routes.web.preview: the route waits for no pull requests",
        ),
        (
            "    preview:\n",
            "    preview:\n      stage: TEST\n",
            "routes.web.preview.stage: unknown value 'TEST'; use one of",
        ),
        (
            "provider: gitlab",
            "provider: codecommit",
            "sources.gitlab.provider: AWS sends the events of Code",
        ),
    ],
)
def test_a_fault_has_its_place_and_the_remedy(good: str, bad: str, fault: str) -> None:
    assert good in GOOD
    result = faults_of(GOOD.replace(good, bad))
    assert [one for one in result if one.startswith(fault)], result
    assert not [one for one in result if "t0p" in one]


def test_a_wrong_source_says_nothing_of_the_mirror_that_is_there() -> None:
    result = faults_of(GOOD.replace("provider: gitlab", "provider: git_lab"))
    assert [one.partition(":")[0] for one in result] == ["sources.gitlab.provider"]


@pytest.mark.parametrize("member", ["    mirror: ", "    git: ", "      approval: ", "      basicAuth: "])
def test_an_optional_member_with_nothing_after_it_is_told_and_null_is_meant(member: str) -> None:
    for value, names in (("", [member.strip(" :")]), ("null", []), ("~", [])):
        text = re.sub(f"(?m)^{member}.*$", f"{member}{value}", GOOD)
        warnings = check_routes(text.encode(), "amplify-jobs").warnings
        empty = [warning.path for warning in warnings if "is empty, which means none; use " in warning.message]
        assert [path.rpartition(".")[2] for path in empty] == names
