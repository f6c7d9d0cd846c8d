"""Connections to addresses that others name, without being led where no such server can be.

An address must be https and public: a name that leads into a private network, to this machine or to the metadata
service is refused, and what was checked is what is connected to. Only what lies at the configured endpoint of AWS, as
in the local cloud, is taken as it is, and so are private hosts that the operator names.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from urllib.parse import SplitResult, urlsplit

import urllib3
from botocore.httpsession import get_cert_path

from amplify_jobs.errors import NotDownloadableError, PrivateAddressError, ServiceTrouble

Resolve = Callable[[str, int], list[str]]
"""Gives the addresses of a host; raises OSError."""


class PublicHttp:
    """Makes connections; `endpoint_url` is the configured endpoint of AWS, if there is one.

    `private_hosts` are names, with the port where it is not the scheme's, of hosts that may have private addresses.
    """

    def __init__(
        self, endpoint_url: str | None, resolve: Resolve | None = None, private_hosts: Collection[str] = ()
    ) -> None:
        self._private_hosts = frozenset(private_hosts)
        self._endpoint = _origin(urlsplit(endpoint_url)) if endpoint_url else None
        self._resolve = resolve or _addresses_of

    def pool(self, parts: SplitResult) -> urllib3.HTTPConnectionPool:
        """Connect to an address's host. Raises NotDownloadableError, and ServiceTrouble where it has no address now."""
        host, port = parts.hostname or "", parts.port
        if _origin(parts) == self._endpoint or parts.netloc in self._private_hosts:
            make = urllib3.HTTPSConnectionPool if parts.scheme == "https" else urllib3.HTTPConnectionPool
            return make(host, port)
        if parts.scheme != "https":
            raise NotDownloadableError("its address is not https")
        address = self._public_address(host, port or 443)
        return urllib3.HTTPSConnectionPool(
            address,
            port or 443,
            server_hostname=host,
            assert_hostname=host,
            cert_reqs="CERT_REQUIRED",
            ca_certs=get_cert_path(True),
        )

    def _public_address(self, host: str, port: int) -> str:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise ServiceTrouble(f"{host} can't be resolved now ({type(error).__name__})") from error
        if not addresses or not all(is_public(address) for address in addresses):
            raise PrivateAddressError(f"{host} is not a public address")
        return addresses[0]


# IPv6 addresses that carry an IPv4 address a gateway may reach (RFC 6052, RFC 3056, RFC 4291, RFC 4380), and what site
# local addresses were.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "fec0::/10")
)


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public internet, and does not stand for another one."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif any(ip in network for network in _NOT_PUBLIC):
            return False
    return ip.is_global and not ip.is_multicast


def parts_of(url: str) -> SplitResult:
    """Take an address apart. Raises NotDownloadableError for one that can't be fetched."""
    try:
        parts = urlsplit(url)
        usable = parts.hostname is not None and parts.username is None and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise NotDownloadableError("its address can't be fetched")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port


def _addresses_of(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
