"""Previews of routes: which routes may have them, and what each event of a pull request does to one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from amplify_jobs.events.event import Event, EventKind, PullRequestAction
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Ignored, Matched, decide
from amplify_jobs.routing.routes import Routes

HEAD = "c" * 40
NOW = datetime(2026, 11, 1, tzinfo=UTC)
GIT = {"url": "https://git.example.com/{repository}.git"}
PARAMETERS = {"appId": "d1", "branchName": "pr-{pullRequest.number}", "jobType": "RELEASE"}
LABEL, COMMENT = {"label": "preview"}, {"comment": "/preview", "by": ["Ada"]}


def routes(
    pull_request: dict[str, Any] | None = None, source: str = "gitlab", branch: str | None = None, **more: Any
) -> Routes:
    sources = {
        "gitlab": {"provider": "gitlab", "secrets": ["/a/secrets/b"], "git": GIT},
        "gitea": {"provider": "gitea", "secrets": ["/a/secrets/b"], "git": GIT},
        "bitbucket": {"provider": "bitbucket", "secrets": ["/a/secrets/b"], "git": GIT},
        "sender": {"provider": "standard", "secrets": ["/a/secrets/b"], "git": GIT},
    }
    when = {"pull_request": {"repository": "acme/web", "targets": ["main"], **(pull_request or {})}}
    parameters = {**PARAMETERS, "branchName": branch or PARAMETERS["branchName"]}
    route = {
        "source": source,
        "when": when,
        "request": {"operation": "start_job", "parameters": parameters},
        "mirror": {"to": "codecommit::web"},
        "preview": {},
        **more,
    }
    return Routes.model_validate({"sources": sources, "routes": {"web": route}})


def event(**pull: Any) -> Event:
    facts = {"number": 7, "action": "opened", "host_action": "open", "source": "page", "target": "main", "head": HEAD}
    if pull.get("from_fork", False) is False:
        facts["source_ref"] = "refs/heads/page"
    return Event.model_validate(
        {
            "kind": EventKind.PULL_REQUEST,
            "repository": "acme/web",
            "ref": "refs/merge-requests/7/head",
            "branch": "main",
            "commit": HEAD,
            "pull_request": {**facts, "from_fork": False, **pull},
        }
    )


def decision(route_set: Routes, of: Event, source: str = "gitlab") -> Matched | Ignored:
    (decided,) = decide(route_set, source, of)
    return decided


def request(route_set: Routes, of: Event, source: str = "gitlab") -> JobRequest:
    matched = decision(route_set, of, source)
    assert isinstance(matched, Matched), matched
    return make_job_request(matched, of, source=source, delivery_id="d-1", received_at=NOW)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"when": {"push": {"repository": "acme/web"}}}, "web.preview: the route waits for no pull requests"),
        (
            {"request": {"operation": "start_deployment", "parameters": {}}, "mirror": None},
            "web.preview: start_deployment builds no branch",
        ),
        ({"pull_request": {"forks": True}}, "web.when.pull_request.forks: would build the code of strangers"),
        ({"branch": "preview"}, r'web.request.parameters.branchName: each pull request needs.*"pr-\{pullRequest.num'),
        ({"branch": "{pullRequest.source}"}, "web.request.parameters.branchName: each pull request needs a branch"),
        ({"mirror": None}, r'web.request.parameters.branchName: without a mirror.*"\{pullRequest.source\}"'),
        ({"mirror": {"to": "codecommit::web", "branch": "live"}}, "web.mirror.branch: would get the code of every"),
        (
            {"mirror": None, "branch": "{pullRequest.source}", "preview": {"approval": LABEL}},
            "web.preview.approval: needs a mirror",
        ),
        ({"preview": {"approval": COMMENT}}, "web.preview.approval.comment: approves nothing on GitLab; use label"),
        (
            {"preview": {"approval": LABEL}, "source": "gitea"},
            "web.preview.approval.label: approves nothing on Gitea; use comment, with by",
        ),
        (
            {"preview": {"approval": COMMENT}, "source": "bitbucket"},
            "web.preview.approval: events of Bitbucket Cloud name no approval",
        ),
        ({"preview": {"approval": LABEL}, "source": "sender"}, "web.preview.approval: events of Standard Webhooks"),
        ({"preview": {"approval": {}}}, "give either label or comment"),
        ({"preview": {"approval": {**LABEL, **COMMENT}}}, "give either label or comment"),
        ({"preview": {"approval": {**LABEL, "by": "ada"}}}, "by belongs to comment"),
        ({"preview": {"approval": {"comment": "/preview"}}}, "a comment needs by"),
        ({"preview": {"environmentVariables": {"AWS_REGION": "x"}}}, "Amplify keeps names that begin with AWS"),
        ({"preview": {"keepDays": 0}}, "greater than or equal to 1"),
    ],
)
def test_a_preview_that_can_not_be_is_refused_with_its_place(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        routes(**change)


def test_a_preview_of_a_tag_or_a_fork_has_no_source_branch_that_could_be_missed() -> None:
    of_fork = request(routes(preview={"approval": LABEL}), approval(label="preview")).preview
    of_tag = request(routes(), event(source="v1", source_ref="refs/tags/v1")).preview
    assert of_fork is not None
    assert of_tag is not None
    assert (of_fork.source_branch, of_tag.source_branch) == (None, None)


def test_an_opened_pull_request_asks_for_its_preview_and_the_commit_that_the_event_names() -> None:
    result = request(routes(mirror={"to": "codecommit::web", "commit": "newest"}), event())
    assert result.operation == "start_job"
    assert result.branch_name == "pr-7"
    assert result.preview is not None
    assert result.preview.model_dump() == {
        "action": "build",
        "source": "gitlab",
        "repository": "acme/web",
        "pull_request": 7,
        "source_branch": "page",
        "is_fork": False,
    }
    assert result.mirror is not None
    assert (result.mirror.commit, result.mirror.branch, result.mirror.remove) == (HEAD, "pr-7", False)


@pytest.mark.parametrize("action", ["closed", "merged"])
@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"actions": ["opened"]},
        {"paths": ["none/**"]},
        {"drafts": False},
        {"authors": ["nobody"]},
        {"targets": ["other"]},
    ],
)
@pytest.mark.parametrize("pull", [{}, {"draft": True}, {"from_fork": True}, {"from_fork": None}, {"head": None}])
def test_an_end_takes_the_preview_away_whatever_the_conditions_say(
    action: str, conditions: dict[str, Any], pull: dict[str, Any]
) -> None:
    result = request(routes(conditions), event(action=action, **pull))
    assert result.operation == "remove_preview"
    assert result.parameters == {"appId": "d1", "branchName": "pr-7"}
    assert result.preview is not None
    assert result.preview.action == "remove"
    assert result.mirror is not None
    assert (result.mirror.branch, result.mirror.remove, result.mirror.commit) == ("pr-7", True, None)
    assert result.fault is None


def test_the_end_of_a_pull_request_of_another_repository_source_or_switched_off_route_takes_nothing_away() -> None:
    closed = event(action="closed")
    assert isinstance(decision(routes({"repository": "acme/docs"}), closed), Ignored)
    assert isinstance(decision(routes(), closed, "bitbucket"), Ignored)
    assert isinstance(decision(routes(enabled=False), closed), Ignored)
    without = routes(preview=None)
    assert isinstance(decision(without, closed), Ignored)


def test_another_target_takes_the_preview_away_and_its_return_makes_it_again() -> None:
    away = event(action="other", host_action="edited", target="next", previous_target="main")
    assert request(routes(), away).operation == "remove_preview"
    back = event(action="other", host_action="edited", target="main", previous_target="next")
    assert request(routes(), back).operation == "start_job"
    elsewhere = event(action="other", host_action="edited", target="next", previous_target="last")
    assert isinstance(decision(routes(), elsewhere), Ignored)
    unclear = event(action="synchronize", target="next", target_unclear=True)
    assert request(routes(), unclear).operation == "remove_preview"
    assert request(routes(), event(action="synchronize", target_unclear=True)).operation == "start_job"
    # Any target will do.
    assert isinstance(decision(routes({"targets": None}), away), Ignored)


def approval(label: str | None = None, comment: str | None = None, person: str | None = None, **pull: Any) -> Event:
    members = {"labels": () if label is None else ("other", label), "comment": comment, "person": person}
    return event(action="other", host_action="labeled", **{"from_fork": True, "approval": members, **pull})


@pytest.mark.parametrize("from_fork", [True, None])
def test_a_fork_waits_for_an_approval_and_each_approval_is_of_one_commit(from_fork: bool | None) -> None:
    route_set = routes(preview={"approval": LABEL})
    for action in PullRequestAction:
        if action not in {"closed", "merged"}:
            waiting = decision(route_set, event(action=action, from_fork=from_fork))
            assert isinstance(waiting, Ignored)
            assert waiting.condition == "preview.approval"
            assert "waits for approval: the label preview" in waiting.reason
    job_request = request(route_set, approval(label="preview", from_fork=from_fork))
    assert job_request.preview is not None
    assert job_request.preview.is_fork
    assert job_request.mirror is not None
    assert (job_request.mirror.commit, job_request.mirror.ref) == (HEAD, "refs/merge-requests/7/head")
    # Without a head, nobody knows what was approved.
    assert isinstance(decision(route_set, approval(label="preview", head=None)), Ignored)
    assert isinstance(decision(route_set, approval(label="preview", target="other")), Ignored)


def test_a_comment_approves_if_it_is_of_one_of_the_people() -> None:
    route_set = routes(source="gitea", preview={"approval": COMMENT})
    good = approval(comment="/preview", person="ada")
    assert request(route_set, good, "gitea").preview
    for other in (
        approval(comment="/preview", person="eve"),
        approval(comment="/preview"),
        approval(comment="/preview please", person="ada"),
        approval(label="/preview", person="ada"),
    ):
        ignored = decision(route_set, other, "gitea")
        assert isinstance(ignored, Ignored)
        assert "waits for approval: the comment /preview of Ada" in ignored.reason
    assert decision(route_set, approval(comment="/preview", person="eve"), "gitea") == Ignored(
        "web",
        "pull request 7 comes from a fork and waits for approval: the comment /preview of Ada; this one is of eve",
        "preview.approval",
    )
    # A comment on an own branch is no event of a route.
    own = approval(comment="/preview", person="ada", from_fork=False)
    for conditions in ({}, {"actions": ["other"]}):
        ignored = decision(routes(conditions, source="gitea", preview={"approval": COMMENT}), own, "gitea")
        assert isinstance(ignored, Ignored)
        assert ignored.reason == "a comment on pull request 7 changes none of its code"


def test_an_order_by_the_name_of_a_preview_says_how_to_build_it_again() -> None:
    order = Event.model_validate({"kind": "request", "request": {"route": "web"}})
    (ignored,) = decide(routes(), "gitlab", order)
    assert isinstance(ignored, Ignored)
    assert "{pullRequest.number}, which a request does not have: retry the newest request" in ignored.reason


def test_without_approval_no_fork_is_built_and_an_approval_of_an_own_branch_asks_for_nothing() -> None:
    fork = decision(routes(), event(from_fork=True))
    assert isinstance(fork, Ignored)
    assert "(a mirror and preview.approval would)" in fork.reason
    own = decision(routes(preview={"approval": LABEL}), approval(label="preview", from_fork=False))
    assert isinstance(own, Ignored)
    assert own.condition == "pull_request.actions"


@given(
    action=st.sampled_from(PullRequestAction),
    from_fork=st.sampled_from([True, None]),
    given_approval=st.sampled_from([None, {"labels": ["other"]}, {"comment": "preview"}, {"labels": ["Preview"]}]),
    drafts=st.booleans(),
    previous=st.sampled_from([None, "main", "next"]),
    ready=st.booleans(),
)
def test_no_event_of_a_fork_but_its_approval_builds(
    *,
    action: PullRequestAction,
    from_fork: bool | None,
    given_approval: dict[str, object] | None,
    drafts: bool,
    previous: str | None,
    ready: bool,
) -> None:
    route_set = routes({"drafts": drafts, "actions": list(PullRequestAction)}, preview={"approval": LABEL})
    of = event(
        action=action, from_fork=from_fork, approval=given_approval, previous_target=previous, became_ready=ready
    )
    decided = decision(route_set, of)
    assert isinstance(decided, Ignored) or decided.removes_preview


def test_a_repeat_of_an_approval_is_one_request_and_a_second_one_another() -> None:
    route_set = routes(preview={"approval": LABEL})
    first, second = approval(label="preview"), approval(label="preview")
    ids = {
        request(route_set, of.model_copy(update={"evidence": (evidence,)})).request_id
        for of, evidence in ((first, "1"), (second, "1"), (second, "2"))
    }
    assert len(ids) == 2


def test_the_answer_to_a_delivery_names_an_approval_where_there_is_one() -> None:
    assert "approval" not in event().for_answer()["pullRequest"]
    assert approval(label="preview").for_answer()["pullRequest"]["approval"]["labels"] == ["other", "preview"]
