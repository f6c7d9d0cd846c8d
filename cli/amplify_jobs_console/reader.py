"""Reads what a page needs from the API, side by side, and keeps what the page was made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from amplify_jobs_console.answers import LogPart, Page
from amplify_jobs_console.api import Api, ApiError
from amplify_jobs_console.log_cache import LogCache

Value = TypeVar("Value")
Model = TypeVar("Model")
# They change without news, so that a page would be sent again for nothing.
_CLOCKS = frozenset({"asOf", "lagSeconds"})
_MOST_PAGES = 4
_MOST_ITEMS = 200


@dataclass(frozen=True)
class Problem:
    """Why a part of a page is missing."""

    status: int
    title: str
    detail: str


@dataclass
class Reader:
    """Reads for one page. `seen` is what was answered, for the page's ETag."""

    api: Api
    logs: LogCache
    executor: Executor
    seen: dict[str, Any] = field(default_factory=dict)

    def get(self, model: type[Model], path: str, query: Mapping[str, str] | None = None) -> Model:
        """Read one answer. Raises ApiError, also for an answer that the console can't read."""
        parameters = {name: value for name, value in (query or {}).items() if value}
        document = self.api.get(path, parameters)
        self.seen[f"{path} {sorted(parameters.items())}"] = document
        return _read(model, path, document)

    def page(self, model: type[Model], path: str, query: Mapping[str, str] | None = None) -> Page[Model]:
        """Read a list as far as its page is full: a page of the API may have few items, and more follow."""
        page = self.get(Page[model], path, query)  # type: ignore[valid-type]
        items, limit = list(page.items), int((query or {}).get("limit", _MOST_ITEMS))
        for _ in range(_MOST_PAGES):
            if page.next is None or len(items) >= limit:
                break
            rest = {**(query or {}), "next": page.next, "limit": str(limit - len(items))}
            page = self.get(Page[model], path, rest)  # type: ignore[valid-type]
            items += page.items
        return page.model_copy(update={"items": items})

    def log(self, request_id: str, attempt: int) -> LogPart:
        """Read the whole log of an attempt, as far as it exists. Raises ApiError."""
        path = f"/requests/{segment(request_id)}/log"

        def read(offset: int) -> LogPart:
            return _read(LogPart, path, self.api.get(path, {"offset": str(offset)}))

        log = self.logs.read(f"{request_id} {attempt}", read)
        self.seen[path] = [len(log.text), log.complete, log.failing_lines]
        return log

    def later(self, read: Callable[[], Value]) -> Callable[[], Value | Problem]:
        """Begin to read something, and answer how to wait for it; a failure is a Problem then."""

        def attempt() -> Value | Problem:
            try:
                return read()
            except ApiError as error:
                self.seen[f"problem {error.status}"] = error.detail
                return Problem(error.status, error.title, error.detail)

        return self.executor.submit(attempt).result

    def digest(self, *more: str) -> str:
        """What the page was made of, as a short text that is equal only for equal answers."""
        content = json.dumps([more, _without_clocks(self.seen)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:32]


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="", errors="replace")


def _without_clocks(document: Any) -> Any:
    match document:
        case dict():
            return {name: _without_clocks(value) for name, value in document.items() if name not in _CLOCKS}
        case list():
            return [_without_clocks(value) for value in document]
        case _:
            return document


def _read(model: type[Model], path: str, document: Any) -> Model:
    try:
        return TypeAdapter(model).validate_python(document)
    except ValidationError as invalid:
        places = ", ".join(".".join(map(str, error["loc"])) or "the answer" for error in invalid.errors()[:3])
        raise ApiError(
            502,
            "The API's answer can't be read",
            f"{places} of {path} is not what this console knows; install the command line in the stack's version",
        ) from None
