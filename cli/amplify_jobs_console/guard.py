"""Who may use a console: the browser of the person who started it, and no other web page.

Every page in a browser can send requests to a port of this machine, and a page can point a DNS name of its own at
127.0.0.1 and then read the answers (DNS rebinding). Host, Origin and Sec-Fetch-Site tell: a page can't choose them.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from amplify_jobs_console.web import Request, Response

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Door:
    """Lets in who has the address of a console at a port of this machine.

    The address has a random token. It becomes a cookie, so that the token stands in no address after that. Cookies
    know no ports, so the name of this one has the port.
    """

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def address(self) -> str:
        """The address to open, with its token."""
        return f"http://{LOOPBACK}:{self.port}/?token={self.token}"

    def answer(self, request: Request, console: Callable[[Request], Response | None]) -> Response:
        """Answer a request by the console, if it is of the person who has the address."""
        hosts = (f"{LOOPBACK}:{self.port}", f"localhost:{self.port}")
        refusal = foreign_host(request.headers, hosts) or foreign_page(request.headers)
        if refusal is not None:
            return _text(403, refusal)
        name, token = f"amplify-jobs-{self.port}", request.arguments().get("token", "")
        if request.path == "/" and _is_equal(token, self.token):
            cookie = f"{name}={self.token}; HttpOnly; SameSite=Strict; Path=/"
            return Response(303, headers={"Location": "/", "Set-Cookie": cookie, "Cache-Control": "no-store"})
        if not has_cookie(request.headers, name, self.token):
            return _text(
                403, "open the address that the command line printed: it has a token, which this browser lacks"
            )
        return console(request) or _text(404, f"nothing is at {request.path!r}")


def _text(status: int, text: str) -> Response:
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(status, f"{text}\n".encode("utf-8", "replace"), "text/plain; charset=utf-8", headers)


def _is_equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8", "replace"), right.encode())


def foreign_host(headers: Mapping[str, str], hosts: Collection[str]) -> str | None:
    """Why the host that a request names is not this console, or None."""
    host = headers.get("host", "").lower()
    if host in hosts:
        return None
    return f"the request is for {host!r}, which is not this console; open the address that the command line printed"


def foreign_page(headers: Mapping[str, str]) -> str | None:
    """Why the page that sent a request is another's, or None: it is our own, or no page sent it."""
    site = headers.get("sec-fetch-site", "none").strip().lower()
    if site not in ("none", "same-origin"):
        return f"a web page of another origin sent the request (Sec-Fetch-Site is {site!r})"
    origin = headers.get("origin")
    if origin is not None and origin.strip().lower() != f"http://{headers.get('host', '').lower()}":
        return f"a web page of another origin sent the request (Origin is {origin!r})"
    return None


def has_cookie(headers: Mapping[str, str], name: str, value: str) -> bool:
    """Whether a request has a cookie of this value, compared in constant time."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return False
    cookie = cookies.get(name)
    return cookie is not None and _is_equal(cookie.value, value)
