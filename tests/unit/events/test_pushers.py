"""The person behind an event, on every host that tells it: never an e-mail address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_jobs.events.event import Event
from amplify_jobs.events.git_hosts import TITLES
from amplify_jobs.events.payload import Payload
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Matched
from tests.support.git_hosts import rendered
from tests.support.recorded_webhooks import NOW, corpus_body, parse, recorded
from tests.unit.events.test_deliveries import decided, on_pulls

# Where each host has the name, the best place first.
PLACES: dict[str, list[str]] = {
    "github": ["pusher.name", "sender.login"],
    "gitea": ["pusher.login", "sender.login"],
    "forgejo": ["pusher.login", "sender.login"],
    "gitlab": ["user_name", "user.name"],
    "bitbucket": ["actor.display_name", "actor.nickname", "actor.username"],
    "bitbucket-server": ["actor.displayName", "actor.name"],
    "azure-devops": ["resource.pushedBy.displayName"],
    "codecommit": ["detail.callerUserArn"],
}


def pusher_name(host: str, body: dict[str, Any]) -> str | None:
    names = (Payload(body).text(*place.split(".")) for place in PLACES[host])
    name = next(filter(None, names), None)
    return name.rpartition("/")[2] if name and host == "codecommit" else name


def with_member(body: dict[str, Any], place: str, value: str) -> dict[str, Any]:
    first, _, rest = place.partition(".")
    return {**body, first: with_member(body.get(first, {}), rest, value) if rest else value}


def events(host: str, place: str, name: str) -> list[Event]:
    """Pushes and changes of pull requests, whose person has a name."""
    attempts = [(attempt.headers, with_member(attempt.body, place, name)) for attempt in rendered(host)]
    return [event for headers, body in attempts for event in parse(host, headers, json.dumps(body).encode()).events]


@pytest.mark.parametrize("row", recorded())
def test_a_recorded_delivery_tells_it_where_the_host_does(row: dict[str, Any]) -> None:
    body = corpus_body(row["file"])
    expected = pusher_name(row["provider"], json.loads(body))
    result = parse(row["provider"], row["headers"], body).events
    assert {event.pusher for event in result} <= {expected}


@pytest.mark.parametrize(("host", "place"), [(host, place) for host in TITLES for place in PLACES[host]])
def test_each_place_is_read(host: str, place: str) -> None:
    name = "arn:aws:sts::1:assumed-role/Admin/Ada" if host == "codecommit" else "Ada"
    result = events(host, place, name)
    assert result
    assert {event.pusher for event in result} == {"Ada"}


@pytest.mark.parametrize("host", TITLES)
@pytest.mark.parametrize("name", ["ada@example.com", "ada <ada@example.com>"])
def test_an_address_is_never_kept(host: str, name: str) -> None:
    assert {event.pusher for event in events(host, PLACES[host][0], name)} == {"ada"}


@pytest.mark.parametrize("host", TITLES)
def test_a_name_of_another_type_or_length_is_read_leniently(host: str) -> None:
    first = PLACES[host][0]
    assert {event.pusher for event in events(host, first, "")} == {None}
    assert {len(event.pusher or "") for event in events(host, first, "x" * 10_000)} == {256}


def test_the_request_has_it_and_one_from_before_has_none() -> None:
    result = next(event for event in events("github", "sender.login", "ada") if event.pull_request)
    match = decided(on_pulls(actions=["opened", "synchronize"]), result)
    assert isinstance(match, Matched)
    item = make_job_request(match, result, source="github", delivery_id=None, received_at=NOW)
    assert item.cause.pusher == "ada"
    before = json.loads(item.model_dump_json(by_alias=True))
    del before["cause"]["pusher"]
    assert type(item).model_validate(before).cause.pusher is None
