"""Requests arrive whole, connections are kept, and clients that break the protocol break nothing else."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
from collections.abc import Iterator

import pytest
from werkzeug.wrappers import Request, Response

from local.server.http_server import DropConnectionError, HttpServer, Listen, PortOccupiedError, client_gone
from tests.support.waiting import eventually

LEFT = threading.Event()


def answer(request: Request) -> Response:
    match request.path:
        case "/drop":
            raise DropConnectionError
        case "/fail":
            raise ZeroDivisionError
        case "/empty":
            return Response(status=204)
        case "/wait":
            eventually(lambda: client_gone(request))
            LEFT.set()
    body = request.get_data() or request.environ["REQUEST_URI"].encode()
    return Response(body, headers={"X-Seen": request.headers.get("X-Sent", "")})


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    server = HttpServer("test", max_body=1000)
    server.start(answer)
    yield server
    server.close()


@pytest.fixture
def connection(server: HttpServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield connection
    connection.close()


def test_one_connection_serves_many_requests(connection: http.client.HTTPConnection) -> None:
    connection.connect()
    first = connection.sock
    for number in range(3):
        connection.request("POST", f"/{number}", body=b"x" * number, headers={"X-Sent": "a"})
        response = connection.getresponse()
        assert (response.status, response.headers["X-Seen"]) == (200, "a")
        assert response.read() == (b"x" * number or b"/0")
    connection.request("HEAD", "/")
    response = connection.getresponse()
    assert (response.headers["Content-Length"], response.read()) == ("1", b"")
    connection.request("GET", "/empty")
    response = connection.getresponse()
    assert (response.status, response.read()) == (204, b"")
    assert connection.sock is first


def test_a_body_in_chunks_arrives_whole(connection: http.client.HTTPConnection) -> None:
    connection.request("PUT", "/", body=iter([b"one", b"two"]), headers={"X-Sent": "b"})
    response = connection.getresponse()
    assert (response.headers["X-Seen"], response.read()) == ("b", b"onetwo")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(connection: http.client.HTTPConnection, chunked: bool) -> None:
    body = b"x" * 1001
    connection.request("POST", "/", body=iter([body]) if chunked else body)
    response = connection.getresponse()
    assert (response.status, response.read()) == (413, b'{"message": "Request Entity Too Large"}')


@pytest.mark.parametrize("prefix", ["", "http://127.0.0.1:{port}", "HTTP://127.0.0.1:{port}"])
def test_the_path_is_kept_as_it_was_sent(connection: http.client.HTTPConnection, prefix: str) -> None:
    connection.request("GET", prefix.format(port=connection.port) + "/a%2Fb%20c?d=%26")
    assert connection.getresponse().read() == b"/a%2Fb%20c?d=%26"


def test_a_request_of_somebody_else_does_not_reach_the_application(connection: http.client.HTTPConnection) -> None:
    for headers in ({"Host": "rebind.example"}, {"Origin": "https://evil.example"}):
        connection.request("POST", "/fail", body=b"x", headers=headers)
        response = connection.getresponse()
        assert response.status == 403
        assert "127.0.0.1" in response.read().decode() or "Origin" in headers


def test_an_application_that_fails_says_nothing_of_why(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/fail")
    response = connection.getresponse()
    assert (response.status, response.read()) == (500, b'{"message": "Internal Server Error"}')


def test_a_connection_can_be_dropped(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/drop")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()


def test_a_client_that_leaves_is_noticed(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/wait")
    connection.close()
    assert LEFT.wait(10)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\n\r\n", b"501"),
    ],
)
def test_what_is_no_http_is_refused(server: HttpServer, sent: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(sent)
        received = b""
        while part := client.recv(4096):
            received += part
    assert status in received.splitlines()[0] or status in received


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 10\r\n\r\nhalf",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n8\r\nhalf",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf more\r\n0\r\n\r\n",
    ],
)
def test_a_body_that_was_cut_does_not_reach_the_application(server: HttpServer, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.port + sent)
        client.shutdown(socket.SHUT_WR)
        answered = b"".join(iter(lambda: client.recv(4096), b""))
    assert answered.startswith(b"HTTP/1.1 400")


def test_a_port_can_be_had_once() -> None:
    first = HttpServer("first")
    with pytest.raises(PortOccupiedError, match=f"port {first.port}"):
        HttpServer("second", Listen(first.port))
    first.close()
    HttpServer("third", Listen(first.port)).close()


def answers(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more loopback addresses than one")
@pytest.mark.parametrize(("also_at", "elsewhere"), [("127.0.0.1", False), ("127.0.0.2", True), ("0.0.0.0", True)])
def test_it_listens_at_loopback_and_where_it_is_told(also_at: str, elsewhere: bool) -> None:
    server = HttpServer("test", Listen(also_at=also_at))
    server.start(answer)
    assert answers("127.0.0.1", server.port)
    assert answers("127.0.0.2", server.port) is elsewhere
    server.close()
    assert not answers("127.0.0.1", server.port)
    assert not answers("127.0.0.2", server.port)


@pytest.mark.parametrize("address", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_another_machine_is_named(address: str) -> None:
    with pytest.raises(ValueError, match=f"can't listen at {address}: it is no IPv4 address of this machine"):
        HttpServer("test", Listen(also_at=address))
