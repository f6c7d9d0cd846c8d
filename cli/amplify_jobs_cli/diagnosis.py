"""A diagnosis as the command line shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amplify_jobs.diagnosing.diagnosis import Diagnosis
from amplify_jobs.model.failure import Failure

_NO_FAILURE = dict.fromkeys(("cause", "summary", "advice", "phase", "command", "excerpt", "who", "log"))


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """The members of the failure, all null where there is none, and `commitBuilt`."""
    failure = diagnosis.failure
    members = failure.model_dump(mode="json", by_alias=True) if failure else {**_NO_FAILURE, "retryHelps": False}
    return {**members, "commitBuilt": diagnosis.commit_built}


def lines(diagnosis: Diagnosis) -> Iterator[str]:
    """The lines for people."""
    if diagnosis.failure is None:
        yield "The log shows no failure."
    else:
        yield from _failure_lines(diagnosis.failure)
    if diagnosis.commit_built:
        yield f"commit built: {diagnosis.commit_built}"


def _failure_lines(failure: Failure) -> Iterator[str]:
    yield f"{failure.cause}: {failure.summary}"
    for name, value in (
        ("advice", failure.advice),
        ("who fixes it", failure.who),
        ("a retry helps", "yes" if failure.retry_helps else None),
        ("phase", failure.phase),
        ("command", failure.command),
    ):
        if value:
            yield f"{name}: {value}"
    if failure.excerpt:
        yield ""
        yield from (f"    {line}" for line in failure.excerpt.split("\n"))
        yield ""
