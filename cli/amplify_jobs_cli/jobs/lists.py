"""The tables of requests, deliveries and branches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from amplify_jobs.indexing.answers import BranchState, RequestSummary
from amplify_jobs.indexing.deliveries import DeliverySummary
from amplify_jobs_cli.output import words
from amplify_jobs_cli.output.table import Cell, Column

REQUEST_COLUMNS = (
    Column("STATE"),
    Column("APP"),
    Column("BRANCH"),
    Column("JOB"),
    Column("COMMIT", importance=2),
    Column("WHAT", importance=4, in_title=False, flexible=True),
    Column("BY", importance=5, in_title=False),
    Column("WHEN"),
    Column("TOOK", importance=3, in_title=False),
    Column("REQUEST", in_title=False),
)
DELIVERY_COLUMNS = (
    Column("WHEN"),
    Column("SOURCE", importance=4),
    Column("KIND"),
    Column("REPOSITORY", importance=3, in_title=False),
    Column("REF", importance=2),
    Column("COMMIT", importance=1),
    Column("WHAT CAME OF IT", in_title=False, flexible=True, shortest=32),
    Column("DELIVERY", in_title=False),
)
BRANCH_COLUMNS = (
    Column("APP"),
    Column("BRANCH"),
    Column("LIVE"),
    Column("SINCE", importance=2),
    Column("LAST JOB"),
    Column("NOW", importance=1),
)


def request_rows(requests: Iterable[RequestSummary], now: datetime) -> list[Sequence[Cell]]:
    """The rows of REQUEST_COLUMNS."""
    return [_request_row(request, now) for request in requests]


def delivery_rows(deliveries: Iterable[DeliverySummary], now: datetime) -> list[Sequence[Cell]]:
    """The rows of DELIVERY_COLUMNS."""
    return [
        (
            (words.ago(delivery.received_at, now), ""),
            (delivery.source, ""),
            (words.words(delivery.kind), ""),
            (delivery.repository or "", ""),
            (_ref(delivery.ref), ""),
            (words.short(delivery.commit), ""),
            (delivery.summary, "green" if delivery.requests else "yellow"),
            (delivery.delivery_id, "dim"),
        )
        for delivery in deliveries
    ]


def branch_rows(branches: Iterable[BranchState], now: datetime) -> list[Sequence[Cell]]:
    """The rows of BRANCH_COLUMNS."""
    return [
        (
            (branch.app_name or branch.app_id, ""),
            (branch.branch_name, ""),
            ((words.short(branch.live.commit) or f"job {branch.live.job_id}") if branch.live else "nothing", ""),
            (words.ago(branch.live.at, now) if branch.live else "", ""),
            _outcome(branch.last),
            (f"{words.job_number(branch.running)} {words.state_word(branch.running)}".strip(), "yellow")
            if branch.running
            else ("", ""),
        )
        for branch in branches
    ]


def _request_row(request: RequestSummary, now: datetime) -> Sequence[Cell]:
    word = words.state_word(request)
    message = words.first_line(request.commit_message or request.reason or request.operation)
    return (
        (word, words.style_of(word)),
        (request.app_name or request.app_id or request.route or "", ""),
        (request.branch_name or request.environment_name or "", ""),
        (words.job_number(request), ""),
        (words.short(request.commit_built or request.commit), ""),
        (message, ""),
        (request.pusher or request.author or "", ""),
        (words.ago(request.requested_at, now), ""),
        (words.took(request), ""),
        (request.request_id, "dim"),
    )


def _outcome(request: RequestSummary | None) -> Cell:
    if request is None:
        return ("", "")
    word = words.state_word(request)
    return (f"{words.job_number(request)} {word}".strip(), words.style_of(word))


def _ref(ref: str | None) -> str:
    return (ref or "").removeprefix("refs/heads/").removeprefix("refs/tags/")
