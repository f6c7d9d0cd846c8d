"""Each push is asked for once, whatever becomes of its delivery: intake and reconcile together, in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.errors import NotSetUpError, ServiceTrouble
from amplify_jobs.mirroring.listing import Tip
from amplify_jobs.reconciling.decision import MOST_MISSED, MOST_READ
from amplify_jobs.reconciling.reconcile import MissedPush, Options
from tests.support.reconciled import MAIN, NOON, ReconciledWorld, sha


@pytest.fixture
def world() -> ReconciledWorld:
    """A world that has been looked at once."""
    world = ReconciledWorld()
    world.look()
    return world


def test_nothing_is_asked_for_what_was_there_before_the_first_look() -> None:
    world = ReconciledWorld()
    outcome = world.look()
    assert outcome.is_first
    assert world.reconcile().missed == ()
    assert world.commits == []


def test_a_push_whose_delivery_was_lost_is_asked_for_once(world: ReconciledWorld) -> None:
    world.push(1)
    assert world.reconcile().waiting == 1
    assert world.reconcile().missed == (MissedPush(MAIN, sha(1)),)
    (request,) = world.executions.requests
    assert request.cause.commit == sha(1)
    assert request.cause.source == "gitea"
    for _ in range(3):
        assert world.reconcile().missed == ()
    assert world.commits == [1]


def test_a_delivery_in_time_leaves_nothing_to_ask_for(world: ReconciledWorld) -> None:
    delivery = world.push(1)
    world.wait(3)
    world.deliver(delivery)
    world.reconcile()
    # It may come after the first look that saw the push, too.
    late = world.push(2)
    world.reconcile()
    world.deliver(late)
    world.reconcile()
    assert world.commits == [1, 2]


def test_a_delivery_that_comes_after_all_starts_nothing_more(world: ReconciledWorld) -> None:
    delivery = world.push(1)
    for _ in range(2):
        world.reconcile()
    for _ in range(2):
        result = world.deliver(delivery)
        assert [(each["duplicate"], each["route"]) for each in result.requests] == [(True, "web")]
        assert result.requests[0]["requestId"] == world.executions.requests[0].request_id
    assert world.commits == [1]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1)])
def test_deliveries_of_several_changes_that_one_look_has_seen_start_nothing_more(
    world: ReconciledWorld, order: tuple[int, ...]
) -> None:
    deliveries = [world.push(number) for number in (1, 2, 3)]
    for _ in range(2):
        world.reconcile()
    for number in order:
        world.deliver(deliveries[number])
    assert world.commits == [3]


def test_without_a_time_a_late_delivery_of_which_no_neighbour_is_known_is_a_push_of_its_own(
    world: ReconciledWorld,
) -> None:
    deliveries = [world.push(number) for number in (1, 2, 3, 4)]
    for _ in range(2):
        world.reconcile()
    for number in (1, 0, 3, 2):
        world.deliver(deliveries[number])
    assert world.commits == [4, 2]


@given(order=st.permutations(range(5)), is_observed_twice=st.booleans())
@settings(max_examples=50)
def test_with_the_host_s_time_late_deliveries_of_any_of_several_changes_start_nothing_more(
    order: list[int], is_observed_twice: bool
) -> None:
    world = ReconciledWorld()
    world.look()
    deliveries = []
    for number in range(1, 6):
        world.wait(1)
        deliveries.append(world.push_timed(number))
        if is_observed_twice and number == 3:
            for _ in range(2):
                world.reconcile()
    for _ in range(2):
        world.reconcile()
    numbers = [3, 5] if is_observed_twice else [5]
    for number in order:
        world.deliver(deliveries[number])
    assert world.commits == numbers
    # What comes in time afterwards is new, whatever it leads to.
    world.deliver(world.push_timed(2))
    assert world.commits == [*numbers, 2]


def test_a_push_shortly_before_the_look_that_may_not_show_it_is_one_of_its_own(world: ReconciledWorld) -> None:
    world.push(1)
    world.wait(9)
    late = world.push_timed(3).model_copy(update={"before": sha(2)})
    world.host.refs[MAIN] = Tip(sha(1), sha(1))
    world.wait(1)
    world.look()
    world.reconcile()
    world.deliver(late)
    assert world.commits == [1, 3]


def test_a_host_s_stale_time_delays_a_push_and_loses_none(world: ReconciledWorld) -> None:
    world.push(1)
    for _ in range(2):
        world.reconcile()
    world.push(2)
    third = world.push(3).model_copy(update={"event_time": NOON.isoformat()})
    world.deliver(third)
    assert world.commits == [1]
    for _ in range(2):
        world.reconcile()
    assert world.commits == [1, 3]


def test_a_delivery_in_time_is_one_of_the_changes_that_a_missed_push_stands_for(world: ReconciledWorld) -> None:
    world.deliver(world.push(1))
    late = [world.push(number) for number in (2, 3)]
    for _ in range(2):
        world.reconcile()
    for delivery in late:
        world.deliver(delivery)
    assert world.commits == [1, 3]


def test_the_host_s_own_time_tells_that_a_push_is_newer(world: ReconciledWorld) -> None:
    world.push(1)
    for _ in range(2):
        world.reconcile()
    world.push(2)
    for number in (3, 1):
        delivery = world.push(number)
        world.wait(1)
        world.deliver(delivery.model_copy(update={"event_time": world.now.isoformat()}))
    assert world.commits == [1, 3, 1]


def test_a_push_after_a_missed_one_is_new_even_if_it_leads_back(world: ReconciledWorld) -> None:
    world.push(1)
    for _ in range(2):
        world.reconcile()
    world.deliver(world.push(2))
    world.deliver(world.push(1))
    world.deliver(world.push(0))
    world.reconcile()
    assert world.commits == [1, 2, 1, 0]


def test_a_forced_push_back_whose_delivery_was_lost_is_missed(world: ReconciledWorld) -> None:
    world.deliver(world.push(1))
    world.reconcile()
    world.push(0)
    for _ in range(2):
        world.reconcile()
    assert world.commits == [1, 0]


def test_deletions_ask_for_nothing_and_what_is_made_anew_is_a_push(world: ReconciledWorld) -> None:
    world.push(None)
    world.reconcile()
    world.push(0)
    for _ in range(2):
        world.reconcile()
    assert world.commits == [0]
    world.deliver(world.push(None))
    world.deliver(world.push(0))
    world.reconcile()
    assert world.commits == [0, 0]


def test_branches_and_tags_that_no_route_wants_ask_for_nothing(world: ReconciledWorld) -> None:
    world.push(1, "refs/heads/main2")
    world.push(2, "refs/heads/release/a/b")
    world.push(3, "refs/tags/w1")
    world.push(4, "refs/heads/release/x")
    world.push(5, "refs/tags/v1")
    for _ in range(2):
        outcome = world.reconcile()
    assert {push.ref for push in outcome.missed} == {"refs/heads/release/x", "refs/tags/v1"}
    assert sorted(world.commits) == [4, 5]


def test_an_annotated_tag_is_known_by_its_object_and_by_its_commit(world: ReconciledWorld) -> None:
    delivery = world.push(7, "refs/tags/v1")
    world.host.refs["refs/tags/v1"] = Tip(sha(8), sha(7))
    for _ in range(2):
        world.reconcile()
    assert world.executions.requests[0].cause.commit == sha(7)
    # Some hosts tell the commit, others the tag.
    world.deliver(delivery)
    world.deliver(delivery.model_copy(update={"after": sha(8), "evidence": ("x",)}))
    assert world.commits == [7]


def test_pushes_while_the_host_is_down_are_missed_once_it_is_back(world: ReconciledWorld) -> None:
    world.host.trouble = ServiceTrouble("git.example.com did not answer")
    heard, lost = world.push(1), world.push(2, "refs/heads/release/1")
    world.deliver(heard)
    outages = [world.reconcile().outage for _ in range(7)]
    assert outages == [timedelta(minutes=10 * number) for number in range(7)]
    world.host.trouble = None
    for _ in range(2):
        world.reconcile()
    assert world.commits == [1, 2]
    assert lost.commit == sha(2)


def test_a_repository_that_was_never_reached_is_told_of_and_later_looked_at_for_the_first_time() -> None:
    world = ReconciledWorld()
    world.host.trouble = NotSetUpError("no secret is stored in SSM under /amplify-jobs/secrets/gitea")
    assert "no secret is stored" in str(world.look().reason)
    assert world.reconcile().outage == timedelta(minutes=10)
    world.host.trouble = None
    assert world.reconcile().is_first
    assert world.commits == []


def test_after_a_day_without_a_look_all_counts_as_asked_for(world: ReconciledWorld) -> None:
    world.push(1)
    world.wait(25 * 60)
    world.look()
    world.reconcile()
    assert world.commits == []


def test_a_host_that_delivers_again_has_until_the_next_look(world: ReconciledWorld) -> None:
    world.redeliveries.number = 1
    delivery = world.push(1)
    world.reconcile()
    outcome = world.reconcile()
    assert (outcome.redelivered, outcome.missed, outcome.waiting) == (1, (), 1)
    (since,) = world.redeliveries.asked
    assert since < world.now - timedelta(minutes=20)
    world.deliver(delivery)
    world.reconcile()
    assert world.commits == [1]
    assert len(world.redeliveries.asked) == 1


def test_a_host_that_promised_to_deliver_again_is_asked_once(world: ReconciledWorld) -> None:
    world.redeliveries.number = 1
    world.push(1)
    for _ in range(3):
        world.reconcile()
    assert world.commits == [1]
    assert len(world.redeliveries.asked) == 1


def test_a_dry_run_changes_nothing(world: ReconciledWorld) -> None:
    world.push(1)
    dry = Options(dry_run=True, grace=timedelta())
    for _ in range(2):
        assert world.look(dry).missed == (MissedPush(MAIN, sha(1)),)
    assert world.queue.messages == []
    assert world.redeliveries.asked == []
    assert world.reconcile().waiting == 1


def test_a_new_route_is_not_asked_for_what_was_there(world: ReconciledWorld) -> None:
    world.host.refs["refs/heads/docs"] = Tip(sha(9), sha(9))
    world.reconcile()
    routes = world.routes.routes.model_dump(mode="json", by_alias=True, exclude_none=True)
    routes["routes"]["web"]["when"]["push"]["branches"].append("docs")
    world.routes.routes = type(world.routes.routes).model_validate(routes)
    for _ in range(3):
        world.reconcile()
    assert world.commits == []
    world.push(10, "refs/heads/docs")
    for _ in range(2):
        world.reconcile()
    assert world.commits == [10]


def test_what_is_unchanged_is_not_written_for_an_hour(world: ReconciledWorld) -> None:
    for _ in range(5):
        world.reconcile()
    assert (world.snapshots.writes, world.records.reads) == (1, 0)
    world.reconcile()
    assert world.snapshots.writes == 2


def test_ten_thousand_new_refs_are_asked_for_a_few_at_a_time(world: ReconciledWorld) -> None:
    world.host.refs |= {f"refs/tags/v{number}": Tip(sha(number), sha(number)) for number in range(1, 10_001)}
    outcome = world.reconcile()
    assert (outcome.refs, outcome.waiting) == (10_001, 10_000)
    assert world.records.reads == MOST_READ
    for number in range(1, 4):
        assert len(world.reconcile().missed) == MOST_MISSED
        assert len(set(world.commits)) == len(world.commits) == number * MOST_MISSED


STEPS = st.lists(st.sampled_from(["push", "deliver", "late", "again", "look", "drain", "wait"]), max_size=40)


@given(steps=STEPS, picks=st.lists(st.integers(0, 99), min_size=40, max_size=40), is_timed=st.booleans())
@settings(max_examples=200)
def test_no_commit_is_asked_for_twice_and_the_last_one_always_is(
    steps: list[str], picks: list[int], is_timed: bool
) -> None:
    """Each push brings another commit; deliveries get lost, come late, in any order and several times."""
    world = ReconciledWorld()
    world.look()
    number, underway, delivered = 0, [], []
    for step, pick in zip(steps, picks, strict=False):
        match step:
            case "push":
                number += 1
                underway.append(world.push_timed(number) if is_timed else world.push(number))
            case "deliver" if underway:
                delivered.append(underway.pop())
                world.deliver(delivered[-1])
            case "late" if underway:
                delivered.append(underway.pop(pick % len(underway)))
                world.deliver(delivered[-1])
            case "again" if delivered:
                world.deliver(delivered[pick % len(delivered)])
            case "look":
                world.look()
            case "drain":
                world.drain()
            case "wait":
                world.wait(pick)
    for _ in range(3):
        world.reconcile()
    for delivery in [*underway, *delivered]:
        world.deliver(delivery)
    assert len(world.commits) == len(set(world.commits))
    assert number == 0 or number in world.commits
    assert world.reconcile().missed == ()


@given(numbers=st.lists(st.integers(0, 3), max_size=20))
def test_deliveries_in_time_are_all_that_is_asked_for(numbers: list[int]) -> None:
    """Also if pushes by force lead back and forth."""
    world = ReconciledWorld()
    world.look()
    expected = []
    for number in numbers:
        if world.host.refs[MAIN].commit != sha(number):
            world.deliver(world.push(number))
            expected.append(number)
        world.reconcile()
    assert world.commits == expected


@given(numbers=st.lists(st.integers(0, 3), max_size=20))
def test_without_any_delivery_the_tip_of_each_look_is_what_was_asked_for_last(numbers: list[int]) -> None:
    world = ReconciledWorld()
    world.look()
    expected = [0]
    for number in numbers:
        if number != expected[-1]:
            world.push(number)
            expected.append(number)
        for _ in range(2):
            world.reconcile()
    assert world.commits == expected[1:]
