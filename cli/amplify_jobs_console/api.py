"""What the console needs of the stack's API, and how that fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Api(Protocol):
    """The stack's API. Both methods answer the JSON of a 2xx answer, and raise ApiError for everything else."""

    def get(self, path: str, query: Mapping[str, str]) -> Any: ...

    def post(self, path: str, body: Mapping[str, Any]) -> Any: ...


class ApiError(Exception):
    """The API did not answer 2xx. `status` is 0 without an answer; `detail` says what is wrong and what is right."""

    def __init__(self, status: int, title: str, detail: str = "") -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
