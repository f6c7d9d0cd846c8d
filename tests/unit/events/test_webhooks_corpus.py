"""What the recorded deliveries of eight hosts mean."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events.event import PullRequestAction
from amplify_jobs.events.payload import Payload
from tests.support.recorded_webhooks import corpus_body, parse, recorded

# Expectations that are marked `derived` and wrong, by the recording's id: what is right instead, and why.
CUT_SHORT = "total_commits_count is 4 and two commits are listed, so which files changed is not known"
A_NUMBER = "EventBridge writes the number as a text; with us it is a number, whatever the host"
WRONG_EXPECTATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "gitlab-0222": ({"changed_files": None}, CUT_SHORT),
    "gitlab-0338": ({"changed_files": None}, CUT_SHORT),
    "codecommit-0423": ({"pr_number": 1}, A_NUMBER),
    "codecommit-0424": ({"pr_number": 1}, A_NUMBER),
    "codecommit-0425": ({"pr_number": 1}, A_NUMBER),
    "codecommit-0426": ({"pr_number": 1}, A_NUMBER),
}

# The hosts' words of the recordings that are not `other` -> ours.
ACTIONS = {
    "github": {
        "opened": "opened",
        "synchronize": "synchronize",
        "reopened": "reopened",
        "closed": "closed",
        "merged": "merged",
    },
    "gitlab": {"open": "opened", "opened": "opened", "reopen": "reopened"},
    "bitbucket": {"created": "opened", "updated": "synchronize", "fulfilled": "merged", "rejected": "closed"},
    "bitbucket-server": {
        "opened": "opened",
        "from_ref_updated": "synchronize",
        "merged": "merged",
        "declined": "closed",
        "deleted": "closed",
    },
    "gitea": {
        "opened": "opened",
        "synchronized": "synchronize",
        "reopened": "reopened",
        "closed": "closed",
        "merged": "merged",
    },
    "forgejo": {"opened": "opened", "closed": "closed", "merged": "merged"},
    # All recorded updates are of the status, to completed.
    "azure-devops": {"created": "opened", "updated": "merged", "merged": "merged"},
    "codecommit": {
        "pullRequestCreated": "opened",
        "pullRequestSourceBranchUpdated": "synchronize",
        "pullRequestStatusChanged": "closed",
        "pullRequestMergeStatusUpdated": "merged",
    },
}
# The recordings expect no author of pull requests of these hosts; where it stands in their payloads.
AUTHORS: dict[str, list[tuple[str, ...]]] = {
    "gitlab": [("object_attributes", "last_commit", "author", "name"), ("user", "name")],
    "bitbucket": [("pullrequest", "author", "display_name"), ("pullrequest", "author", "username")],
    "bitbucket-server": [("pullRequest", "author", "user", "displayName")],
    "azure-devops": [("resource", "createdBy", "displayName")],
}


def authors(row: dict[str, Any]) -> set[str | None]:
    """What may be the author of a recorded pull request."""
    if row["provider"] == "codecommit":
        return {"Mary_Major"}
    payload = Payload(json.loads(corpus_body(row["file"])))
    return {payload.member(*path) for path in AUTHORS[row["provider"]]}


def in_the_recordings_words(event: dict[str, Any]) -> dict[str, Any]:
    pull, release = event["pullRequest"] or {}, event["release"] or {}
    host_action = pull.get("hostAction")
    # Where the host says closed with a flag that it was merged, the recordings say merged.
    merged = host_action == "closed" and pull["action"] == "merged"
    same = ("kind", "ref", "branch", "tag", "before", "after", "commit", "message", "author")
    return {
        **{member: event[member] for member in (*same, "created", "deleted", "forced")},
        "repo_full_name": event["repository"],
        "changed_files": event["changedFiles"],
        "pr_number": pull.get("number"),
        "pr_action": "merged" if merged else host_action,
        "pr_source": pull.get("source"),
        "pr_target": pull.get("target"),
        "pr_head_sha": pull.get("head"),
        "pr_from_fork": pull.get("fromFork"),
        "release_action": release.get("action"),
    }


def expected_action(row: dict[str, Any], event: dict[str, Any]) -> str | None:
    if event["pr_action"] is None:
        return None
    if row["provider"] == "gitlab" and event["pr_action"] == "update":
        return "synchronize" if event["before"] else "other"
    return ACTIONS[row["provider"]].get(event["pr_action"], "other")


@pytest.mark.parametrize("row", recorded())
def test_recorded_deliveries_mean_what_is_expected_of_them(row: dict[str, Any]) -> None:
    right, _ = WRONG_EXPECTATIONS.get(row["id"], ({}, ""))
    expected = [{**event, **right} for event in row["expected_events"]]
    for event in expected:
        if event["kind"] == "pull_request" and event["author"] is None:
            (parsed,) = parse(row["provider"], row["headers"], corpus_body(row["file"])).events
            assert parsed.author in authors(row) - {None}
            event["author"] = parsed.author
    result = parse(row["provider"], row["headers"], corpus_body(row["file"]))
    events = [event.for_answer() for event in result.events]
    assert [in_the_recordings_words(event) for event in events] == expected
    actions = [event["pullRequest"] and event["pullRequest"]["action"] for event in events]
    assert actions == [expected_action(row, event) for event in expected]
    assert [event["release"] and event["release"]["tag"] for event in events] == [
        event["tag"] if event["release_action"] else None for event in expected
    ]
    assert result.ignored is None


@pytest.mark.parametrize("row", recorded())
def test_only_derived_expectations_are_called_wrong(row: dict[str, Any]) -> None:
    right, _ = WRONG_EXPECTATIONS.get(row["id"], ({}, ""))
    assert not right or row["expected_basis"] == "derived"
    assert all(event[member] != value for event in row["expected_events"] for member, value in right.items())


@pytest.mark.parametrize("row", [*recorded(provider="github"), *recorded(provider="gitea")])
def test_a_recorded_delivery_as_a_form_means_the_same(row: dict[str, Any]) -> None:
    body = corpus_body(row["file"])
    form = urlencode({"payload": body.decode()}).encode()
    headers = {**row["headers"], "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert parse(row["provider"], headers, form) == parse(row["provider"], row["headers"], body)


def test_actions_are_in_words_that_exist() -> None:
    assert {action for words in ACTIONS.values() for action in words.values()} <= set(PullRequestAction)


@pytest.mark.parametrize("row", recorded(provider="codecommit"))
def test_events_of_codecommit_must_be_of_their_own_repository(row: dict[str, Any]) -> None:
    event = json.loads(corpus_body(row["file"]))
    changes: list[dict[str, Any]] = [
        {"source": "acme"},
        {"account": "1"},
        {"region": "x"},
        {"resources": []},
        {"resources": [None]},
    ]
    for change in changes:
        with pytest.raises(UnreadableDeliveryError, match="must be"):
            parse("codecommit", {}, json.dumps({**event, **change}).encode())
