"""Addresses that are signed for objects, as far as they can be judged without a service."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from amplify_jobs.aws.s3 import Objects


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1", "eu-south-1", "ap-east-1"])
@pytest.mark.parametrize(
    ("bucket", "host", "path"),
    [
        ("releases", "releases.s3.{region}.amazonaws.com", "/web%201.zip"),
        ("releases.example.com", "s3.{region}.amazonaws.com", "/releases.example.com/web%201.zip"),
    ],
)
def test_an_address_is_signed_for_the_regions_host(
    monkeypatch: pytest.MonkeyPatch, region: str, bucket: str, host: str, path: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    address = urlsplit(Objects().signed_address(f"s3://{bucket}/web 1.zip", "a+version"))
    assert (address.scheme, address.hostname, address.path) == ("https", host.format(region=region), path)
    query = parse_qs(address.query)
    assert query["versionId"] == ["a+version"]
    assert query["X-Amz-Credential"][0].split("/")[2] == region


@pytest.mark.usefixtures("credentials")
def test_without_a_version_the_address_means_the_current_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for version in (None, ""):
        assert "versionId" not in Objects().signed_address("s3://releases/web.zip", version)
