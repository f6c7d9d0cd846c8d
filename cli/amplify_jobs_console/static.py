"""The files that pages load: style sheet, script, font and icon. Their addresses change with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

CONTENT_TYPES = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "inter-latin.woff2": "font/woff2",
}


def read_static(name: str) -> bytes | None:
    """The content of a file; None if there is no such file."""
    if name not in CONTENT_TYPES:
        return None
    return files("amplify_jobs_console").joinpath("static", name).read_bytes()


@cache
def static_version() -> str:
    """What all the files contain, as a short text."""
    digest = hashlib.sha256()
    for name in CONTENT_TYPES:
        digest.update(read_static(name) or b"")
    return digest.hexdigest()[:12]
