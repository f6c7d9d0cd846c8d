"""What commits say decides on missed pushes as on deliveries, and what a host can't tell is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.errors import AmplifyJobsError, RequestRejected, ServiceTrouble
from amplify_jobs.events.normalize import Commit
from amplify_jobs.mirroring.commits import CommitsNotToldError
from amplify_jobs.mirroring.fetching import CommitNotGivenError
from amplify_jobs.mirroring.listing import Tip
from amplify_jobs.reconciling.commits import LONGEST_WAIT
from amplify_jobs.reconciling.reconcile import Options
from amplify_jobs.routing.routes import Routes
from tests.support.reconciled import MAIN, ROUTES, ReconciledWorld, sha


def new_world(**conditions: Any) -> ReconciledWorld:
    """A world that has been looked at once, whose route has these conditions."""
    routes = ROUTES.model_dump(mode="json", by_alias=True, exclude_none=True)
    routes["routes"]["web"]["when"]["push"].update(conditions)
    result = ReconciledWorld(Routes.model_validate(routes))
    result.look()
    return result


def write_commit(world: ReconciledWorld, number: int, message: str, author: str = "Ada") -> None:
    time = datetime(2026, 11, 28, 11, tzinfo=UTC)
    world.host.descriptions[sha(number)] = Commit(sha(number), time, message, author)


@pytest.mark.parametrize("marker", ["[skip ci]", "[CI Skip]", "[skip-cd]"])
@pytest.mark.parametrize("ref", [MAIN, "refs/heads/release/1", "refs/tags/v1"])
def test_a_commit_that_says_skip_is_never_built(marker: str, ref: str) -> None:
    result = new_world()
    delivery = result.push(1, ref)
    write_commit(result, 1, f"Words only\n\n{marker}")
    result.reconcile()
    (push,) = result.reconcile().missed
    assert push.note is not None
    assert push.note.startswith("no job: route web: the head commit's message says [")
    assert result.reconcile().missed == ()
    late = delivery.model_copy(update={"message": f"Words only\n\n{marker}"})
    assert result.deliver(late).requests == []
    assert result.commits == []


@pytest.mark.parametrize(
    ("conditions", "note"),
    [
        ({"authors": ["Ada"]}, None),
        ({"authors": ["Grace", "Linus"]}, "no job: route web: author 'Ada' does not match Grace, Linus"),
        ({"messages": ["*[deploy]*"]}, None),
        ({"messages": ["docs:*"]}, "no job: route web: message 'Fix [deploy]' does not match docs:*"),
        (
            {"authors": ["Ada"], "messages": ["docs:*"]},
            "no job: route web: message 'Fix [deploy]' does not match docs:*",
        ),
        ({"authors": ["Ada"], "messages": ["Fix*"], "paths": ["apps/**"]}, None),
    ],
)
def test_conditions_on_authors_and_messages_hold(conditions: dict[str, Any], note: str | None) -> None:
    result = new_world(**conditions)
    result.push(1)
    write_commit(result, 1, "Fix [deploy]")
    result.reconcile()
    (push,) = result.reconcile().missed
    assert push.note == note
    assert result.commits == ([1] if note is None else [])
    assert result.reconcile().missed == ()


def test_the_request_has_what_the_commit_says() -> None:
    result = new_world()
    result.push(1)
    write_commit(result, 1, "Fix\n\nIn two lines.")
    for _ in range(2):
        result.reconcile()
    (request,) = result.executions.requests
    assert (request.cause.author, request.cause.message) == ("Ada", "Fix\n\nIn two lines.")


def test_commits_are_read_of_pushes_alone_that_are_asked_for_and_at_once() -> None:
    result = new_world()
    result.push(1)
    result.push(2, "refs/tags/v1")
    result.push(3, "refs/heads/other")
    result.deliver(result.push(4, "refs/heads/release/1"))
    result.reconcile()
    assert result.host.reads == []
    result.reconcile()
    assert [sorted(read) for read in result.host.reads] == [[sha(1), sha(2)]]


def test_a_host_that_can_t_tell_is_said_and_its_pushes_are_asked_for() -> None:
    result = new_world(paths=["apps/**"])
    result.host.silence = CommitsNotToldError("the git host does not offer shallow")
    result.push(1)
    result.reconcile()
    outcome = result.reconcile()
    assert outcome.unread == "the git host does not offer shallow"
    assert [push.note for push in outcome.missed] == [
        "author and message are unknown: the git host does not offer shallow"
    ]
    assert result.commits == [1]


def test_a_route_for_authors_takes_no_push_whose_author_nobody_tells_until_its_delivery_comes() -> None:
    result = new_world(authors=["Ada"])
    result.host.silence = CommitsNotToldError("the git host does not offer shallow")
    delivery = result.push(1)
    result.reconcile()
    (push,) = result.reconcile().missed
    assert push.note == (
        "no job: route web: author '' does not match Ada; "
        "author and message are unknown: the git host does not offer shallow"
    )
    assert result.commits == []
    result.deliver(delivery.model_copy(update={"author": "Ada"}))
    assert result.commits == [1]


@pytest.mark.parametrize(
    "trouble", [ServiceTrouble("cut off"), RequestRejected("HTTP 400"), CommitNotGivenError("not our ref")]
)
def test_a_commit_that_can_t_be_read_now_waits_for_the_next_look(trouble: AmplifyJobsError) -> None:
    result = new_world()
    result.push(1)
    write_commit(result, 1, "[skip ci]")
    result.host.silence = trouble
    result.reconcile()
    outcome = result.reconcile()
    assert (outcome.missed, outcome.waiting, outcome.unread) == ((), 1, str(trouble))
    result.host.silence = None
    assert len(result.reconcile().missed) == 1
    assert result.commits == []


def test_after_an_hour_of_trouble_the_host_counts_as_one_that_can_t_tell() -> None:
    result = new_world()
    result.push(1)
    result.host.silence = ServiceTrouble("cut off")
    result.reconcile()
    result.wait(LONGEST_WAIT / timedelta(minutes=1) - 10)
    result.look(Options())
    assert result.drain() == []
    result.reconcile()
    assert result.commits == [1]


def test_a_ref_that_moves_while_its_commit_is_read_waits_for_the_next_look() -> None:
    result = new_world()
    result.push(1)
    result.reconcile()
    result.host.is_moving = True
    assert (result.reconcile().missed, result.commits) == ((), [])
    result.host.is_moving = False
    result.host.refs[MAIN] = Tip(sha(2), sha(2))
    for _ in range(2):
        result.reconcile()
    assert result.commits == [2]


def test_a_tag_of_no_commit_is_asked_for_after_an_hour_with_a_note() -> None:
    world = new_world()
    world.host.is_moving = True
    world.push(1, "refs/tags/v1")
    world.reconcile()
    outcome = world.reconcile()
    assert (outcome.missed, outcome.unread) == ((), "some of the refs have moved meanwhile, or lead to no commit")
    world.wait(LONGEST_WAIT / timedelta(minutes=1))
    (push,) = world.reconcile().missed
    assert str(push.note).startswith("author and message are unknown: some of the refs")


def test_a_dry_run_tells_that_no_job_comes_of_a_push() -> None:
    result = new_world()
    result.push(1)
    write_commit(result, 1, "[skip ci]")
    (push,) = result.look(Options(dry_run=True, grace=timedelta())).missed
    assert push.note == "no job: route web: the head commit's message says [skip ci]"
