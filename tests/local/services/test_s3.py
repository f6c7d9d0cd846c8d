"""Objects that are created are told of, in the form that S3 documents, by buckets that are to tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from local.cloud import LocalCloud
from tests.support.waiting import messages

Clients = Callable[..., Any]
LAST = "last-of-all"


@pytest.fixture(scope="module")
def s3(client: Clients) -> Any:
    return client("s3")


@pytest.fixture(scope="module")
def object_events(cloud: LocalCloud, client: Clients) -> Iterator[Callable[[int], list[Any]]]:
    """Waits for so many events about objects and gives them."""
    events, sqs = client("events"), client("sqs")
    name = f"objects-{uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    events.put_rule(Name=name, EventPattern='{"source":["aws.s3"],"detail-type":["Object Created"]}')
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": f"arn:aws:sqs:{cloud.region}:{cloud.account}:{name}"}])
    yield lambda count: messages(sqs, url, count=count)
    events.remove_targets(Rule=name, Ids=["q"])
    events.delete_rule(Name=name)


@pytest.fixture(scope="module")
def bucket(cloud: LocalCloud) -> str:
    return cloud.physical_id("Told")


def test_an_object_is_told_of_in_s3_s_words(
    cloud: LocalCloud, s3: Any, bucket: str, object_events: Callable[[int], list[Any]]
) -> None:
    etag = s3.put_object(Bucket=bucket, Key="web/a site+1.zip", Body=b"content")["ETag"]
    [event] = object_events(1)
    assert event["resources"] == [f"arn:aws:s3:::{bucket}"]
    detail = event["detail"]
    sequencer = detail["object"].pop("sequencer")
    assert int(sequencer, 16) > 0
    assert detail["object"] == {"key": "web/a site+1.zip", "size": 7, "etag": etag.strip('"')}
    assert (detail["bucket"], detail["reason"]) == ({"name": bucket}, "PutObject")
    assert set(detail) == {"version", "bucket", "object", "request-id", "requester", "source-ip-address", "reason"}


def test_copies_uploads_in_parts_and_presigned_addresses_are_told_of(
    s3: Any, bucket: str, object_events: Callable[[int], list[Any]]
) -> None:
    s3.put_object(Bucket=bucket, Key="original", Body=b"1")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "original"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"12345")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    address = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "presigned"})
    urlopen(Request(address, data=b"123", method="PUT")).close()

    names = {
        (event["detail"]["object"]["key"], event["detail"]["object"]["size"], event["detail"]["reason"])
        for event in object_events(4)
    }
    assert names == {
        ("original", 1, "PutObject"),
        ("copy", 1, "CopyObject"),
        ("parts", 5, "CompleteMultipartUpload"),
        ("presigned", 3, "PutObject"),
    }


def test_writes_of_one_object_have_growing_sequencers_and_versions_of_their_own(
    s3: Any, bucket: str, object_events: Callable[[int], list[Any]]
) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket=bucket, Key="same", Body=b"")["VersionId"] for _ in range(3)]
    objects = sorted((event["detail"]["object"] for event in object_events(3)), key=lambda one: one["sequencer"])
    assert [one["version-id"] for one in objects] == versions
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def test_reading_deleting_and_failing_are_not_told_of(
    s3: Any, bucket: str, object_events: Callable[[int], list[Any]]
) -> None:
    s3.list_objects_v2(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="original")
    with pytest.raises(s3.exceptions.ClientError):
        s3.copy_object(Bucket=bucket, Key="x", CopySource={"Bucket": bucket, "Key": "not there"})
    s3.put_object(Bucket=bucket, Key=LAST, Body=b"")
    assert [event["detail"]["object"]["key"] for event in object_events(1)] == [LAST]


def test_only_buckets_that_are_to_tell_do(
    cloud: LocalCloud, s3: Any, bucket: str, object_events: Callable[[int], list[Any]]
) -> None:
    silent = cloud.physical_id("Bucket")
    s3.put_object(Bucket=silent, Key="silent", Body=b"")
    s3.put_bucket_notification_configuration(Bucket=silent, NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=silent)
    s3.put_object(Bucket=silent, Key="loud", Body=b"")
    s3.put_bucket_notification_configuration(Bucket=silent, NotificationConfiguration={})
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=silent)
    s3.put_object(Bucket=silent, Key="silent again", Body=b"")
    s3.put_object(Bucket=bucket, Key=LAST, Body=b"")
    assert {event["detail"]["object"]["key"] for event in object_events(2)} == {"loud", LAST}
