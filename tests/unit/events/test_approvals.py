"""What may approve the code of a fork: labels and comments as each host tells of them, and when one is new."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amplify_jobs.events.event import Approval, Event, PullRequestAction
from amplify_jobs.events.git_hosts import TITLES, git_host
from tests.support.recorded_webhooks import corpus_body, parse, recorded
from tests.unit.events.test_deliveries import (
    A,
    B,
    Payload,
    azure_devops,
    bitbucket_data_center,
    event,
    forgejo,
    gitea,
    github,
    gitlab,
    pulled,
    read,
)
from tests.unit.events.test_webhooks_robustness import HOSTILE, JSON, places, understood_or_refused

TIMES = ("2026-11-01T10:00:00Z", "2026-11-01T10:00:07Z")


def github_label(serial: int, label: str = "preview", action: str = "labeled") -> Payload:
    headers, body = github("opened", draft=False)
    body["pull_request"] |= {"updated_at": TIMES[serial], "labels": [{"name": "preview"}, {"name": "bug"}]}
    return headers, {**body, "action": action, "label": {"name": label}, "sender": {"login": "ada"}}


def gitlab_labels(serial: int, before: tuple[str, ...] = (), now: tuple[str, ...] = ("preview",)) -> Payload:
    _, body = gitlab("titled", draft=False)
    changes = {"previous": [{"title": title} for title in before], "current": [{"title": title} for title in now]}
    body["object_attributes"] |= {"updated_at": TIMES[serial]}
    body |= {"changes": {"labels": changes}, "user": {"name": "Ada L.", "username": "ada"}}
    return {"Idempotency-Key": f"id-{serial}"}, body


def bitbucket_comment(serial: int, text: str = "/preview", kind: str = "comment:added") -> Payload:
    _, body = bitbucket_data_center("opened", draft=False)
    body["pullRequest"] |= {"state": "OPEN", "updatedDate": 1}
    body |= {"date": TIMES[serial], "comment": {"id": serial, "text": text}}
    return {"X-Event-Key": f"pr:{kind}"}, body | {"actor": {"name": "ada", "displayName": "Eve"}}


def gitea_comment(serial: int, text: str = "/preview", kind: str = "created") -> Payload:
    _, body = gitea("opened", draft=False)
    comment = {"id": serial, "body": text, "created_at": TIMES[serial], "user": {"login": "ada"}}
    del body["number"]
    body["pull_request"]["number"] = 7
    return {"X-Gitea-Event": "issue_comment"}, {
        **body,
        "action": kind,
        "is_pull": True,
        "comment": comment,
        "sender": {"login": "ada"},
    }


def forgejo_comment(serial: int, text: str = "/preview", kind: str = "created") -> Payload:
    assert forgejo("opened", draft=False)[0] == {"X-Forgejo-Event": "pull_request"}
    return {"X-Forgejo-Event": "issue_comment"}, gitea_comment(serial, text, kind)[1]


def azure_comment(serial: int, text: str = "/preview", **members: Any) -> Payload:
    _, body = azure_devops("opened", draft=False)
    author = {"displayName": "Eve", "id": "ada", "uniqueName": "ada@example.com"}
    times = {"publishedDate": TIMES[serial], "lastContentUpdatedDate": TIMES[serial]}
    comment = {"id": 1, "author": author, "content": text, "commentType": "text", **times, **members}
    return {}, {
        "eventType": "ms.vss-code.git-pullrequest-comment-event",
        "createdDate": TIMES[serial],
        "resource": {"comment": comment, "pullRequest": body["resource"]},
    }


APPROVALS: dict[str, Callable[[int], Payload]] = {
    "github": github_label,
    "gitlab": gitlab_labels,
    "bitbucket-server": bitbucket_comment,
    "gitea": gitea_comment,
    "forgejo": forgejo_comment,
    "azure-devops": azure_comment,
}
COMMENTS: dict[str, Callable[[int, Any], Payload]] = {
    "bitbucket-server": bitbucket_comment,
    "gitea": gitea_comment,
    "forgejo": forgejo_comment,
    "azure-devops": azure_comment,
}


def approval(occurrence: Event) -> Approval | None:
    assert occurrence.pull_request is not None
    return occurrence.pull_request.approval


def with_member(payload: Payload, value: Any, *path: str) -> Payload:
    headers, body = payload
    copy = json.loads(json.dumps(body))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return headers, copy


def test_the_hosts_that_tell_of_approvals_are_those_that_say_so() -> None:
    assert {host for host in TITLES if git_host(host).APPROVAL} == APPROVALS.keys()
    assert {host for host in TITLES if git_host(host).APPROVAL == "comment"} == COMMENTS.keys()


@pytest.mark.parametrize("host", APPROVALS)
def test_an_approval_names_what_was_approved_and_the_account_that_did_it(host: str) -> None:
    result = event(host, APPROVALS[host](0))
    expected = Approval(labels=("preview",), person="ada") if host not in COMMENTS else None
    assert approval(result) == (expected or Approval(comment="/preview", person="ada"))
    assert result.pull_request is not None
    assert (result.pull_request.number, result.pull_request.action) == (7, PullRequestAction.OTHER)
    assert (result.repository, result.commit, result.pull_request.head) == ("acme/web", A, A)
    assert result.event_time == TIMES[0]


@pytest.mark.parametrize("host", APPROVALS)
def test_a_second_approval_is_new_and_a_delivery_that_is_repeated_is_not(host: str) -> None:
    first, again, second = (event(host, APPROVALS[host](serial)) for serial in (0, 0, 1))
    assert first.digest == again.digest
    assert first.digest != second.digest


@pytest.mark.parametrize("host", APPROVALS)
def test_the_same_approval_of_other_code_is_new(host: str) -> None:
    payload = APPROVALS[host](0)
    headers, body = payload
    other = json.loads(json.dumps(body).replace(A, B))
    assert event(host, payload).digest != event(host, (headers, other)).digest


@pytest.mark.parametrize(
    ("first", "second"), [(github_label(0), github_label(0, "bug")), (gitea_comment(0), gitea_comment(0, "/other"))]
)
def test_approvals_of_one_second_are_told_apart_by_what_they_say(first: Payload, second: Payload) -> None:
    host = "github" if "X-GitHub-Event" in first[0] else "gitea"
    assert event(host, first).digest != event(host, second).digest


@pytest.mark.parametrize("host", APPROVALS)
def test_the_answer_to_other_events_has_no_approval(host: str) -> None:
    assert "approval" in event(host, APPROVALS[host](0)).for_answer()["pullRequest"]
    shown = pulled(host, "opened").for_answer()["pullRequest"]
    assert shown.keys().isdisjoint({"approval", "sourceRef", "unclear"})


class TestLabels:
    @pytest.mark.parametrize("action", ["unlabeled", "synchronize", "opened"])
    def test_one_that_the_pull_request_only_has_approves_nothing(self, action: str) -> None:
        assert approval(event("github", github_label(0, action=action))) is None

    def test_on_a_closed_pull_request_approves_nothing(self) -> None:
        assert approval(event("github", with_member(github_label(0), "closed", "pull_request", "state"))) is None
        closed = with_member(gitlab_labels(0), "closed", "object_attributes", "state")
        assert approval(event("gitlab", closed)) is None

    def test_of_gitlab_are_those_that_were_added(self) -> None:
        result = approval(event("gitlab", gitlab_labels(0, ("preview", "a"), ("preview", "z", "b"))))
        assert result == Approval(labels=("b", "z"), person="ada")
        assert approval(event("gitlab", gitlab_labels(0, ("preview",), ("preview",)))) is None
        assert approval(event("gitlab", gitlab_labels(0, ("preview", "a"), ("preview",)))) is None

    def test_that_come_with_new_code_leave_it_new_code(self) -> None:
        result = event("gitlab", with_member(gitlab_labels(0), B, "object_attributes", "oldrev"))
        assert result.pull_request is not None
        assert (result.pull_request.action, approval(result)) == (
            PullRequestAction.SYNCHRONIZE,
            Approval(labels=("preview",), person="ada"),
        )

    @pytest.mark.parametrize("host", ["gitea", "forgejo"])
    def test_of_gitea_and_forgejo_are_not_known_one_by_one(self, host: str) -> None:
        headers, body = {"gitea": gitea, "forgejo": forgejo}[host]("titled", False)
        body["pull_request"]["labels"] = [{"name": "preview"}]
        assert approval(event(host, (headers, {**body, "action": "label_updated"}))) is None


class TestComments:
    @pytest.mark.parametrize("host", COMMENTS)
    @pytest.mark.parametrize("text", ["/preview", " /preview \r\nthanks", "\n\n/preview\n", "/preview\n/other"])
    def test_the_first_line_counts(self, host: str, text: str) -> None:
        result = approval(event(host, COMMENTS[host](0, text)))
        assert result is not None
        assert result.comment == "/preview"

    @pytest.mark.parametrize("host", COMMENTS)
    @pytest.mark.parametrize("text", ["", " \n ", "x" * 101, None, 7])
    def test_one_that_is_no_command_is_ignored(self, host: str, text: Any) -> None:
        value = read(host, COMMENTS[host](0, text))
        assert (value.events, "is no command" in (value.ignored or "")) == ((), True)

    @pytest.mark.parametrize(
        ("host", "payload", "words"),
        [
            ("gitea", gitea_comment(0, kind="edited"), "only a new comment"),
            ("gitea", gitea_comment(0, kind="deleted"), "only a new comment"),
            ("gitea", with_member(gitea_comment(0), False, "is_pull"), "only a new comment"),
            ("gitea", with_member(gitea_comment(0), None, "pull_request"), "newer versions do"),
            ("gitea", with_member(gitea_comment(0), "closed", "pull_request", "state"), "not open"),
            ("bitbucket-server", bitbucket_comment(0, kind="comment:edited"), "not handled"),
            ("bitbucket-server", bitbucket_comment(0, kind="comment:deleted"), "not handled"),
            ("bitbucket-server", with_member(bitbucket_comment(0), "MERGED", "pullRequest", "state"), "not open"),
            ("azure-devops", azure_comment(0, lastContentUpdatedDate=TIMES[1]), "only a new comment"),
            ("azure-devops", azure_comment(0, isDeleted=True), "only a new comment"),
            ("azure-devops", azure_comment(0, commentType="system"), "only a new comment"),
            ("azure-devops", with_member(azure_comment(0), None, "resource", "pullRequest"), "resource version 2.0"),
            (
                "azure-devops",
                with_member(azure_comment(0), "completed", "resource", "pullRequest", "status"),
                "not open",
            ),
        ],
    )
    def test_one_that_can_be_of_other_code_is_ignored(self, host: str, payload: Payload, words: str) -> None:
        value = read(host, payload)
        assert value.events == ()
        assert words in (value.ignored or "")

    def test_an_address_is_never_the_person(self) -> None:
        assert "@" not in event("azure-devops", azure_comment(0)).model_dump_json()


@pytest.mark.parametrize("host", APPROVALS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_a_malformed_approval_is_refused_or_ignored(host: str, data: st.DataObject) -> None:
    headers, body = APPROVALS[host](0)
    payload = json.loads(json.dumps(body))
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places(payload)))
        if data.draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = data.draw(HOSTILE | JSON)
    understood_or_refused(host, headers, json.dumps(payload).encode())


def labels_set(row: dict[str, Any]) -> tuple[str, ...]:
    """The labels that a recorded delivery sets, as its own payload says it."""
    body = json.loads(corpus_body(row["file"]))
    if row["provider"] == "github":
        return (body["label"]["name"],) if body.get("action") == "labeled" else ()
    if row["provider"] != "gitlab" or body.get("object_attributes", {}).get("action") != "update":
        return ()
    labels = (body["changes"] or {}).get("labels") or {"previous": [], "current": []}
    before = {label["title"] for label in labels["previous"]}
    return tuple(sorted({label["title"] for label in labels["current"]} - before))


@pytest.mark.parametrize("row", recorded())
def test_a_recorded_delivery_approves_by_the_labels_that_it_sets_alone(row: dict[str, Any]) -> None:
    for result in parse(row["provider"], row["headers"], corpus_body(row["file"])).events:
        pull_approval = result.pull_request.approval if result.pull_request else None
        assert (pull_approval.labels if pull_approval else ()) == labels_set(row)
        assert pull_approval is None or pull_approval.person
