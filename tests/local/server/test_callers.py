"""Web pages, and names that only pretend to be this machine, get nothing from the local cloud."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from local.cloud import LocalCloud
from local.running import callers_of
from local.server.callers import Callers
from tests.support.waiting import eventually

PORT = 4566
EVIL = "https://evil.example"


def refusal(
    headers: Mapping[str, str] | list[tuple[str, str]], target: str = "/", address: str = "127.0.0.1", **settings: Any
) -> str | None:
    message = Message()
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        message[name] = value
    return Callers(PORT, **settings).refusal(message, target, address)


# --- Host ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:4566",
        "localhost:4566",
        "LocalHost:4566",
        "[::1]:4566",
        "[0:0:0:0:0:0:0:1]:4566",
        "[::ffff:127.0.0.1]:4566",
        "[::FFFF:7f00:1]:4566",
    ],
)
@pytest.mark.parametrize("subdomains", [False, True])
def test_this_machine_is_answered_under_each_of_its_names(host: str, subdomains: bool) -> None:
    assert refusal({"Host": host}, subdomains=subdomains) is None


@pytest.mark.parametrize(
    "host",
    [
        "rebind.evil.example:4566",
        "127.0.0.1.evil.example:4566",
        "localhost.evil.example:4566",
        "evillocalhost:4566",
        "localhost.:4566",
        "127.0.0.1.:4566",
        "127.0.0.1",
        "localhost",
        "localhost:3000",
        "localhost:04566x",
        "localhost:",
        "127.0.0.1:80",
        "127.1:4566",
        "2130706433:4566",
        "0x7f000001:4566",
        "0.0.0.0:4566",
        "127.0.0.2:4566",
        "172.17.0.1:4566",
        "[::]:4566",
        "[::1:4566",
        "::1:4566",
        "[fe80::1%25lo]:4566",
        "user@localhost:4566",
        "localhost:4566@evil.example",
        "localhost:4566,evil.example",
        "localhost:4566 evil.example",
        "host.docker.internal:4566",
        "169.254.169.254:4566",
        "",
        ".localhost:4566",
        "-.localhost:4566",
    ],
)
@pytest.mark.parametrize("subdomains", [False, True])
def test_every_other_host_is_refused_by_name(host: str, subdomains: bool) -> None:
    refused = refusal({"Host": host}, subdomains=subdomains)
    assert refused is not None
    assert repr(host) in refused
    assert "with port 4566" in refused


@pytest.mark.parametrize(
    "host", ["main.d1a2b3.localhost:4566", "Main.D1A2B3.LOCALHOST:4566", "my.bucket.localhost:4566"]
)
def test_names_below_localhost_are_those_of_sites_and_buckets(host: str) -> None:
    assert refusal({"Host": host}, subdomains=True) is None
    assert refusal({"Host": host}) is not None
    assert refusal({"Host": host.replace("4566", "80")}, subdomains=True) is not None


def test_an_address_is_right_where_the_connection_came_in_at_it() -> None:
    assert refusal({"Host": "172.17.0.1:4566"}, address="172.17.0.1") is None
    assert refusal({"Host": "127.0.0.1:4566"}, address="172.17.0.1") is None
    assert refusal({"Host": "172.17.0.2:4566"}, address="172.17.0.1") is not None


def test_the_port_of_http_need_not_be_written() -> None:
    message = Message()
    message["Host"] = "localhost"
    message["Origin"] = "http://localhost:80"
    assert Callers(80).refusal(message, "/", "127.0.0.1") is None


@pytest.mark.parametrize(
    ("setting", "names"),
    [("", []), ("192.0.2.7", ["host.docker.internal"]), ("box.lan", ["host.docker.internal", "BOX.lan"])],
)
def test_containers_name_this_machine_where_it_listens_for_them(
    monkeypatch: pytest.MonkeyPatch, setting: str, names: list[str]
) -> None:
    monkeypatch.setenv("LOCAL_HOST", setting)
    _, own_names = callers_of()
    for name in ("host.docker.internal", "BOX.lan"):
        assert (refusal({"Host": f"{name}:4566"}, names=own_names) is None) is (name in names)


def test_containers_name_this_machine_where_docker_is_meant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Docker Desktop: the bridge's address is not this machine's, and containers reach 127.0.0.1.
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho \'[{"Gateway": "192.0.2.1"}]\'\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LOCAL_HOST", "docker")
    assert callers_of() == ("127.0.0.1", ("host.docker.internal",))


@pytest.mark.parametrize("hosts", [[], ["localhost:4566", "localhost:4566"], ["localhost:4566", "evil.example"]])
def test_there_is_one_host(hosts: list[str]) -> None:
    refused = refusal([("Host", host) for host in hosts])
    assert refused is not None
    assert f"{len(hosts)} Host headers" in refused


@pytest.mark.parametrize(
    ("target", "answered"),
    [
        ("http://127.0.0.1:4566/apps", True),
        ("HTTP://127.0.0.1:4566", True),
        ("http://127.0.0.1/apps", False),
        ("http://evil.example:4566/apps", False),
        ("http://evil.example@127.0.0.1:4566/apps", False),
        ("https://127.0.0.1:4566/apps", False),
        ("ws://127.0.0.1:4566/apps", False),
        ("http:///apps", False),
        ("/http://evil.example/", True),
    ],
)
def test_an_absolute_target_names_the_same_host(target: str, answered: bool) -> None:
    assert (refusal({"Host": "127.0.0.1:4566"}, target) is None) is answered


# --- Pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "value", "answered"),
    [
        ("Origin", "http://127.0.0.1:4566", True),
        ("Origin", "HTTP://127.0.0.1:4566", True),
        ("Origin", EVIL, False),
        ("Origin", "null", False),
        ("Origin", "", False),
        ("Origin", "http://127.0.0.1", False),
        ("Origin", "http://127.0.0.1:3000", False),
        ("Origin", "https://127.0.0.1:4566", False),
        ("Origin", "http://localhost:4566", False),
        ("Origin", "http://[::1]:4566", False),
        ("Origin", "http://main.d1a2b3.localhost:4566", False),
        ("Origin", "http://127.0.0.1:4566.evil.example", False),
        ("Origin", "http://127.0.0.1:4566@evil.example", False),
        ("Origin", "chrome-extension://abcdef", False),
        ("Referer", "http://127.0.0.1:4566/_local/jobs/d1/main/1", True),
        ("Referer", f"{EVIL}/page", False),
        ("Referer", "http://main.d1a2b3.localhost:4566/", False),
        ("Referer", "http://127.0.0.1:4566.evil.example/", False),
        ("Sec-Fetch-Site", "none", True),
        ("Sec-Fetch-Site", "same-origin", True),
        ("Sec-Fetch-Site", "same-site", False),
        ("Sec-Fetch-Site", "cross-site", False),
        ("Sec-Fetch-Site", "", False),
        ("Sec-Fetch-Mode", "cors", True),
        ("User-Agent", "Mozilla/5.0", True),
    ],
)
def test_only_pages_of_the_same_origin_are_answered(header: str, value: str, answered: bool) -> None:
    assert (refusal({"Host": "127.0.0.1:4566", header: value}) is None) is answered
    assert (refusal([("Host", "127.0.0.1:4566"), (header, value), (header, value)]) is None) is answered


def test_one_foreign_header_among_own_ones_is_enough() -> None:
    own = [("Host", "127.0.0.1:4566"), ("Origin", "http://127.0.0.1:4566"), ("Sec-Fetch-Site", "same-origin")]
    assert refusal(own) is None
    for header in (("Origin", EVIL), ("Sec-Fetch-Site", "cross-site"), ("Referer", f"{EVIL}/")):
        assert refusal([*own, header]) is not None
        assert refusal([header, *own]) is not None


@given(st.text(max_size=60))
def test_no_text_breaks_the_decision(text: str) -> None:
    assert refusal({"Host": "127.0.0.1:4566", "Origin": text}) is not None or text.strip().lower() in {
        "http://127.0.0.1:4566"
    }
    for header in ({"Host": text}, {"Host": "127.0.0.1:4566", "Referer": text}, {"Host": text, "Sec-Fetch-Site": text}):
        refusal(header, text, subdomains=True)


# --- The whole local cloud -------------------------------------------------------------------------------------------

CREDENTIAL = "X-Amz-Credential=x%2F20260101%2Feu-west-1%2F{}%2Faws4_request"
SIMPLE_POST = {"Content-Type": "text/plain", "Origin": EVIL, "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def send(cloud: LocalCloud) -> Callable[..., tuple[int, dict[str, str], str]]:
    """Sends a request just as it is given; PORT in a value stands for the port that it goes to."""

    def sent(
        method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None, *, url: str | None = None
    ) -> tuple[int, dict[str, str], str]:
        port = urlsplit(url or cloud.endpoint_url).port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        text = None if body is None else json.dumps(body)
        written = {name: value.replace("PORT", str(port)) for name, value in (headers or {}).items()}
        connection.request(method, path, text, written)
        response = connection.getresponse()
        answer = response.status, dict(response.headers), response.read().decode("utf-8", "replace")
        connection.close()
        return answer

    return sent


def app_ids(client: Callable[..., Any]) -> list[str]:
    return [app["appId"] for app in client("amplify").list_apps()["apps"]]


APP = {"name": "evil", "repository": "/nowhere", "tags": {"local:appId": "devil0002"}}


@pytest.mark.parametrize(
    "headers",
    [
        SIMPLE_POST,
        {"Content-Type": "text/plain", "Origin": EVIL},
        {"Content-Type": "text/plain", "Origin": "null"},
        {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"},
        {"Content-Type": "text/plain", "Referer": f"{EVIL}/"},
        {"Content-Type": "text/plain", "Origin": "http://main.d1a2b3.localhost:PORT", "Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain", "Host": "rebind.evil.example:PORT"},
        {
            "Content-Type": "application/json",
            "Host": "rebind.evil.example:PORT",
            "Origin": "http://rebind.evil.example:PORT",
        },
        # A deployed site below /_local/sites/ has this origin.
        {"Content-Type": "text/plain", "Origin": "http://127.0.0.1:PORT", "Sec-Fetch-Site": "same-origin"},
    ],
)
@pytest.mark.parametrize("signed", ["query", "header"])
def test_no_page_makes_an_app(
    client: Callable[..., Any], send: Callable[..., Any], headers: dict[str, str], signed: str
) -> None:
    path = "/apps"
    if signed == "query":
        path += "?" + CREDENTIAL.format("amplify")
    else:
        # What a page behind a rebound name can set.
        headers = {**headers, "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/amplify/aws4_request"}
    status, _, text = send("POST", path, headers, APP)
    assert status == 403
    assert json.loads(text)["message"]
    assert app_ids(client) == []


@pytest.mark.parametrize("service", ["amplify", "ssm", "sqs", "sns", "dynamodb", "lambda", "states"])
def test_credentials_in_a_query_are_for_s3_alone(
    client: Callable[..., Any], send: Callable[..., Any], service: str
) -> None:
    status, _, text = send("POST", f"/apps?{CREDENTIAL.format(service)}", {"Content-Type": "text/plain"}, APP)
    assert status >= 400
    assert "<Error>" in text
    assert app_ids(client) == []


@pytest.fixture(params=["endpoint_url", "api_url"])
def url(cloud: LocalCloud, request: pytest.FixtureRequest) -> str:
    """The address of either port."""
    return str(getattr(cloud, request.param))


@pytest.mark.parametrize(
    "path", ["/", "/apps", "/_local/faults", "/_local/logs/functions/small-probe", "/named/x", "/health", "/bucket/key"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "rebind.evil.example:PORT"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1:PORT", "Upgrade": "websocket", "Connection": "Upgrade", "Origin": EVIL},
    ],
)
def test_no_address_of_either_port_is_anybody_else_s(
    send: Callable[..., Any], url: str, path: str, method: str, headers: dict[str, str]
) -> None:
    status, answered, _ = send(method, path, headers, url=url)
    assert status == 403
    # A page that can read the answer, or go on after a preflight, was let in.
    assert not [name for name in answered if name.lower().startswith("access-control-")]


def test_no_page_injects_faults(cloud: LocalCloud, send: Callable[..., Any]) -> None:
    fault = {"service": "ssm", "operation": "GetParameter", "fault": "hang"}
    own = {"Origin": "http://127.0.0.1:PORT", "Sec-Fetch-Site": "same-origin"}
    for headers in (SIMPLE_POST, own):
        assert send("POST", "/_local/faults", headers, fault)[0] == 403
    assert cloud.faults.open() == []
    # A site's host serves the site and nothing else, whatever the path.
    for path in ("/_local/faults", "/apps"):
        assert send("GET", path, {"Host": "main.d1a2b3.localhost:PORT"})[0] == 404
        assert send("POST", path, {"Host": "Main.D1A2B3.Localhost:PORT"}, fault)[0] == 405


def test_pages_below_local_are_read_by_browsers(send: Callable[..., Any]) -> None:
    for site in ("none", "same-origin"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        assert send("GET", "/_local/logs/functions/small-probe", headers)[0] == 200
    assert send("GET", "/apps", {"Sec-Fetch-Site": "same-origin"})[0] == 403


def test_a_deployed_site_works_in_a_browser_and_reaches_nothing_else(
    cloud: LocalCloud, client: Callable[..., Any], send: Callable[..., Any]
) -> None:
    amplify = client("amplify")
    app_id = amplify.create_app(name="site")["app"]["appId"]
    amplify.create_branch(appId=app_id, branchName="main")
    deployment = amplify.create_deployment(appId=app_id, branchName="main", fileMap={"index.html": "", "a.js": ""})
    for name, url in deployment["fileUploadUrls"].items():
        target = urlsplit(url)
        assert send("PUT", f"{target.path}?{target.query}", body=f"the {name}")[0] == 200
    amplify.start_deployment(appId=app_id, branchName="main", jobId=deployment["jobId"])

    def done() -> bool:
        job = amplify.get_job(appId=app_id, branchName="main", jobId=deployment["jobId"])["job"]
        return bool(job["summary"]["status"] == "SUCCEED")

    eventually(done)
    below = f"/_local/sites/{app_id}/main/"
    for host, root in (("127.0.0.1:PORT", below), (f"main.{app_id}.localhost:PORT", "/")):
        page = {"Host": host, "Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}
        assert send("GET", root, page)[::2] == (200, '"the index.html"')
        # A module that the page loads.
        own = {
            "Host": host,
            "Origin": f"http://{host}",
            "Referer": f"http://{host}{root}",
            "Sec-Fetch-Site": "same-origin",
        }
        assert send("GET", f"{root}a.js", own)[::2] == (200, '"the a.js"')
        for method, path, status in (("POST", "/apps", {403, 405}), ("DELETE", f"/apps/{app_id}", {403, 405})):
            authorized = own | {"Authorization": "AWS4 Credential=x/20260101/eu-west-1/amplify/aws4_request"}
            assert send(method, path, authorized)[0] in status
            assert send(method, path, authorized | {"Host": "localhost:PORT"})[0] == 403
    assert send("GET", f"/_local/jobs/{app_id}/main/{deployment['jobId']}", {"Sec-Fetch-Site": "none"})[0] == 200
    assert app_ids(client) == [app_id]
    amplify.delete_app(appId=app_id)


def test_the_request_that_is_no_http_1_1_is_refused_too(cloud: LocalCloud) -> None:
    port = urlsplit(cloud.endpoint_url).port
    for lines, status in (
        (["GET /_local/faults HTTP/1.0"], b"403"),
        (["GET /_local/faults HTTP/1.1"], b"403"),
        (["GET /_local/faults HTTP/1.1", f"Host: 127.0.0.1:{port}", "Host: evil.example"], b"403"),
        (["GET http://evil.example/_local/faults HTTP/1.1", f"Host: 127.0.0.1:{port}"], b"403"),
        ([f"GET http://127.0.0.1:{port}/_local/faults HTTP/1.1", f"Host: 127.0.0.1:{port}"], b"200"),
        (["GET /_local/faults HTTP/1.1", f"Host: 127.0.0.1:{port}", "X-Forwarded-Host: evil.example"], b"200"),
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
            received = connection.makefile("rb").readline()
        assert received.split()[1] == status, lines


# --- Programs that must be served -------------------------------------------------------------------------------------


@pytest.fixture
def virtual_s3(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3 client that names the bucket in Host, as the JavaScript SDK does for an endpoint at localhost."""
    port = urlsplit(cloud.endpoint_url).port
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, *rest: Any, **options: Any) -> Any:
        # Browsers and most systems resolve names below localhost; glibc alone does not.
        return resolve("127.0.0.1" if host.endswith(".localhost") else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    session = boto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name=cloud.region)
    config = Config(s3={"addressing_style": "virtual"}, signature_version="s3v4", retries={"total_max_attempts": 1})
    client: Any = session.client("s3", endpoint_url=f"http://localhost:{port}", config=config)
    yield client
    client.close()


def test_a_bucket_has_a_host_of_its_own(cloud: LocalCloud, virtual_s3: Any, client: Callable[..., Any]) -> None:
    bucket = cloud.physical_id("Bucket")
    virtual_s3.put_object(Bucket=bucket, Key="_local/ü b.txt", Body=b"virtual")
    assert client("s3").get_object(Bucket=bucket, Key="_local/ü b.txt")["Body"].read() == b"virtual"
    listed = virtual_s3.list_objects_v2(Bucket=bucket, Prefix="_local/")
    assert [result["Key"] for result in listed["Contents"]] == ["_local/ü b.txt"]
    address = urlsplit(
        virtual_s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "_local/ü b.txt"})
    )
    assert address.hostname == f"{bucket}.localhost"
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=10)
    connection.request("GET", f"{address.path}?{address.query}", headers={"Host": address.netloc})
    assert connection.getresponse().read() == b"virtual"
    connection.close()


def test_a_bucket_s_host_is_for_s3(send: Callable[..., Any]) -> None:
    headers = {
        "Host": "web.localhost:PORT",
        "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/amplify/aws4_request",
    }
    status, _, text = send("GET", "/apps", headers)
    assert (status, "web.localhost" in text) == (403, True)


@pytest.mark.parametrize("host", ["127.0.0.1:PORT", "localhost:PORT", "[::1]:PORT"])
def test_programs_are_served(cloud: LocalCloud, send: Callable[..., Any], host: str) -> None:
    # The agents of curl, of Node's fetch, and of git hooks that deliver by Python.
    for headers in ({"User-Agent": "curl/8.5"}, {"Sec-Fetch-Mode": "cors"}, {"User-Agent": "Python-urllib/3.12"}):
        assert send("GET", "/_local/faults", {"Host": host, **headers})[0] == 200
        assert send("GET", "/health", {"Host": host, **headers}, url=cloud.api_url)[0] == 200
