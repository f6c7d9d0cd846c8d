"""The two ports of the local cloud, as the environment sets them."""

from __future__ import annotations

import os

AWS_PORT = ("LOCAL_AWS_PORT", 4566)
HTTP_PORT = ("LOCAL_HTTP_PORT", 3000)


def ports() -> tuple[int, int]:
    """Give the ports of the AWS endpoint and of the HTTP API; raises ValueError for what is no port number."""
    return _port(*AWS_PORT), _port(*HTTP_PORT)


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"{variable} must be a port number, not {text!r}")
    return int(text)
