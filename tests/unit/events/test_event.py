"""What makes two events the same request, and what does not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.events.event import Event, EventKind, request_id
from amplify_jobs.model.request import REQUEST_ID_PATTERN

PUSH: dict[str, Any] = {
    "kind": EventKind.PUSH,
    "host": "github.com",
    "event_time": "1769857205",
    "repository": "acme/web",
    "ref": "refs/heads/main",
    "before": "a" * 40,
    "after": "b" * 40,
}


def test_the_id_is_the_route_and_32_hexadecimal_digits() -> None:
    assert re.fullmatch(r"web-[0-9a-f]{32}", request_id("web", Event(**PUSH)))


def test_the_id_is_the_same_in_every_process_and_version() -> None:
    # A change would make every event of the last ninety days new to Step Functions.
    assert request_id("web", Event(**PUSH)) == "web-01111d06180d8552f5df283688fb6260"


@pytest.mark.parametrize(
    "change",
    [
        {"host": "github.example.com"},
        {"event_time": "1769857206"},
        {"repository": "acme/docs"},
        {"ref": "refs/heads/dev"},
        {"before": None},
        {"after": "c" * 40},
        {"kind": EventKind.TAG},
    ],
)
def test_another_event_has_another_id(change: dict[str, Any]) -> None:
    assert request_id("web", Event(**{**PUSH, **change})) != request_id("web", Event(**PUSH))


@pytest.mark.parametrize(
    "change",
    [
        {"message": "m"},
        {"author": "a"},
        {"pusher": "p"},
        {"forced": True},
        {"changed_files": ("a",)},
        {"branch": "main"},
    ],
)
def test_what_only_describes_the_event_does_not_change_the_id(change: dict[str, Any]) -> None:
    assert request_id("web", Event(**{**PUSH, **change})) == request_id("web", Event(**PUSH))


TEXT = st.none() | st.text()


@given(st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True), TEXT, TEXT, TEXT, TEXT)
def test_any_content_makes_a_name_that_step_functions_takes(
    route: str, repository: str | None, ref: str | None, before: str | None, after: str | None
) -> None:
    event = Event(kind=EventKind.PUSH, repository=repository, ref=ref, before=before, after=after)
    result = request_id(route, event)
    assert re.match(REQUEST_ID_PATTERN, result)
    assert len(result) <= 73
    assert result == request_id(route, event.model_copy())


@given(TEXT, TEXT)
def test_parts_do_not_run_together(one: str | None, other: str | None) -> None:
    same = one == other
    left = request_id("web", Event(kind=EventKind.PUSH, before=one, after=other))
    right = request_id("web", Event(kind=EventKind.PUSH, before=other, after=one))
    assert (left == right) == same
