"""Where a mirror fetches the head of a pull request: on every host, of a branch of the repository or of a fork."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_jobs.events.event import Event
from amplify_jobs.model.mirror_order import MirrorOrder
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Matched, decide
from amplify_jobs.routing.routes import Routes
from tests.support.recorded_webhooks import NOW
from tests.unit.events.test_deliveries import PULLS, A, Payload, event, gitea

# A host -> the ref of its pull request 7 from a fork, None where it keeps none.
FORK_REFS = {
    "github": "refs/pull/7/head",
    "gitlab": "refs/merge-requests/7/head",
    "bitbucket": None,
    "bitbucket-server": "refs/pull-requests/7/from",
    "gitea": "refs/pull/7/head",
    "forgejo": "refs/pull/7/head",
    # The commit comes as a parent of the merge that Azure DevOps tries.
    "azure-devops": "refs/pull/7/merge",
}
EVE = {"full_name": "eve/web"}


def of_fork(host: str) -> Payload:
    """A pull request that is opened from a fork, as the host describes it."""
    return forked(host, PULLS[host][1]("opened", False, "eve"))


def forked(host: str, payload: Payload) -> Payload:
    """The same event of a pull request whose head lies in a fork."""
    headers, body = payload
    if host == "gitlab":
        body["object_attributes"]["source_project_id"] = 2
    elif host == "bitbucket":
        body["pullrequest"]["source"]["repository"] = EVE
    elif host == "bitbucket-server":
        body["pullRequest"]["fromRef"]["repository"] = {"slug": "web", "project": {"key": "~eve"}}
    elif host == "azure-devops":
        body["resource"].get("pullRequest", body["resource"])["forkSource"] = {
            "name": "refs/heads/feat",
            "repository": {"name": "web"},
        }
    else:
        body["pull_request"]["head"]["repo"] = EVE
    return headers, body


def requested(host: str, occurrence: Event, mirror: dict[str, Any] | None = None) -> JobRequest:
    sources = {
        host: {"provider": host, "secrets": ["/s"], "git": {"url": "https://git.example.com/{repository}.git"}},
        "gitea": {"provider": "gitea", "secrets": ["/s"], "git": {"url": "https://git.example.com/{repository}.git"}},
    }
    sources = {name: source for name, source in sources.items() if name != "codecommit"}
    source = host if host in sources else "gitea"
    route = {
        "source": source,
        "when": {"pull_request": {"repository": occurrence.repository, "forks": True}},
        "request": {
            "operation": "start_job",
            "parameters": {"appId": "d1", "branchName": "pr-7", "jobType": "RELEASE"},
        },
        "mirror": {"to": "codecommit::web", **(mirror or {})},
    }
    routes = Routes.model_validate({"sources": sources, "routes": {"web": route}})
    (match,) = decide(routes, source, occurrence)
    assert isinstance(match, Matched)
    return make_job_request(match, occurrence, source=host, delivery_id=None, received_at=NOW)


def order(host: str, occurrence: Event, mirror: dict[str, Any] | None = None) -> MirrorOrder:
    request = requested(host, occurrence, mirror)
    assert request.fault is None
    assert request.mirror is not None
    return request.mirror


@pytest.mark.parametrize("host", PULLS)
@pytest.mark.parametrize("moment", ["opened", "pushed"])
def test_a_branch_of_the_repository_is_fetched_as_it_is_named(host: str, moment: str) -> None:
    provider, payload = PULLS[host]
    occurrence = order(provider, event(provider, payload(moment, False, "ada")))
    assert (occurrence.ref, occurrence.commit, occurrence.branch) == ("refs/heads/feat", A, "pr-7")
    assert occurrence.repository == ("web" if host == "codecommit" else "acme/web")


@pytest.mark.parametrize(("host", "ref"), [(host, ref) for host, ref in FORK_REFS.items() if ref])
@pytest.mark.parametrize("commit", ["exact", "newest"])
def test_the_commit_of_a_fork_is_fetched_below_the_pull_request_and_exactly(host: str, ref: str, commit: str) -> None:
    occurrence = order(host, event(host, of_fork(host)), {"commit": commit})
    assert (occurrence.repository, occurrence.ref, occurrence.commit) == ("acme/web", ref, A)


def test_a_host_without_a_ref_for_forks_is_said_to_be_one() -> None:
    (host,) = (host for host, ref in FORK_REFS.items() if ref is None)
    request = requested(host, event(host, of_fork(host)))
    assert request.mirror is None
    assert request.fault is not None
    assert "the host keeps its commits in no ref of the repository; open it from a branch" in request.fault


@pytest.mark.parametrize("host", [host for host, ref in FORK_REFS.items() if ref])
def test_a_fork_whose_commit_is_not_told_is_not_built_as_it_happens_to_be(host: str) -> None:
    headers, body = of_fork(host)
    occurrence = event(host, (headers, json.loads(json.dumps(body).replace(f'"{A}"', "null"))))
    assert requested(host, occurrence).fault == "the event does not say at which commit pull request 7 stands"


def test_the_newest_commit_of_a_branch_of_the_repository_is_left_to_the_time_of_the_mirror() -> None:
    occurrence = event("gitea", PULLS["gitea"][1]("opened", False, "ada"))
    assert order("gitea", occurrence, {"commit": "newest"}).commit is None


def test_a_head_of_no_branch_is_fetched_below_the_pull_request() -> None:
    headers, body = gitea("opened", draft=False)
    body["pull_request"]["head"] |= {"label": "", "ref": "refs/pull/7/head"}
    occurrence = order("gitea", event("gitea", (headers, body)))
    assert (occurrence.ref, occurrence.commit) == ("refs/pull/7/head", A)


def test_a_pull_request_of_a_tag_is_fetched_from_the_tag() -> None:
    headers, body = PULLS["bitbucket-server"][1]("opened", False, "ada")
    body["pullRequest"]["fromRef"]["id"] = "refs/tags/v1"
    assert order("bitbucket-server", event("bitbucket-server", (headers, body))).ref == "refs/tags/v1"


def test_every_host_with_forks_is_in_the_table() -> None:
    assert {provider for provider, _ in PULLS.values()} - {"codecommit"} == FORK_REFS.keys()
