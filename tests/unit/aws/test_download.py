"""Which addresses are fetched, and which are refused; the rest is tested against a server."""

from __future__ import annotations

import time

import pytest

from amplify_jobs.aws.download import Downloads
from amplify_jobs.aws.public_http import is_public
from amplify_jobs.errors import NotDownloadableError, ServiceTrouble


def never(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


def get(url: str, *addresses: str, endpoint: str | None = None) -> bytes:
    return Downloads(endpoint, lambda host, port: list(addresses)).get(url, limit=10, until=time.monotonic() + 10)


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example/a",
        "ftp://files.example/a",
        "file:///etc/passwd",
        "https:///a",
        "https://user:secret@files.example/a",
        "https://files.example:99999/a",
        "https://[::1/a",
        "https://files.example/a b",
        "https://files.example/a\nHost: other",
        "https://fil\u00e9s.example/a",
        "",
        "a",
    ],
)
def test_an_address_that_is_not_fetched_is_not_even_looked_up(url: str) -> None:
    with pytest.raises(NotDownloadableError) as caught:
        Downloads(None, never).get(url, limit=10, until=time.monotonic() + 10)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00:ec2::254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "2002:a9fe:a9fe::",
        "2001::1",
        "::127.0.0.1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
    ],
)
def test_a_host_inside_is_refused(address: str) -> None:
    assert not is_public(address)
    for result in ([address], ["52.218.0.1", address]):
        with pytest.raises(NotDownloadableError, match=r"files\.example is not a public address"):
            get("https://files.example/a", *result)


@pytest.mark.parametrize("address", ["52.218.0.1", "2600:1f60::1", "::ffff:52.218.0.1"])
def test_a_public_address(address: str) -> None:
    assert is_public(address)


def test_a_host_without_an_address_may_have_one_later() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(ServiceTrouble, match=r"files\.example can.t be resolved now"):
        Downloads(None, unknown).get("https://files.example/a", limit=10, until=time.monotonic() + 10)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:4567/a", "https://127.0.0.1:4566/a", "http://localhost:4566/a", "http://127.0.0.1/a"],
)
def test_only_the_endpoint_itself_is_taken_as_it_is(url: str) -> None:
    with pytest.raises(NotDownloadableError):
        get(url, "127.0.0.1", endpoint="http://127.0.0.1:4566")


def test_what_there_is_no_time_for_is_told() -> None:
    with pytest.raises(ServiceTrouble, match="no time left"):
        Downloads(None, never).get("https://files.example/a", limit=10, until=time.monotonic() - 1)
