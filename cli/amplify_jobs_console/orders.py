"""What the buttons do: each one is a call of the API, and then the page of what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from amplify_jobs_console.answers import Accepted
from amplify_jobs_console.place import Place
from amplify_jobs_console.reader import Reader, segment

_START_FIELDS = ("route", "branch", "commit", "reason")


def is_order(segments: Sequence[str]) -> bool:
    """Whether something can be ordered at an address."""
    match segments:
        case ["start"] | ["jobs", _, "stop" | "retry" | "replay"] | ["deliveries", _, "replay"]:
            return True
    return False


def carry_out(reader: Reader, place: Place, segments: Sequence[str], form: Mapping[str, str]) -> str:
    """Do what a button says; the answer is the address of the page to show then. Raises ApiError."""
    match segments:
        case ["jobs", request_id, order]:
            answer = reader.api.post(f"/requests/{segment(request_id)}/{order}", {})
            return _page(place, request_id if order == "stop" else _request_id(answer), order)
        case ["deliveries", delivery_id, _]:
            reader.api.post(f"/deliveries/{segment(delivery_id)}/replay", {})
            return place.url("deliveries", delivery_id, order="replay")
        case _:
            body = {name: form[name].strip() for name in _START_FIELDS if form.get(name, "").strip()}
            return _page(place, _request_id(reader.api.post("/requests", body)), "start")


def _page(place: Place, request_id: str | None, order: str) -> str:
    return place.url("jobs", request_id, order=order) if request_id else place.url("jobs")


def _request_id(answer: object) -> str | None:
    try:
        return Accepted.model_validate(answer).request_id
    except ValidationError:
        return None
