"""Where a console is served, and what it calls itself."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import tzinfo
from urllib.parse import urlencode

from amplify_jobs_console.reader import segment


@dataclass(frozen=True)
class Place:
    """What differs between the consoles of a stack on AWS and of the local cloud.

    `base` is the path before those of all pages, without a slash at the end. `command` is how a terminal calls the
    command line, and `options` are those that name this stack. `links` are further pages: text and address. `zone` is
    the time zone of all times; None is the machine's. With `is_console`, the links that announcements call Console lead
    to this console. `api_url` is where everybody reaches the stack's badges.
    """

    name: str
    base: str = ""
    detail: str = ""
    command: str = "amplify-jobs"
    options: str = ""
    links: tuple[tuple[str, str], ...] = ()
    zone: tzinfo | None = None
    is_console: bool = False
    api_url: str = ""

    def url(self, *segments: str, **query: str | None) -> str:
        """The address of a page of the console; segments and values are quoted."""
        path = "/".join([self.base, *(segment(part) for part in segments)]) if segments else f"{self.base}/"
        parameters = {name: value for name, value in query.items() if value}
        return f"{path}?{urlencode(parameters, errors='replace')}" if parameters else path

    def shell(self, *words: str) -> str:
        """A command to copy into a terminal."""
        return " ".join(part for part in (self.command, shlex.join(words), self.options) if part)
