"""Git servers over smart HTTP. Source: gitprotocol-http(5): the smart protocol in version 0, lists of refs in 2."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Protocol
from urllib.parse import SplitResult, urljoin

import urllib3

from amplify_jobs.aws.public_http import parts_of
from amplify_jobs.errors import (
    NotDownloadableError,
    NotSetUpError,
    PrivateAddressError,
    RequestRejected,
    ServiceTrouble,
)
from amplify_jobs.events.normalize import Commit
from amplify_jobs.mirroring.advertisement import PEELED, Advertisement, GitService, parse_advertisement
from amplify_jobs.mirroring.commits import commits_request, read_commits
from amplify_jobs.mirroring.listing import VERSION, Tip, ls_refs_request, parse_ls_refs, with_prefixes
from amplify_jobs.mirroring.pkt_line import GitProtocolError, Readable

CONNECT_SECONDS = 5
# Servers say that they are still at work every five seconds (uploadpack.keepAlive, receive.keepAlive).
READ_SECONDS = 60
MOST_REDIRECTS = 2
# Of a hundred thousand refs; each has at most some hundred bytes.
ADVERTISEMENT_BYTES = 32 << 20
# Some hosts answer git alone.
USER_AGENT = "git/2 amplify-jobs"
_BLOCK_BYTES = 64 * 1024


class Connections(Protocol):
    """What connects to a host; aws.public_http.PublicHttp."""

    def pool(self, parts: SplitResult) -> urllib3.HTTPConnectionPool: ...


class GitRemote:
    """One repository. `authorization` gives the value of that header for each request, None for none.

    `until` is when all has to be done, on the clock time.monotonic. `credentials` names them in messages.
    """

    def __init__(
        self,
        address: str,
        connections: Connections,
        authorization: Callable[[], str | None],
        *,
        credentials: str,
        until: float,
    ) -> None:
        self.address = address
        self._base = address.rstrip("/")
        self._connections = connections
        self._authorization = authorization
        self._credentials = credentials
        self._until = until
        self._pool: urllib3.HTTPConnectionPool | None = None

    def advertisement(self, service: GitService) -> Advertisement:
        """Ask for the refs. Raises RequestRejected, NotSetUpError for credentials that are refused, ServiceTrouble."""
        for _ in range(MOST_REDIRECTS + 1):
            query = f"/info/refs?service={service}"
            with self._answered("GET", query, {"Accept": "*/*"}, None) as response:
                location = response.headers.get("Location")
                if response.status in {301, 302, 307, 308} and location:
                    self._base = self._base_after(location, query)
                    continue
                self._check_status(response)
                expected = f"application/x-{service}-advertisement"
                if response.headers.get("Content-Type", "").partition(";")[0].strip() != expected:
                    raise RequestRejected(f"{self.address} is no git repository over smart HTTP; correct its address")
                return parse_advertisement(_Bounded(response, self._until, ADVERTISEMENT_BYTES), service)
        raise RequestRejected(f"{self.address} redirects more than {MOST_REDIRECTS} times; correct its address")

    def tips(self, prefixes: Sequence[str]) -> dict[str, Tip]:
        """List the refs that begin so, in one call; in two where the server knows no version 2.

        Raises as `advertisement`.
        """
        body = ls_refs_request(prefixes)
        try:
            with self._posted(GitService.UPLOAD_PACK, body, len(body), {"Git-Protocol": VERSION}) as answer:
                return with_prefixes(parse_ls_refs(answer), prefixes)
        except (GitProtocolError, RequestRejected):
            refs = self.advertisement(GitService.UPLOAD_PACK).refs
        tips = {name: Tip(object_id, refs.get(name + PEELED, object_id)) for name, object_id in refs.items()}
        return with_prefixes({name: tip for name, tip in tips.items() if not name.endswith(PEELED)}, prefixes)

    def commits(self, tips: Collection[Tip]) -> dict[str, Commit]:
        """Read what the commits of tips say, in two calls; those of tips that refs have left meanwhile are not there.

        Raises CommitsNotToldError where the server can't tell, CommitNotGivenError, and as `advertisement`.
        """
        offer = self.advertisement(GitService.UPLOAD_PACK)
        present = set(offer.refs.values())
        commits = {tip.object_id: tip.commit for tip in tips if tip.object_id in present}
        if not commits:
            return {}
        with self.upload_pack(commits_request([*commits], offer)) as answer:
            return read_commits(answer, set(commits.values()))

    @contextmanager
    def upload_pack(self, request: bytes) -> Iterator[Readable]:
        """Ask for a pack. Raises as `advertisement`."""
        with self._posted(GitService.UPLOAD_PACK, request, len(request)) as answer:
            yield answer

    @contextmanager
    def receive_pack(self, request: bytes, pack: BinaryIO) -> Iterator[Readable]:
        """Push a pack, which is sent from the file as it is. Raises as `advertisement`."""
        start = pack.tell()
        length = len(request) + pack.seek(0, 2) - start
        pack.seek(start)
        with self._posted(GitService.RECEIVE_PACK, _Joined(request, pack, self._until), length) as answer:
            yield answer

    @contextmanager
    def _posted(
        self, service: GitService, body: bytes | _Joined, length: int, more: Mapping[str, str] | None = None
    ) -> Iterator[Readable]:
        headers = {
            **(more or {}),
            "Accept": f"application/x-{service}-result",
            "Content-Type": f"application/x-{service}-request",
            "Content-Length": str(length),
        }
        with self._answered("POST", f"/{service}", headers, body) as response:
            self._check_status(response)
            yield _Bounded(response, self._until, ADVERTISEMENT_BYTES if more else None)

    @contextmanager
    def _answered(
        self, method: str, path: str, headers: dict[str, str], body: bytes | _Joined | None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        authorization = self._authorization()
        if authorization is not None:
            headers["Authorization"] = authorization
        host = "the git host"
        try:
            parts = parts_of(self._base + path)
            host = parts.netloc
            if self._pool is None:
                self._pool = self._connections.pool(parts)
            response = self._pool.urlopen(
                method,
                parts._replace(scheme="", netloc="", fragment="").geturl(),
                body=body,  # type: ignore[arg-type]  # a file is more than is needed
                headers={**headers, "Host": parts.netloc, "User-Agent": USER_AGENT},
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=self._seconds_left()),
            )
            try:
                yield response
            finally:
                # What was not read must not come first on the next request's answer.
                response.close()
        except PrivateAddressError as error:
            remedy = "let the stack's parameter MirrorPrivateHosts name it, or correct the address"
            raise RequestRejected(f"{self.address}: {error}; {remedy}") from None
        except NotDownloadableError as error:
            raise RequestRejected(f"{self.address}: {error}") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ServiceTrouble(f"{host} did not answer, or not to the end ({type(error).__name__})") from None

    def _seconds_left(self) -> float:
        remaining_seconds = self._until - time.monotonic()
        if remaining_seconds <= 0:
            raise ServiceTrouble("there was no time left to relay it")
        return min(remaining_seconds, READ_SECONDS)

    def _check_status(self, response: urllib3.BaseHTTPResponse) -> None:
        status = response.status
        if status == 200:
            return
        if status in {401, 403, 407}:
            # They may have expired: new ones heal it.
            raise NotSetUpError(f"{self.address} refused {self._credentials} (HTTP {status})")
        if status == 429 or status >= 500:
            raise ServiceTrouble(f"{self.address} answered HTTP {status}")
        if status in {404, 410}:
            raise RequestRejected(f"{self.address} is not there, or {self._credentials} may not see it (HTTP {status})")
        raise RequestRejected(f"{self.address} answered HTTP {status}; correct its address")

    def _base_after(self, location: str, query: str) -> str:
        """The address after a redirect, which must not lead the credentials to another host."""
        new = urljoin(self._base + query, location)
        before, after = parts_of(self._base), parts_of(new)
        if (before.scheme, before.netloc) != (after.scheme, after.netloc) or not new.endswith(query):
            raise RequestRejected(f"{self.address} redirects to another host or page; correct its address")
        return new.removesuffix(query)


class _Bounded:
    """A body that is read for a limited time, and up to a limit where there is one."""

    def __init__(self, response: urllib3.BaseHTTPResponse, until: float, limit: int | None = None) -> None:
        self._response = response
        self._until = until
        self._left = limit

    def read(self, size: int, /) -> bytes:
        if time.monotonic() > self._until:
            raise ServiceTrouble("there was no time left to relay it")
        block = self._response.read(size, decode_content=True)
        if self._left is not None:
            self._left -= len(block)
            if self._left < 0:
                raise RequestRejected("the git host tells of more refs than can be read")
        return block


class _Joined:
    """The body of a push: what stands before the pack, and the pack."""

    def __init__(self, head: bytes, pack: BinaryIO, until: float) -> None:
        self._head = head
        self._pack = pack
        self._until = until

    def read(self, size: int = -1, /) -> bytes:
        if time.monotonic() > self._until:
            raise ServiceTrouble("there was no time left to relay it")
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._pack.read(size if size > 0 else _BLOCK_BYTES)
