"""How each host tells that a pull request ended, or moved to another target: all that a preview of it is known by."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_jobs.events.event import Event, PullRequestAction
from amplify_jobs.events.git_hosts import TITLES
from amplify_jobs.events.times import host_time
from tests.support.recorded_webhooks import corpus_body, parse, recorded
from tests.unit.events.test_deliveries import PULLS, event, pulled

CLOSED, MERGED = PullRequestAction.CLOSED, PullRequestAction.MERGED
TIME = "2026-11-01T10:00:00Z"
# A host -> the members that make its pull request one that ended, by how it ended, and the time where the host has it.
GITHUB = {"action": "closed", "pull_request.state": "closed", "pull_request.updated_at": TIME}
GITLAB = {"object_attributes.updated_at": "2026-11-01 10:00:00 UTC"}
AZURE = {"eventType": "git.pullrequest.updated", "createdDate": "2026-11-01T10:00:00.1234567Z"}
AZURE |= {"resource.closedDate": "2026-11-01T10:00:00.1234567Z"}
CODECOMMIT = {"detail.pullRequestStatus": "Closed", "time": TIME}
ENDINGS: dict[str, dict[PullRequestAction, dict[str, Any]]] = {
    "github": {CLOSED: GITHUB, MERGED: {**GITHUB, "pull_request.merged": True}},
    "gitea": {CLOSED: GITHUB, MERGED: {**GITHUB, "pull_request.merged": True}},
    "forgejo": {CLOSED: GITHUB, MERGED: {**GITHUB, "pull_request.merged": True}},
    "gitlab": {
        CLOSED: {**GITLAB, "object_attributes.action": "close", "object_attributes.state": "closed"},
        MERGED: {**GITLAB, "object_attributes.action": "merge", "object_attributes.state": "merged"},
    },
    "bitbucket": {
        CLOSED: {"X-Event-Key": "pullrequest:rejected", "pullrequest.updated_on": TIME},
        MERGED: {"X-Event-Key": "pullrequest:fulfilled", "pullrequest.updated_on": TIME},
    },
    "bitbucket-server": {
        CLOSED: {"X-Event-Key": "pr:declined", "date": "2026-11-01T10:00:00+0000"},
        MERGED: {"X-Event-Key": "pr:merged", "date": "2026-11-01T10:00:00+0000"},
    },
    "azure-devops": {
        CLOSED: {**AZURE, "resource.status": "abandoned"},
        MERGED: {**AZURE, "resource.status": "completed"},
    },
    "codecommit": {
        CLOSED: {**CODECOMMIT, "detail.event": "pullRequestStatusChanged", "detail.isMerged": "False"},
        MERGED: {**CODECOMMIT, "detail.event": "pullRequestMergeStatusUpdated", "detail.isMerged": "True"},
    },
}
# These tell the target of before; the others tell at most that there is another.
TELLING_PREVIOUS_TARGETS = ("github", "gitlab", "bitbucket-server", "gitea", "forgejo")


def ended(host: str, action: PullRequestAction) -> Event:
    headers, body = PULLS[host][1]("opened", False, "ada")
    body = json.loads(json.dumps(body))
    for path, value in ENDINGS[host][action].items():
        place: Any = headers if path.startswith("X-") else body
        *parents, last = [path] if path.startswith("X-") else path.split(".")
        for parent in parents:
            place = place[parent]
        place[last] = value
    return event(host, (headers, body))


@pytest.mark.parametrize("host", ENDINGS)
@pytest.mark.parametrize("action", [CLOSED, MERGED])
def test_an_ending_names_its_pull_request_and_its_time(host: str, action: PullRequestAction) -> None:
    result = ended(host, action)
    assert result.pull_request is not None
    assert (result.pull_request.action, result.pull_request.number) == (action, 7)
    assert result.repository == ("web" if host == "codecommit" else "acme/web")
    assert (result.pull_request.source, result.pull_request.target) == ("feat", "main")
    assert result.pull_request.source_ref == "refs/heads/feat"
    time = host_time(result)
    assert time is not None
    assert time.replace(microsecond=0).isoformat() == "2026-11-01T10:00:00+00:00"


def test_every_host_is_in_the_table() -> None:
    assert ENDINGS.keys() == TITLES.keys()


@pytest.mark.parametrize("host", ENDINGS)
def test_a_merge_is_the_same_whenever_it_is_told(host: str) -> None:
    first = ended(host, MERGED)
    later = first.model_copy(update={"event_time": "2026-11-02T10:00:00Z"})
    assert first.digest == later.digest


@pytest.mark.parametrize("host", ENDINGS)
def test_a_new_target_names_the_one_before_where_the_host_does(host: str) -> None:
    pull = pulled(host, "moved").pull_request
    assert pull is not None
    assert pull.target == "main"
    assert pull.previous_target == ("next" if host in TELLING_PREVIOUS_TARGETS else None)
    # CodeCommit keeps the target of a pull request.
    assert pull.target_unclear == (host in ("bitbucket", "azure-devops"))


@pytest.mark.parametrize("host", PULLS)
@pytest.mark.parametrize("moment", ["opened", "pushed", "titled"])
def test_where_the_host_says_what_changed_a_target_is_clear(host: str, moment: str) -> None:
    pull = pulled(host, moment).pull_request
    assert pull is not None
    says_nothing = host in ("bitbucket", "azure-devops") and moment != "opened"
    assert pull.target_unclear == says_nothing


def test_gitlab_may_say_of_a_new_target_only_that_the_merge_is_to_be_checked() -> None:
    headers, body = PULLS["gitlab"][1]("titled", False, "ada")
    unchecked = {"merge_status": {"previous": "can_be_merged", "current": "unchecked"}}
    for changes, is_unclear in (
        (unchecked, True),
        ({**unchecked, "target_branch": {"previous": "next", "current": "main"}}, False),
        ({"merge_status": {"previous": "unchecked", "current": "can_be_merged"}}, False),
    ):
        pull = event("gitlab", (headers, {**body, "changes": changes})).pull_request
        assert pull is not None
        assert pull.target_unclear is is_unclear


def test_azure_devops_says_in_its_message_what_is_clear() -> None:
    headers, body = PULLS["azure-devops"][1]("pushed", False, "ada")
    for text, is_unclear in (
        ("Ada updated the source branch of pull request 7 (a change) in web", False),
        ("Ada changed the target branch of pull request 7 (a change) in web", True),
    ):
        pull = event("azure-devops", (headers, {**body, "message": {"text": text}})).pull_request
        assert pull is not None
        assert pull.target_unclear is is_unclear


@pytest.mark.parametrize("row", recorded())
def test_recorded_endings_name_what_a_preview_is_known_by(row: dict[str, Any]) -> None:
    for result in parse(row["provider"], row["headers"], corpus_body(row["file"])).events:
        pull = result.pull_request
        if pull is not None and pull.action in (CLOSED, MERGED):
            assert result.repository
            assert pull.number
            assert pull.source
            assert host_time(result) is not None
