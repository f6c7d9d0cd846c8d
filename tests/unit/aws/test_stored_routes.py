"""The cached routes: fresh soon after a push, asked for cheaply, and stale rather than absent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError
from amplify_jobs.aws.stored_routes import SECONDS_FRESH, SECONDS_STALE, StoredRoutes
from amplify_jobs.errors import ServiceTrouble


class FakeBucket(AwsHttp):
    """S3 with one object, whose ETag is its content's."""

    def __init__(self) -> None:
        super().__init__("eu-west-1")
        self.content: bytes = routes("web")
        self.reads: list[str | None] = []
        self.trouble: Exception | None = None

    def get_object(self, bucket: str, key: str, etag: str | None) -> tuple[bytes, str] | None:
        assert (bucket, key) == ("bucket", "routes.json")
        self.reads.append(etag)
        if self.trouble:
            raise self.trouble
        now = str(hash(self.content))
        return None if etag == now else (self.content, now)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def routes(name: str) -> bytes:
    parameters = {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}
    route = {
        "when": {"push": {"repository": "acme/web"}},
        "request": {"operation": "start_job", "parameters": parameters},
    }
    return json.dumps({"routes": {name: route}}).encode()


@pytest.fixture
def bucket() -> FakeBucket:
    return FakeBucket()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stored(bucket: FakeBucket, clock: Clock) -> StoredRoutes:
    return StoredRoutes(bucket, "bucket", "routes.json", clock)


def test_many_deliveries_ask_s3_once(stored: StoredRoutes, bucket: FakeBucket) -> None:
    assert [list(stored.current().routes) for _ in range(5)] == [["web"]] * 5
    assert bucket.reads == [None]


def test_later_s3_is_asked_only_whether_something_changed(
    stored: StoredRoutes, bucket: FakeBucket, clock: Clock
) -> None:
    first = stored.current()
    clock.now += SECONDS_FRESH
    assert stored.current() is first
    assert bucket.reads == [None, str(hash(bucket.content))]


def test_pushed_routes_take_effect_soon(stored: StoredRoutes, bucket: FakeBucket, clock: Clock) -> None:
    stored.current()
    bucket.content = routes("docs")
    clock.now += SECONDS_FRESH
    assert list(stored.current().routes) == ["docs"]


@pytest.mark.parametrize("trouble", [ServiceTrouble("s3 did not answer"), AwsRefusalError("HTTP 403", "")])
def test_a_stale_copy_serves_and_s3_is_left_alone_for_a_while(
    stored: StoredRoutes, bucket: FakeBucket, clock: Clock, trouble: Exception
) -> None:
    stored.current()
    bucket.trouble = trouble
    for _ in range(int(SECONDS_STALE)):
        clock.now += 1
        assert list(stored.current().routes) == ["web"]
    assert len(bucket.reads) == 2


def test_broken_routes_do_not_replace_good_ones(stored: StoredRoutes, bucket: FakeBucket, clock: Clock) -> None:
    stored.current()
    bucket.content = b"{}"
    clock.now += SECONDS_FRESH
    assert list(stored.current().routes) == ["web"]
    bucket.content = routes("docs")
    clock.now += SECONDS_STALE
    assert list(stored.current().routes) == ["docs"]


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (ServiceTrouble("s3 did not answer"), "s3 did not answer"),
        (AwsRefusalError("HTTP 404", "s3://bucket/routes.json can't be read"), "amplify-jobs routes push"),
    ],
)
def test_without_a_copy_it_is_our_trouble(
    stored: StoredRoutes, bucket: FakeBucket, trouble: Exception, message: str
) -> None:
    bucket.trouble = trouble
    with pytest.raises(ServiceTrouble, match=message):
        stored.current()


@pytest.mark.parametrize(
    "content", [b"", b"no JSON", b"[]", b'{"routes": {"web": {}}}', b'{"version": "2", "routes": {}}']
)
def test_broken_routes_without_a_copy_are_our_trouble(stored: StoredRoutes, bucket: FakeBucket, content: Any) -> None:
    bucket.content = content
    with pytest.raises(ServiceTrouble, match=r"s3://bucket/routes\.json is broken"):
        stored.current()
