"""A request to the console, and its response, whatever server is around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

MOST_FORM_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """A request. `path` is as the browser sent it, with `%2F`; the names of `headers` are lower-case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def arguments(self) -> dict[str, str]:
        """The members of the query that have a value; of a repeated one, the last."""
        return dict(parse_qsl(self.query, errors="replace"))

    def form(self) -> dict[str, str]:
        """The fields of a form that have a value; nothing for a body that is no form."""
        if len(self.body) > MOST_FORM_BYTES:
            return {}
        try:
            return dict(parse_qsl(self.body.decode("utf-8", "replace"), errors="replace", max_num_fields=100))
        except ValueError:
            return {}

    @property
    def is_document(self) -> bool:
        """Whether a browser shows the response as a page of its own, as no script of another page could read it."""
        return self.headers.get("sec-fetch-dest") == "document"


@dataclass(frozen=True)
class Response:
    """A response."""

    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
