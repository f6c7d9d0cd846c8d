"""What the log and the metrics tell of looks at repositories."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from amplify_jobs.reconciling import outcomes
from amplify_jobs.reconciling.reconcile import MissedPush, Outcome
from amplify_jobs.routing.mirrors import Git
from amplify_jobs.routing.reconciled import ReconciledRepository

REPOSITORY = ReconciledRepository("gitea", "gitea", "acme/web", Git(url="https://git.example.com/acme/web"), ())
PUSH = MissedPush(ref="refs/heads/main", commit="4f2c1e0b")


@pytest.fixture
def metrics() -> Iterator[dict[str, Any]]:
    """The metrics that are counted; nothing of them is left to others."""
    outcomes.metrics.clear_metrics()
    yield outcomes.metrics.metric_set
    outcomes.metrics.clear_metrics()


def count(metrics: dict[str, Any]) -> dict[str, float]:
    return {name: sum(metric["Value"]) for name, metric in metrics.items()}


def test_a_batch_is_counted_with_its_longest_outage(metrics: dict[str, Any]) -> None:
    silent = [Outcome(REPOSITORY, reason="no answer", outage=timedelta(minutes=number)) for number in (5, 30)]
    outcomes.log_outcomes([*silent, Outcome(REPOSITORY, missed=(PUSH, PUSH))])
    assert count(metrics) == {
        "RepositoriesListed": 1,
        "RepositoriesUnreached": 2,
        "PushesMissed": 2,
        "RepositoryOutage": 1_800,
    }


def test_a_batch_without_repositories_has_no_outage(metrics: dict[str, Any]) -> None:
    outcomes.log_outcomes([])
    assert set(count(metrics).values()) == {0}


@pytest.mark.parametrize(
    ("outcome", "messages"),
    [
        (Outcome(REPOSITORY, refs=3), []),
        (Outcome(REPOSITORY, reason="no answer"), ["Repository not listed"]),
        (Outcome(REPOSITORY, redelivered=2), ["Failed deliveries are asked for again"]),
        (Outcome(REPOSITORY, unread="HTTP 500"), ["Commits not read"]),
        (Outcome(REPOSITORY, missed=(PUSH, PUSH)), ["A push was missed", "A push was missed"]),
    ],
)
@pytest.mark.usefixtures("metrics")
def test_what_somebody_may_have_to_do_something_about_is_a_warning(
    caplog: pytest.LogCaptureFixture, outcome: Outcome, messages: list[str]
) -> None:
    with caplog.at_level(logging.WARNING):
        outcomes.log_outcomes([outcome])
    assert [record.message for record in caplog.records] == messages
