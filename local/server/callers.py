"""Decides whose requests the local cloud answers: those of programs on this machine, and of its own pages.

A web page can have a browser send requests to any port of this machine. A page can also point a DNS name of its own at
127.0.0.1, and then read the answers (DNS rebinding). The browser says so in headers that a page can't choose: Host,
Origin, Sec-Fetch-Site and Referer.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from email.message import Message

from werkzeug.wrappers import Request

LOCALHOST = "localhost"
DOCKER_NAME = "host.docker.internal"
"""How containers call the machine that they run on."""

SITE_HOST = re.compile(r"([^.:]+)\.(d[a-z0-9]+)\.localhost(?::\d+)?", re.IGNORECASE)
"""The host of a deployed site: its display name and its app."""

BUCKET_HOST = re.compile(r"([a-z0-9][a-z0-9.-]*)\.localhost(?::\d+)?", re.IGNORECASE)
"""The host of an S3 bucket in virtual-hosted style, if it is not a site's."""

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?", re.IGNORECASE)
_ABSOLUTE = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)", re.IGNORECASE)
_HTTP_PORT = 80

PAGE_HEADERS = ("Origin", "Sec-Fetch-Site", "Referer")


class Callers:
    """The callers of one port.

    `names` are host names of this machine beside localhost; `subdomains` says whether names below localhost (sites,
    buckets) are served too. Addresses need no list: an address in Host is right if the connection came in at it.
    """

    def __init__(self, port: int, *, names: Collection[str] = (), subdomains: bool = False) -> None:
        self._port = port
        self._names = {LOCALHOST, *(name.lower() for name in names)}
        self._subdomains = subdomains

    def refusal(self, headers: Message, target: str, address: str) -> str | None:
        """Why a request is refused, or None if it is answered.

        `target` is the request line's; `address` is the address of this machine at which the connection came in.
        """
        hosts = headers.get_all("Host", [])
        if len(hosts) != 1:
            return f"the request has {len(hosts)} Host headers; send one, such as {LOCALHOST}:{self._port}"
        host = hosts[0].strip()
        if not self._is_own(host, address):
            return self._foreign("Host", host)
        absolute = _ABSOLUTE.match(target)
        if absolute is not None and _origin(absolute[0]) != _origin(f"http://{host}"):
            return f"the request line names {absolute[0]}, but Host is {host}; both must name the same address"
        return _foreign_page(headers, _origin(f"http://{host}"))

    def _is_own(self, host: str, address: str) -> bool:
        match = _AUTHORITY.fullmatch(host)
        if match is None or int(match[2] or _HTTP_PORT) != self._port:
            return False
        name = match[1].lower()
        if name in self._names:
            return True
        if self._subdomains and BUCKET_HOST.fullmatch(name):
            return True
        try:
            literal = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        mapped = literal.ipv4_mapped if isinstance(literal, ipaddress.IPv6Address) else None
        return str(mapped or literal) in {"127.0.0.1", "::1", address}

    def _foreign(self, header: str, value: str) -> str:
        below = f", a name below .{LOCALHOST}" if self._subdomains else ""
        names = ", ".join(sorted(self._names))
        return (
            f"{header} is {value!r}, which is not this local cloud; use 127.0.0.1, [::1], {names}{below} "
            f"or the address of LOCAL_HOST, with port {self._port}"
        )


def _foreign_page(headers: Message, own: str | None) -> str | None:
    """Why the page that sent a request is another's, or None: it is our own, or no page sent it."""
    for site in headers.get_all("Sec-Fetch-Site", []):
        if site.strip().lower() not in {"none", "same-origin"}:
            return f"a web page of another origin sent the request (Sec-Fetch-Site is {site!r}); use a program instead"
    for header in ("Origin", "Referer"):
        for value in headers.get_all(header, []):
            if _origin(value.strip()) != own:
                return f"a web page of another origin sent the request ({header} is {value!r}); use a program instead"
    return None


def _origin(address: str) -> str | None:
    """Scheme, host and port of an address, or None for what has none, as the opaque origin `null`."""
    match = _ABSOLUTE.match(address)
    if match is None or (authority := _AUTHORITY.fullmatch(match[2])) is None:
        return None
    return f"{match[1]}://{authority[1]}:{authority[2] or _HTTP_PORT}".lower()


def sent_by_page(request: Request) -> bool:
    """Whether a page had the browser send this request, and not a program or a person who typed its address."""
    return any(request.headers.get(name, "none").strip().lower() != "none" for name in PAGE_HEADERS)
