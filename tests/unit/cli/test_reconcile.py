"""What `amplify-jobs reconcile` tells of the answers of all batches."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from amplify_jobs_cli.commands.reconcile import lines, minutes
from amplify_jobs_cli.recovery.reconcile import summarize

WEB = {"source": "gitea", "repository": "acme/web"}
DOCS = {"source": "gitea", "repository": "acme/docs"}


def batch(**members: Any) -> dict[str, Any]:
    return {
        "repositories": 1,
        "refs": 3,
        "waiting": 0,
        "missed": 0,
        "redelivered": 0,
        "pushes": [],
        "first": [],
        "unreached": [],
        **members,
    }


def test_batches_are_told_together() -> None:
    push = {**WEB, "ref": "refs/heads/main", "commit": "4f2c1e0b9d3a" + "0" * 28}
    skipped = {**push, "note": "no job: route web: the head commit's message says [skip ci]"}
    result = summarize(
        [
            batch(redelivered=3, missed=3, pushes=[push, skipped], waiting=1),
            batch(first=[DOCS], unreached=[{**WEB, "reason": "git.example.com did not answer"}]),
            {"error": "ServiceTrouble"},
        ]
    )
    assert list(lines(result, {"all": "acme/* is a pattern"}, dry_run=True)) == [
        "Missed: acme/web refs/heads/main 4f2c1e0b9d3a (source gitea)",
        "Missed: acme/web refs/heads/main 4f2c1e0b9d3a (source gitea): no job: "
        "route web: the head commit's message says [skip ci]",
        "… and 1 more",
        "Failed deliveries that the host was asked for again: 3",
        "First look: acme/docs (source gitea): nothing is built for what is there",
        "Not reached: acme/web (source gitea): git.example.com did not answer",
        "A batch of repositories failed with ServiceTrouble; the log of the function reconcile has the reason",
        "Not looked at: route all: acme/* is a pattern",
        "Repositories: 2; refs: 6; pushes that may still be delivered: 1.",
        "Missed pushes would be asked for: 3.",
    ]


def test_without_repositories_it_says_which_are_looked_at() -> None:
    (line,) = lines(summarize([]), {}, dry_run=False)
    assert line == "No repository to look at: no route for push names one that can be read."


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("1440", 1440)])
def test_minutes(text: str, number: int) -> None:
    assert minutes(text) == number


@pytest.mark.parametrize("text", ["-1", "1441", "5m", ""])
def test_other_texts_are_no_minutes(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number of minutes"):
        minutes(text)
