"""A branch's badge: where its image is, and what shows it in a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

# Source: https://shields.io/badges/endpoint-badge
_SHIELDS = "https://img.shields.io/endpoint"


@dataclass(frozen=True)
class Badge:
    """The address of the image, the one of shields.io's image of it, and Markdown with the first of them."""

    image: str
    shields: str
    markdown: str


def make_badge(api_url: str, path: str, name: str) -> Badge:
    """The badge at a path of the API, with the name of what it is about for people who do not see it."""
    image = f"{api_url.rstrip('/')}{path}"
    document = f"{image.removesuffix('.svg')}.json"
    text = re.sub(r"([\\\[\]])", r"\\\1", " ".join(name.split()))
    return Badge(image, f"{_SHIELDS}?{urlencode({'url': document}, errors='replace')}", f"![Build of {text}]({image})")
