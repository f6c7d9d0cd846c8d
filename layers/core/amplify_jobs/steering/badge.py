"""Badges: one word on a branch, as an SVG or in the form of shields.io's endpoint, at an address nobody can guess.

Source: https://shields.io/badges/endpoint-badge.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from enum import StrEnum
from html import escape
from typing import Any

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.indexing.branch import BranchRecord

_SIGNATURE_BYTES = 16
_CHARACTER_PIXELS = 7
_PADDING_PIXELS = 10
_COLORS = {"passing": "#2e7d32", "failing": "#b3261e", "running": "#8a5a00", "none": "#5f6368"}
_SHIELDS_COLORS = {"passing": "brightgreen", "failing": "red", "running": "yellow", "none": "lightgrey"}
CACHE_SECONDS = 60
# GitHub's proxy of images keeps one for as long as this says, and for hours if nothing is said.
HEADERS = {"Cache-Control": f"public, max-age={CACHE_SECONDS}, s-maxage={CACHE_SECONDS}"}


class Word(StrEnum):
    """What a badge says: how the newest job with a result ended, or that there was none yet."""

    PASSING = "passing"
    FAILING = "failing"
    RUNNING = "running"
    NONE = "none"


def make_token(key: str, app_id: str, branch_name: str) -> str:
    """The token of a branch's badge: the branch's name with a signature, which only who has the key can make."""
    name = f"{app_id}#{branch_name}".encode()
    return base64.urlsafe_b64encode(_signature(key, name) + name).decode().rstrip("=")


def make_path(key: str, app_id: str, branch_name: str) -> str:
    """The path of a branch's badge at the API."""
    return f"/badges/{make_token(key, app_id, branch_name)}.svg"


def read_token(key: str, token: str) -> tuple[str, str] | None:
    """The app and branch of a token; None if it was not made with the key."""
    try:
        content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        signature, name = content[:_SIGNATURE_BYTES], content[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(key, name)):
            return None
        app_id, _, branch_name = name.decode().partition("#")
    except (ValueError, binascii.Error):
        return None
    return app_id, branch_name


def _signature(key: str, name: bytes) -> bytes:
    return hmac.new(key.encode(), b"badge " + name, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def word(branch: BranchRecord | None) -> Word:
    """What the badge of a branch says."""
    if branch is None:
        return Word.NONE
    if branch.result is not None:
        return Word.PASSING if branch.result.outcome == Outcome.SUCCEEDED else Word.FAILING
    return Word.RUNNING if branch.last is not None and not branch.last.state.is_end else Word.NONE


def svg(message: Word, label: str = "build") -> str:
    """The badge, in two boxes; readers hear its title."""
    left, right = (len(text) * _CHARACTER_PIXELS + _PADDING_PIXELS for text in (label, message))
    width, title = left + right, f"{escape(label)}: {message}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<clipPath id="r"><rect width="{width}" height="20" rx="3" fill="#fff"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLORS[message]}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2:g}" y="14">{escape(label)}</text>'
        f'<text x="{left + right / 2:g}" y="14">{message}</text></g></svg>'
    )


def shields(message: Word, label: str = "build") -> dict[str, Any]:
    """The badge for shields.io, which refuses members that it does not know."""
    color = _SHIELDS_COLORS[message]
    return {"schemaVersion": 1, "label": label, "message": message.value, "color": color, "cacheSeconds": 300}
