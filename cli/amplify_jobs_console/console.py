"""The console: answers requests of a browser with pages made of the API's answers."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from urllib.parse import unquote

from amplify_jobs_console import static
from amplify_jobs_console.answers import Health
from amplify_jobs_console.api import Api, ApiError
from amplify_jobs_console.guard import foreign_page
from amplify_jobs_console.log_cache import LogCache
from amplify_jobs_console.orders import carry_out, is_order
from amplify_jobs_console.pages.content import Content
from amplify_jobs_console.pages.deliveries import show_deliveries, show_delivery
from amplify_jobs_console.pages.job import show_job
from amplify_jobs_console.pages.jobs import branch_jobs, show_branch, show_jobs
from amplify_jobs_console.pages.overview import show_overview
from amplify_jobs_console.pages.routes import show_routes
from amplify_jobs_console.place import Place
from amplify_jobs_console.reader import Reader
from amplify_jobs_console.rendering import render
from amplify_jobs_console.web import Request, Response

_AT_ONCE = 6
_HEADERS = {
    # Scripts, styles, pictures and fonts of this console alone; nobody frames it, and no other page shares its window.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # With no-referrer, browsers send the Origin null with a form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# A page must not lie in a cache, from which a script of another page of this origin could read its token.
_PAGE_HEADERS = {**_HEADERS, "Cache-Control": "no-store", "Vary": "Sec-Fetch-Dest"}
_STATIC_HEADERS = {**_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Console:
    """Answers the requests below one base address. `token` is in every form, so that no other page can send one."""

    api: Api
    place: Place
    now: Callable[[], datetime] = _now
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _logs: LogCache = field(default_factory=LogCache)
    _executor: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="console")
    )

    def takes_order(self, method: str, path: str) -> bool:
        """Whether a request presses a button, which pages of this console alone may do."""
        segments = self._segments(path)
        return method == "POST" and segments is not None and is_order(segments)

    def close(self) -> None:
        """Let go of the threads that read."""
        self._executor.shutdown(cancel_futures=True)

    def answer(self, request: Request) -> Response | None:
        """Answer a request; None for an address that the console does not have."""
        segments = self._segments(request.path)
        if segments is None:
            return None
        match request.method, segments:
            case "GET" | "HEAD", ["static", name]:
                return _static(name)
            case "GET" | "HEAD", ["jobs", app_id, branch_name, job_id]:
                return self._find(app_id, branch_name, job_id)
            case "POST", _ if is_order(segments):
                return self._carry_out(request, segments)
            case "GET" | "HEAD", _:
                return self._show(request, segments)
        return None

    def _segments(self, path: str) -> Sequence[str] | None:
        base = self.place.base
        if path != base and not path.startswith(f"{base}/"):
            return None
        return [unquote(part, errors="replace") for part in path.removeprefix(base).strip("/").split("/")]

    def _show(self, request: Request, segments: Sequence[str]) -> Response | None:
        reader = Reader(self.api, self._logs, self._executor)
        show = self._view(reader, request, segments)
        if show is None:
            return None
        health = reader.later(lambda: reader.get(Health, "/health"))
        try:
            content = show()
        except ApiError as error:
            return self._trouble(request, error)
        return self._page(request, content, reader, health())

    def _find(self, app_id: str, branch_name: str, job_id: str) -> Response | None:
        """Lead from the number of a job, which links of announcements have, to its page."""
        try:
            page = branch_jobs(Reader(self.api, self._logs, self._executor), app_id, branch_name)
        except ApiError:
            return None
        request_id = next((request.request_id for request in page.items if request.job_id == job_id), None)
        if request_id is None:
            return None
        return Response(302, headers={**_PAGE_HEADERS, "Location": self.place.url("jobs", request_id)})

    def _view(self, reader: Reader, request: Request, segments: Sequence[str]) -> Callable[[], Content] | None:
        """What shows the page of an address. Without one nothing is asked for: the address may be somebody else's."""
        arguments, place = request.arguments(), self.place
        match segments:
            case [""]:
                return partial(show_overview, reader)
            case ["jobs"]:
                return partial(show_jobs, reader, place, arguments)
            case ["jobs", request_id]:
                return partial(show_job, reader, place, request_id, arguments, self.now())
            case ["branches", app_id, branch_name]:
                return partial(show_branch, reader, place, app_id, branch_name)
            case ["deliveries"]:
                return partial(show_deliveries, reader, place, arguments)
            case ["deliveries", delivery_id]:
                return partial(show_delivery, reader, place, delivery_id, arguments)
            case ["routes"]:
                return partial(show_routes, reader, place)
        return None

    def _carry_out(self, request: Request, segments: Sequence[str]) -> Response:
        form = request.form()
        refusal = foreign_page(request.headers)
        if refusal is None and not hmac.compare_digest(form.get("token", "").encode(), self.token.encode()):
            refusal = "the form is not from this console, or from before it was started again; reload the page"
        if refusal is not None:
            return self._trouble(request, ApiError(403, "The order was not carried out", refusal))
        try:
            address = carry_out(Reader(self.api, self._logs, self._executor), self.place, segments, form)
        except ApiError as error:
            return self._trouble(request, error)
        return Response(303, headers={**_PAGE_HEADERS, "Location": address})

    def _trouble(self, request: Request, error: ApiError) -> Response:
        values = {"title": error.title, "detail": error.detail, "advice": _ADVICE.get(error.status)}
        content = Content("message.html.j2", values, status=error.status or 502)
        return self._page(request, content, Reader(self.api, self._logs, self._executor), None)

    def _page(self, request: Request, content: Content, reader: Reader, health: object) -> Response:
        refresh = str(content.refresh_seconds)
        etag = f'"{reader.digest(static.static_version(), request.query, refresh, str(health), content.template)}"'
        headers = {**_PAGE_HEADERS, "ETag": etag}
        if content.status == 200 and request.headers.get("if-none-match") == etag:
            return Response(304, headers=headers)
        now = self.now()
        page = render(
            content.template,
            self.place,
            now,
            **content.values,
            health=health,
            section=content.section,
            refresh_seconds=content.refresh_seconds,
            etag=etag,
            token=self.token if request.is_document else "",
        )
        return Response(content.status, page.encode("utf-8", "replace"), headers=headers)


def _static(name: str) -> Response | None:
    content = static.read_static(name)
    return None if content is None else Response(200, content, static.CONTENT_TYPES[name], _STATIC_HEADERS)


_ADVICE = {
    0: "Check that the stack's address is right and that this machine reaches it.",
    401: "Sign in again, for example with “aws sso login”, and reload.",
    403: "Your credentials need execute-api:Invoke on the stack's API.",
    404: "The index keeps requests and deliveries for a limited time; the list shows those that it has.",
    429: "The API is busy; the page tries again by itself.",
    502: "If it stays so, install the command line in the version of the stack.",
    503: "It may pass; the page tries again by itself.",
}
