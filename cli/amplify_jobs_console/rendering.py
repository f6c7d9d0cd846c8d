"""Makes HTML of templates: every value is escaped, cleaned, and a link only if it leads to a web page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from amplify_jobs_console import words
from amplify_jobs_console.place import Place
from amplify_jobs_console.reader import Problem
from amplify_jobs_console.static import static_version

_PACKAGE = "amplify_jobs_console"


def render(template: str, place: Place, now: datetime, **values: Any) -> str:
    """Render a template for a place at a time."""
    local_now = now.astimezone(place.zone)

    def clock(time: datetime | None) -> str:
        """A time as a clock of the place shows it, with the day if it is another one than today."""
        if time is None:
            return ""
        try:
            local = time.astimezone(place.zone)
        except OverflowError:
            local = time
        form = "%H:%M:%S" if local.date() == local_now.date() else "%-d %b %H:%M"
        return local.strftime(form)

    return (
        _environment()
        .get_template(template)
        .render(
            place=place,
            url=place.url,
            now=now,
            clock=clock,
            full_time=lambda time: time.strftime("%Y-%m-%d %H:%M:%S UTC"),
            age=lambda time: words.age(time, now),
            seconds_since=lambda time: max(0.0, (now - time).total_seconds()),
            **values,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.tests["problem"] = lambda value: isinstance(value, Problem)
    environment.globals.update(words=words, version=static_version)
    environment.filters.update(
        duration=words.duration,
        commit=words.short_commit,
        ref=words.short_ref,
        line=words.first_line,
        iso=_iso,
        web=web_address,
        pretty=_pretty,
    )
    return environment


def _finalize(value: Any) -> Any:
    """What a template shows of a value; Markup, which macros make, is not a plain str."""
    if value is None:
        return ""
    return words.clean(value) if type(value) is str else value


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _pretty(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def web_address(address: str | None) -> str | None:
    """An address that a page may link to: of the web, and nothing that a browser runs."""
    if not address:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in ("http", "https") and parts.hostname else None
