"""CPU time to match one push against 100 and 1,000 routes, and to make the requests that follow: nothing waits."""

from __future__ import annotations

from datetime import UTC, datetime
from statistics import median
from time import process_time

from rich.console import Console

from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Matched, decide
from amplify_jobs.routing.routes import Routes
from benchmarks.figures import Row, Table

ROUTES = (100, 1_000)
FILES = 300
REPEATS = 50
# A git host waits ten seconds for its answer; matching may take no noticeable part of them.
MOST_SECONDS = 0.1

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def measure(_: Console) -> list[Table]:
    """Match a push to each of three kinds of routes files: many repositories, one monorepo, all matching."""
    rows = [_row(label, number) for number in ROUTES for label in ("many repositories", "a monorepo", "all match")]
    return [
        Table(
            "Matching: one push, in CPU time",
            ("routes", "case", "requests", "first", "later, median"),
            rows,
            (
                f"The push changed {FILES} files. many repositories: each route has one. a monorepo: each has its "
                "own paths. all match: each makes a request.",
                "first: in a new set of routes, whose patterns are compiled; later: as in a warm function.",
            ),
        )
    ]


def _row(label: str, number: int) -> Row:
    routes, event = _routes(label, number), _push(number)
    started = process_time()
    requests = _match(routes, event)
    first = process_time() - started
    later = []
    for _ in range(REPEATS):
        started = process_time()
        _match(routes, event)
        later.append(process_time() - started)
    usual = median(later)
    cells = (str(number), label, str(requests), f"{first * 1000:.2f} ms", f"{usual * 1000:.2f} ms")
    if requests > 1:
        return Row(cells)
    return Row(cells, f"later <= {MOST_SECONDS * 1000:.0f} ms", usual <= MOST_SECONDS)


def _match(routes: Routes, event: Event) -> int:
    requests = [
        make_job_request(decision, event, source="github", delivery_id="d", received_at=NOW)
        for decision in decide(routes, "github", event)
        if isinstance(decision, Matched)
    ]
    return len(requests)


def _routes(label: str, number: int) -> Routes:
    def push(index: int) -> dict[str, object]:
        branches = ["main", f"release-{number}-{index}/*"]
        if label == "many repositories":
            return {"repository": f"acme/app-{number}-{index}", "branches": branches}
        if label == "a monorepo":
            return {"repository": "acme/mono", "branches": branches, "paths": [f"apps/{number}-{index}/**", "!**/*.md"]}
        return {"repository": "acme/*", "branches": branches}

    parameters = {"appId": "d1a2b3c4d5e6", "branchName": "{branch}", "jobType": "RELEASE", "jobReason": "by {author}"}
    request = {"operation": "start_job", "parameters": parameters}
    routes = {f"app-{index}": {"when": {"push": push(index)}, "request": request} for index in range(number)}
    return Routes.model_validate({"routes": routes})


def _push(number: int) -> Event:
    # The last file alone concerns a route of the monorepo, and only its last one.
    files = [f"libs/lib-{index}/README.md" for index in range(FILES - 1)]
    return Event(
        kind=EventKind.PUSH,
        host="github.com",
        event_time="1767225600",
        repository="acme/mono",
        ref="refs/heads/main",
        branch="main",
        after="b" * 40,
        commit="b" * 40,
        message="Greet visitors by name",
        author="Ada Example",
        changed_files=(*files, f"apps/{number}-{number - 1}/index.html"),
    )
