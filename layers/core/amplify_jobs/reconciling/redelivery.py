"""Which failed deliveries of a GitHub repository can be asked for again.

Source: https://docs.github.com/rest/repos/webhooks (list repository webhooks, list deliveries, redeliver a delivery).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from amplify_jobs.events.event import EventKind
from amplify_jobs.routing.mirrors import Git

PROVIDER = "github"
# GitHub allows 5,000 calls an hour with a token.
MOST_REDELIVERIES = 20
# A page has 100 deliveries.
MOST_PAGES = 10
_HOST, _API = "github.com", "https://api.github.com"
_NEXT = re.compile(r'<([^<>]*)>;\s*rel="next"')


def hooks_address(git: Git, repository: str) -> str:
    """The address of the repository's webhooks in the API of the host that its git is at."""
    parts = urlsplit(git.address(repository))
    api = _API if parts.hostname == _HOST else f"{parts.scheme}://{parts.netloc}/api/v3"
    return f"{api}/repos/{quote(repository)}/hooks"


def hook_of(hooks: Sequence[Mapping[str, Any]], webhook: str) -> int | None:
    """The id of the webhook that delivers to our address; None where another one does, as of an organisation."""
    for hook in hooks:
        settings = hook.get("config")
        url = settings.get("url") if isinstance(settings, dict) else None
        if url == webhook and isinstance(hook.get("id"), int):
            return int(hook["id"])
    return None


def next_cursor(page: Sequence[Mapping[str, Any]], link: str, since: datetime) -> str | None:
    """Where the page after this one begins, by the header Link; None where all later ones are from before that time.

    The newest deliveries come first. The cursor is all that is taken of the link: the token goes to no other address.
    """
    times = [time for one in page if (time := _time(one)) is not None]
    match = _NEXT.search(link)
    if match is None or not times or min(times) < since:
        return None
    return next(iter(parse_qs(match[1].partition("?")[2]).get("cursor", [])), None)


def failed_pushes(deliveries: Sequence[Mapping[str, Any]], since: datetime) -> list[int]:
    """The ids of deliveries of pushes since then that never succeeded, each once, the oldest first.

    A delivery and its repeats have one `guid`.
    """
    succeeded = {one.get("guid") for one in deliveries if _has_succeeded(one)}
    failed: dict[object, tuple[datetime, int]] = {}
    for one in deliveries:
        time, number, guid = _time(one), one.get("id"), one.get("guid")
        if one.get("event") != EventKind.PUSH or guid is None or guid in succeeded or not isinstance(number, int):
            continue
        if time is not None and time >= since:
            failed[guid] = min((time, number), failed.get(guid, (time, number)))
    return [number for _, number in sorted(failed.values())][:MOST_REDELIVERIES]


def _has_succeeded(delivery: Mapping[str, Any]) -> bool:
    status = delivery.get("status_code")
    return isinstance(status, int) and 200 <= status < 300


def _time(delivery: Mapping[str, Any]) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(delivery.get("delivered_at")))
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
