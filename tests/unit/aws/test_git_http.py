"""Git over HTTP: what it says of an address that it does not connect to."""

from __future__ import annotations

import time

import pytest

from amplify_jobs.aws.git_http import GitRemote
from amplify_jobs.aws.public_http import PublicHttp
from amplify_jobs.errors import RequestRejected
from amplify_jobs.mirroring.advertisement import GitService


@pytest.mark.parametrize("service", GitService)
def test_a_host_in_a_private_network_is_refused_with_the_parameter_that_allows_it(service: GitService) -> None:
    connections = PublicHttp(None, resolve=lambda _host, _port: ["10.0.0.7"], private_hosts=["other.example.com"])
    address = "https://git.example.com/acme/web.git"
    remote = GitRemote(address, connections, lambda: None, credentials="none", until=time.monotonic() + 60)
    with pytest.raises(RequestRejected) as refusal:
        remote.advertisement(service)
    assert str(refusal.value) == (
        f"{address}: git.example.com is not a public address; "
        "let the stack's parameter MirrorPrivateHosts name it, or correct the address"
    )
