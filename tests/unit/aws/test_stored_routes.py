"""The cached routes: fresh soon after a push, asked for cheaply, and stale rather than absent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.aws.stored_routes import SECONDS_FRESH, SECONDS_STALE, StoredRoutes, StoredSources
from amplify_jobs.errors import ServiceTrouble, UnknownSourceError
from amplify_jobs.routing.routes import Source


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


def test_fresh_routes_are_read_whatever_is_in_memory(stored: StoredRoutes, bucket: FakeBucket) -> None:
    stored.current()
    bucket.content = routes("docs")
    assert list(stored.current(fresh=True).routes) == ["docs"]


class FakeSsm(AwsHttp):
    """SSM with the copy of one source, github."""

    def __init__(self, value: str = '{"provider": "github", "secrets": ["/amplify-jobs/secrets/github"]}') -> None:
        super().__init__("eu-west-1")
        self._value = value
        self.calls = 0

    def call(self, operation: JsonOperation, parameters: Mapping[str, Any]) -> dict[str, Any]:
        assert operation.target == "AmazonSSM.GetParameter"
        self.calls += 1
        if parameters != {"Name": "/amplify-jobs/sources/github"}:
            raise AwsRefusalError("ParameterNotFound", "")
        return {"Parameter": {"Value": self._value}}


def test_a_copy_of_a_source_is_read_without_the_routes() -> None:
    source = StoredSources(FakeSsm(), "/amplify-jobs/sources").source("github")
    assert source == Source(provider="github", secrets=("/amplify-jobs/secrets/github",))


@pytest.mark.parametrize("name", ["UPPER", "a/../../secrets/github", "", "github\n"])
def test_what_is_no_name_is_no_source_and_ssm_is_not_called(name: str) -> None:
    ssm = FakeSsm()
    with pytest.raises(UnknownSourceError):
        StoredSources(ssm, "/amplify-jobs/sources").source(name)
    assert ssm.calls == 0


def test_a_source_without_a_copy_may_be_in_the_routes() -> None:
    with pytest.raises(ServiceTrouble, match="nor a copy of the source gitlab"):
        StoredSources(FakeSsm(), "/amplify-jobs/sources").source("gitlab")


@pytest.mark.parametrize("value", ["", "[]", '{"provider": "github"}', '{"provider": "svn", "secrets": ["/a"]}'])
def test_a_copy_that_is_no_source_is_our_trouble(value: str) -> None:
    with pytest.raises(ServiceTrouble, match="has no source"):
        StoredSources(FakeSsm(value), "/amplify-jobs/sources").source("github")
