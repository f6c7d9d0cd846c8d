"""The repositories of the routes in batches, and what an execution tells of a batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.reconciling.reconcile import MissedPush, Outcome
from amplify_jobs.routing.reconciled import ReconciledRepository, reconciled_repositories
from amplify_jobs.routing.routes import Routes

# One call of the function looks at so many repositories, one after the other.
BATCH = 20
MOST_PUSHES = 50


class RepositoryName(GrowingModel):
    """A repository to look at."""

    source: str
    repository: str


def batches(routes: Routes, codecommit: Collection[str]) -> list[list[RepositoryName]]:
    """Divide the repositories that routes name into batches; of CodeCommit, those that `codecommit` names too."""
    names = [_name(each) for each in reconciled_repositories(routes, codecommit)]
    return [names[start : start + BATCH] for start in range(0, len(names), BATCH)]


def still_named(
    routes: Routes, names: Sequence[RepositoryName], codecommit: Collection[str]
) -> Iterator[ReconciledRepository]:
    """Of the repositories of a batch, those that are still to be looked at."""
    repositories = {_name(each): each for each in reconciled_repositories(routes, codecommit)}
    return (repositories[name] for name in names if name in repositories)


def batch_output(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What the output of an execution has of a batch: counts, and at most MOST_PUSHES pushes."""
    pairs = [(outcome, _name(outcome.repository).model_dump(by_alias=True)) for outcome in outcomes]
    missed = [{**name, **_members(push)} for outcome, name in pairs for push in outcome.missed]
    return {
        "repositories": len(outcomes),
        "refs": sum(outcome.refs for outcome in outcomes),
        "waiting": sum(outcome.waiting for outcome in outcomes),
        "missed": len(missed),
        "redelivered": sum(outcome.redelivered for outcome in outcomes),
        "pushes": missed[:MOST_PUSHES],
        "first": [name for outcome, name in pairs if outcome.is_first and outcome.reason is None],
        "unreached": [{**name, "reason": outcome.reason} for outcome, name in pairs if outcome.reason is not None],
    }


def _name(repository: ReconciledRepository) -> RepositoryName:
    return RepositoryName(source=repository.source, repository=repository.repository)


def _members(push: MissedPush) -> dict[str, str]:
    members = {"ref": push.ref, "commit": push.commit}
    return members if push.note is None else {**members, "note": push.note}
