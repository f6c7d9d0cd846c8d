"""The results of a job that generates something: its files, its errors, and the files that could not be stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.text import presentable

# Results travel with their request through the state machine, and in announcements: none of these passes 256 KiB
# (Step Functions and EventBridge quotas), of which the request has 100,000 bytes (large_request.py).
_FILES_BYTES = 65_000
_ERRORS_BYTES = 20_000
_MISSING_BYTES = 15_000
RESULTS_BYTES = _FILES_BYTES + _ERRORS_BYTES + _MISSING_BYTES
_NAME_LIMIT = 255
Item = TypeVar("Item", bound=GrowingModel | str)


class PartialError(GrowingModel):
    """One thing that a job which succeeded could not generate."""

    schema_name: str | None = None
    error: str


class MissingFile(GrowingModel):
    """A file that the job made and that is not in the bucket, with the reason; `name` is None where it is unknown."""

    name: str | None = None
    reason: str


class Results(GrowingModel):
    """`files` are s3:// addresses in `folder`, which has `moreFiles` that did not fit into the list."""

    folder: str | None = None
    files: tuple[str, ...] = ()
    more_files: int = 0
    partial_errors: tuple[PartialError, ...] = ()
    missing: tuple[MissingFile, ...] = ()


@dataclass(frozen=True)
class JobOutput:
    """What a service says about the files of a job that succeeded: their texts by name, or a manifest's address.

    The address is signed. `errors` are what the job could not generate.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    manifest_url: str | None = None
    errors: tuple[PartialError, ...] = ()


def merge_errors(*lists: Iterable[PartialError]) -> tuple[PartialError, ...]:
    """Join lists of errors; an error of several lists comes once."""
    return tuple(dict.fromkeys(error for errors in lists for error in errors))


def limit_results(results: Results) -> Results:
    """Limit results to RESULTS_BYTES of JSON and count the rest.

    A list of errors or of missing files then ends with "and N more"; manifest.json in the folder has all.
    """
    errors = tuple(
        PartialError(schema_name=presentable(error.schema_name, _NAME_LIMIT), error=presentable(error.error))
        for error in results.partial_errors
    )
    missing = tuple(
        MissingFile(name=presentable(file.name, _NAME_LIMIT), reason=presentable(file.reason))
        for file in results.missing
    )
    files = items_within(results.files, _FILES_BYTES)
    return results.model_copy(
        update={
            "files": files,
            "more_files": results.more_files + len(results.files) - len(files),
            "partial_errors": limit_items(errors, _ERRORS_BYTES, lambda rest: PartialError(error=rest)),
            "missing": limit_items(missing, _MISSING_BYTES, lambda rest: MissingFile(reason=rest)),
        }
    )


def limit_items(items: Sequence[Item], limit: int, rest: Callable[[str], Item]) -> tuple[Item, ...]:
    """Keep the first items, with at most `limit` bytes of JSON; `rest` makes the item that says how many follow."""
    first = items_within(items, limit)
    if len(first) == len(items):
        return first
    first = items_within(items, limit - len(_json(rest(f"and {len(items)} more"))) - len(", "))
    return (*first, rest(f"and {len(items) - len(first)} more"))


def items_within(items: Sequence[Item], limit: int) -> tuple[Item, ...]:
    """Give the first items that have at most `limit` bytes together, as JSON of ASCII characters."""
    size = 0
    for number, item in enumerate(items):
        size += len(_json(item)) + len(", ")
        if size > limit:
            return tuple(items[:number])
    return tuple(items)


def _json(item: GrowingModel | str) -> str:
    return json.dumps(item if isinstance(item, str) else item.model_dump(mode="json", by_alias=True))
