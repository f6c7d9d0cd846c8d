"""The list of deliveries, and one delivery with the decision of each route."""

from __future__ import annotations

from collections.abc import Mapping

from amplify_jobs_console.answers import Delivery, DeliverySummary
from amplify_jobs_console.pages.content import Action, Content
from amplify_jobs_console.place import Place
from amplify_jobs_console.reader import Reader, segment

FILTERS = ("source", "repository")
_LIMIT = "30"


def show_deliveries(reader: Reader, place: Place, arguments: Mapping[str, str]) -> Content:
    """The deliveries that meet the conditions, a page of them. Raises ApiError."""
    filters = {name: arguments.get(name, "") for name in FILTERS}
    query = {**filters, "limit": _LIMIT, "next": arguments.get("next", "")}
    page = reader.page(DeliverySummary, "/deliveries", query)
    return Content(
        "deliveries.html.j2",
        {
            "page": page,
            "filters": filters,
            "is_filtered": any(filters.values()),
            "older": place.url("deliveries", **filters, next=page.next) if page.next else None,
        },
        section="deliveries",
    )


def show_delivery(reader: Reader, place: Place, delivery_id: str, arguments: Mapping[str, str]) -> Content:
    """One delivery. Raises ApiError."""
    delivery = reader.get(Delivery, f"/deliveries/{segment(delivery_id)}")
    hint = "Process the delivery again, with the routes of today"
    return Content(
        "delivery.html.j2",
        {
            "delivery": delivery,
            "order": "The delivery is processed again." if arguments.get("order") == "replay" else None,
            "action": Action("Replay", hint, ("deliveries", delivery_id, "replay")) if delivery.is_replayable else None,
            "commands": [place.shell("deliveries", "show", delivery_id)],
        },
        section="deliveries",
    )
