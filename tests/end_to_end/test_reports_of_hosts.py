"""A push and a pull request at every git host, to the statuses, the comment and the deployment that the host shows."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from demo.repository import git
from tests.support.git_hosts import FORMS, REPOSITORIES, Operation
from tests.support.host_comments import COMMENT_LISTS, WHOLE_PAGE
from tests.support.recorded_webhooks import secret_of, signed
from tests.support.report_calls import fail_next, received, until_all_are_handled
from tests.support.team import Team

PUSHED, HEAD, LATER_HEAD = "a" * 40, "c" * 40, "d" * 40
HOSTILE = "@here <b>x</b> ![x](https://evil.example/x.png)"
TOKEN = "/amplify-jobs/secrets/reports/token"
DEPLOYING = ("github", "gitlab")
# The words of each host for the start and for the success of a job.
STATES = {
    "github": ("pending", "success"),
    "gitlab": ("pending", "success"),
    "bitbucket": ("INPROGRESS", "SUCCESSFUL"),
    "bitbucket-server": ("INPROGRESS", "SUCCESSFUL"),
    "gitea": ("pending", "success"),
    "forgejo": ("pending", "success"),
    "azure-devops": ("pending", "succeeded"),
}
# The newest form of each host.
RENDERS = {provider: render for provider, render in reversed(FORMS.values()) if provider in STATES}
every_host = pytest.mark.parametrize("provider", sorted(STATES))


@dataclass
class Hosts:
    """A team whose sources are every git host, each with a target of every kind that the host has."""

    team: Team
    # What a build of a pull request waits for is a file here, named as its branch.
    reported: Path
    sites: dict[tuple[str, int | None], str] = field(default_factory=dict)

    def deliver(self, provider: str, operation: Operation) -> str:
        """Deliver an operation as its host does, and give the request id."""
        attempt = RENDERS[provider](operation, 1)
        proof = signed(provider, secret_of(provider, provider), attempt.content, now=datetime.now(UTC))
        headers = {"Content-Type": "application/json", **attempt.headers, **proof}
        url = f"{self.team.cloud.api_url}/webhooks/{provider}"
        status, answer = self.team.post(url, headers, attempt.content)
        assert status == 202, (provider, answer)
        (request,) = answer["requests"]
        return str(request["requestId"])

    def until_reported(self, requests: dict[tuple[str, int | None], str]) -> None:
        """Wait for jobs by provider and pull request, until the host shows the site of each, and no report waits."""
        for (provider, number), request_id in requests.items():
            ended = self.team.told(request_id)
            assert ended["outcome"] == "SUCCEEDED", ended
            self.sites[provider, number] = ended["links"]["site"]
        for (provider, number), site in self.sites.items():
            self.team.until(partial(self._find_site, provider, number, site), f"{provider} never showed {site}")
        until_all_are_handled(self.team)

    def _find_site(self, provider: str, number: int | None, site: str) -> str | None:
        if number is None:
            shown = [value for one in self.calls(provider, PUSHED) for value in one["content"].values()]
            return site if site in shown else None
        return site if any(site in text for text in self.comments(provider, number)) else None

    def calls(self, provider: str, part: str = "") -> list[dict[str, Any]]:
        """The calls that changed something, whose path has a part."""
        return [one for one in received(self.team, provider) if one["method"] != "GET" and part in one["path"]]

    def head_status(self, provider: str) -> list[dict[str, Any]] | None:
        return self.calls(provider, HEAD) or None

    def states(self, provider: str, part: str) -> list[str]:
        return [one["content"]["state"] for one in self.calls(provider, part)]

    def comments(self, provider: str, number: int) -> list[str]:
        """The comments on a pull request, as anybody reads them at the host."""
        comments = COMMENT_LISTS[provider]
        path = (
            comments.of(number).replace("/acme/", "/ACME/") if provider == "bitbucket-server" else comments.of(number)
        )
        query = "&".join(f"{name}={value}" for name, value in WHOLE_PAGE.items())
        address = f"{self.team.cloud.endpoint_url}/_local/reports/{provider}{path}?{query}"
        request = urllib.request.Request(address, headers={"Authorization": "Bearer of-a-reader"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return [text for _, text in comments.read(json.load(answer))]


@pytest.fixture(scope="module")
def hosts(team: Team, tmp_path_factory: pytest.TempPathFactory) -> Hosts:
    ssm, base = team.session.client("ssm"), f"{team.cloud.endpoint_url}/_local/reports"
    ssm.put_parameter(Name=TOKEN, Type="SecureString", Value="t0ken-of-the-host", Overwrite=True)
    folder = tmp_path_factory.mktemp("reported")
    wait = f'case "$AWS_BRANCH" in pull_request-*) until [ -e "{folder}/$AWS_BRANCH" ]; do sleep 0.1; done;; esac'
    app_id = team.app("web", build=[wait, "echo built"])
    repository = Path(team.amplify.get_app(appId=app_id)["app"]["repository"])
    routes: dict[str, Any] = {}
    for provider in STATES:
        name = f"/amplify-jobs/secrets/hosts/{provider}"
        ssm.put_parameter(Name=name, Type="SecureString", Value=secret_of(provider, provider))
        team.sources[provider] = {"provider": provider, "secrets": [name]}
        # The token of Azure DevOps is a password.
        user = {"username": "ci"} if provider == "azure-devops" else {}
        target = {"source": provider, "api": f"{base}/{provider}", "token": TOKEN, **user}
        kinds = ("commit_status", "pull_request_comment", *(["deployment"] if provider in DEPLOYING else []))
        team.reports |= {f"{provider}-{kind}".replace("_", "-"): {"kind": kind, **target} for kind in kinds}
        when = {"repository": REPOSITORIES.get(provider, "acme/web")}
        for event, more in (("push", {"branches": ["main"]}), ("pull_request", {"targets": ["main"]})):
            branch = f"{event}-{provider}"
            git("branch", branch, "main", cwd=repository)
            team.amplify.create_branch(appId=app_id, branchName=branch)
            parameters = {"appId": app_id, "branchName": branch, "jobType": "RELEASE"}
            routes[branch.replace("_", "-")] = {
                "source": provider,
                "when": {event: {**when, **more}},
                "request": {"operation": "start_job", "parameters": parameters},
            }
    team.add_routes(routes)
    return Hosts(team, folder)


@pytest.fixture(scope="module")
def reported(hosts: Hosts) -> Hosts:
    """A pull request at every host, and all its reports."""
    requests: dict[tuple[str, int | None], str] = {}
    for provider in STATES:
        pull = Operation("opened", 1, 1, before="b" * 40, after=HEAD, number=7, merge=1, title=HOSTILE)
        requests[provider, 7] = hosts.deliver(provider, pull)
        # All at once, each would start processes of its own.
        hosts.team.told(requests[provider, 7], "Job Started")
        # EventBridge may bring the end of a short job before its start, which is then not reported any more.
        hosts.team.until(partial(hosts.head_status, provider), f"{provider} was not told of the start")
        (hosts.reported / f"pull_request-{provider}").touch()
    hosts.until_reported(requests)
    return hosts


@every_host
def test_the_head_of_a_pull_request_has_a_status_from_the_start_to_the_end(reported: Hosts, provider: str) -> None:
    calls = reported.calls(provider, HEAD)
    assert [one["content"]["state"] for one in calls] == [*STATES[provider]]
    assert f"amplify-jobs/pull-request-{provider}" in names(calls[-1]["content"])
    assert reported.sites[provider, 7] in calls[-1]["content"].values()
    if provider == "azure-devops":
        # The policies of its branches look at the statuses of the pull request.
        assert reported.states(provider, "/pullRequests/7/statuses") == [*STATES[provider]]
    assert {one["status"] for one in reported.calls(provider)} <= {200, 201, 204}


def names(content: dict[str, Any]) -> set[str]:
    """What a status is known by."""
    context = content.get("context", "")
    whole = f"{context['genre']}/{context['name']}" if isinstance(context, dict) else context
    return {whole, *(str(content.get(member)) for member in ("name", "key"))}


@every_host
def test_a_pull_request_has_one_comment_with_its_preview(reported: Hosts, provider: str) -> None:
    (text,) = reported.comments(provider, 7)
    assert f"]({reported.sites[provider, 7]})" in text
    assert HEAD[:12] in text
    assert "evil" in text
    for harmful in ("@here", "<b>", "](https://evil"):
        assert harmful not in text


@pytest.mark.parametrize("provider", DEPLOYING)
def test_a_job_is_one_deployment_to_an_environment_with_the_address_of_the_site(reported: Hosts, provider: str) -> None:
    calls = reported.calls(provider)
    addresses = [one["content"].get(member) for one in calls for member in ("environment_url", "external_url")]
    assert addresses.count(reported.sites[provider, 7]) == 1
    assert len([one for one in calls if one["path"].endswith("/deployments")]) == 1


@pytest.mark.thorough
def test_lost_answers_and_limits_leave_one_comment_and_the_last_states_at_every_host(reported: Hosts) -> None:
    hosts = reported
    requests: dict[tuple[str, int | None], str] = {}
    for provider in STATES:
        # A comment is made and its answer is lost: the second attempt finds it. A limit makes a status wait.
        comments = COMMENT_LISTS[provider].of(8).replace("activities", "comments").rpartition("/")[2]
        fail_next(hosts.team, provider, method="POST", path=f"/{comments}")
        fail_next(hosts.team, provider, path=LATER_HEAD, status=429, headers={"retry-after": "1"})
        push = Operation("push", 2, 2, "refs/heads/main", "b" * 40, PUSHED)
        pull = Operation("opened", 3, 3, before="b" * 40, after=LATER_HEAD, number=8, merge=2)
        requests[provider, None] = hosts.deliver(provider, push)
        requests[provider, 8] = hosts.deliver(provider, pull)
    hosts.until_reported(requests)
    for provider in STATES:
        answers = [one["status"] for one in received(hosts.team, provider)]
        assert (answers.count(None), answers.count(429)) == (1, 1), provider
        (text,) = hosts.comments(provider, 8)
        assert hosts.sites[provider, 8] in text, provider
        for commit in (PUSHED, LATER_HEAD):
            calls = [one for one in hosts.calls(provider, commit) if one["status"] in {200, 201, 204}]
            assert calls[-1]["content"]["state"] == STATES[provider][1], provider
            assert len(calls) <= 2, provider


def test_no_token_is_in_a_log(reported: Hosts) -> None:
    logs = "".join(path.read_text("utf-8", "replace") for path in reported.team.cloud.state_dir.rglob("*.log"))
    assert "t0ken-of-the-host" not in logs
