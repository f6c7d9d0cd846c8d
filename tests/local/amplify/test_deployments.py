"""Deployments of apps without a repository: from what is uploaded or pointed at to the site that is served."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import subprocess
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local.cloud import LocalCloud
from tests.local.amplify.test_aws_cli import AWS, answered
from tests.local.amplify.test_hosting import refusal
from tests.support.amplify_world import PATIENCE_SECONDS, World
from tests.support.waiting import eventually

UNFINISHED = (
    "The last job(deployment) {} was not finished, please wait until it finish or use StopJob operation to cancel it "
    "before creating a new deployment."
)


def zipped(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def put(url: str, content: bytes) -> tuple[int, str]:
    request = urllib.request.Request(url, content, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Manual:
    """A manual app with a branch, and what is done to it."""

    def __init__(self, world: World, branch: str = "main") -> None:
        self.world = world
        self.client = world.client
        self.app_id: str = self.client.create_app(name="manual")["app"]["appId"]
        self.where = {"appId": self.app_id, "branchName": branch}
        self.client.create_branch(**self.where)

    def create(self, **parameters: Any) -> dict[str, Any]:
        created: dict[str, Any] = self.client.create_deployment(**self.where, **parameters)
        return created

    def start(self, **parameters: Any) -> dict[str, Any]:
        summary: dict[str, Any] = self.client.start_deployment(**self.where, **parameters)["jobSummary"]
        return summary

    def deployed(self, **parameters: Any) -> dict[str, Any]:
        """A deployment, once it has come to an end."""
        return self.world.ended(self.app_id, self.start(**parameters)["jobId"], self.where["branchName"])

    def uploaded(self, content: bytes) -> dict[str, Any]:
        """A deployment of an uploaded zip, once it has come to an end."""
        created = self.create()
        assert put(created["zipUploadUrl"], content)[0] == 200
        return self.deployed(jobId=created["jobId"])

    def status(self, job_id: str) -> str:
        return self.world.status(self.app_id, job_id, self.where["branchName"])

    def site(self, path: str = "") -> tuple[int, str]:
        return self.world.get(f"/_local/sites/{self.app_id}/{quote(self.where['branchName'], safe='')}/{path}")


@pytest.fixture
def manual(world: World) -> Manual:
    return Manual(world)


class Web:
    """A web server whose answers tests choose: status, headers, body; a path it does not have hangs until the end."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked = threading.Event()
        self.over = threading.Event()
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.set()
                result = web.answers.get(self.path)
                if result is None:
                    web.over.wait(PATIENCE_SECONDS)
                    return
                self.send_response(result[0])
                for name, value in result[1].items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(result[2])

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


# --- Uploads ----------------------------------------------------------------------------------------------------------


def test_a_zip_from_its_upload_to_its_site(world: World) -> None:
    manual = Manual(world, "feature/menu")
    created = manual.create()
    assert (created["jobId"], created["fileUploadUrls"]) == ("1", {})
    assert len(created["zipUploadUrl"]) <= 1000
    listed = world.client.list_jobs(**manual.where)["jobSummaries"]
    assert [(job["jobId"], job["status"]) for job in listed] == [("1", "CREATED")]
    assert put(created["zipUploadUrl"], zipped({"index.html": "by hand", "a/b.txt": "b"})) == (200, "")
    summary = manual.start(jobId="1")
    assert summary["status"] == "PENDING"
    job = world.ended(manual.app_id, "1", "feature/menu")
    assert [(step["stepName"], step["status"]) for step in job["steps"]] == [
        ("DEPLOY", "SUCCEED"),
        ("VERIFY", "SUCCEED"),
    ]
    assert set(job["summary"]) == {"jobArn", "jobId", "startTime", "endTime", "status"}
    assert manual.site() == (200, "by hand")
    assert manual.site("a/b.txt") == (200, "b")
    assert world.told(manual.app_id, 2) == ["STARTED", "SUCCEED"]
    assert world.client.get_branch(**manual.where)["branch"]["activeJobId"] == "1"
    assert "Deployment of the uploaded zip" in world.get(f"/_local/jobs/{manual.app_id}/feature%2Fmenu/1")[1]


def test_files_one_by_one(manual: Manual) -> None:
    files = {"index.html": "start", "größe/ö" * 30: "big", "a b?.txt": "blank"}
    created = manual.create(fileMap={name: hashlib.md5(text.encode()).hexdigest() for name, text in files.items()})
    assert "zipUploadUrl" not in created
    assert set(created["fileUploadUrls"]) == set(files)
    for name, url in created["fileUploadUrls"].items():
        assert len(url) <= 1000
        assert put(url, b"an older one")[0] == 200
        assert put(url, files[name].encode())[0] == 200
    job = manual.deployed(jobId=created["jobId"])
    assert job["summary"]["status"] == "SUCCEED", job
    for name, text in files.items():
        assert manual.site(quote(name)) == (200, text)


@pytest.mark.parametrize("name", ["", "/etc/x", "../x", "a/../b", "a/", "./a", "a//b", "a\0b"])
def test_a_file_that_would_lie_elsewhere_is_refused(manual: Manual, name: str) -> None:
    code, message = refusal(manual.create, fileMap={name: ""})
    assert code == "BadRequestException"
    assert repr(name) in message


def test_an_upload_by_curl(manual: Manual, tmp_path: Path) -> None:
    # More than curl sends without having been told to continue.
    files = {
        "index.html": "curl",
        "big.txt": "".join(hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(65_536)),
    }
    (tmp_path / "site.zip").write_bytes(zipped(files))
    created = manual.create()
    command = ["curl", "--fail", "--silent", "--show-error", "--upload-file", str(tmp_path / "site.zip")]
    subprocess.run([*command, created["zipUploadUrl"]], check=True, timeout=PATIENCE_SECONDS)
    assert manual.deployed(jobId="1")["summary"]["status"] == "SUCCEED"
    assert manual.site("big.txt") == (200, files["big.txt"])


@pytest.mark.thorough
@pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is installed by `make check`, in .venv-tools")
def test_a_deployment_by_the_aws_cli(manual: Manual, web: Web) -> None:
    where = ["--app-id", manual.app_id, "--branch-name", "main"]
    created = answered(manual.world, "create-deployment", *where)
    assert put(created["zipUploadUrl"], zipped({"index.html": "from the CLI"}))[0] == 200
    started = answered(manual.world, "start-deployment", *where, "--job-id", created["jobId"])["jobSummary"]
    assert manual.world.ended(manual.app_id, started["jobId"])["summary"]["status"] == "SUCCEED"
    assert manual.site() == (200, "from the CLI")
    web.answers["/site.zip"] = (200, {}, zipped({"index.html": "from the web"}))
    url = f"{web.url}/site.zip"
    # As an argument, the CLI itself would fetch it (cli_follow_urlparam).
    source = ["--cli-input-json", json.dumps({"sourceUrl": url})]
    started = answered(manual.world, "start-deployment", *where, *source)["jobSummary"]
    assert (started["jobId"], started["sourceUrl"], started["sourceUrlType"]) == ("2", url, "ZIP")
    assert manual.world.ended(manual.app_id, "2")["summary"]["status"] == "SUCCEED"
    assert manual.site() == (200, "from the web")


def test_an_upload_address_works_for_its_file_its_method_and_its_time_only(manual: Manual) -> None:
    url = manual.create()["zipUploadUrl"]
    assert manual.world.get(url)[0] == 405
    assert put(url.replace("artifacts.zip", "files/0"), b"x")[0] == 403
    assert put(url.replace("artifacts.zip", "..%2F..%2Fx"), b"x")[0] == 403
    assert put(url.partition("?")[0], b"x")[0] == 403
    manual.world.passed = timedelta(hours=7, minutes=59)
    assert put(url, b"x")[0] == 200
    manual.world.passed = timedelta(hours=8, minutes=1)
    status, text = put(url, b"x")
    assert (status, "has expired" in text) == (403, True)


def test_nothing_is_uploaded_to_what_is_started_or_gone(manual: Manual) -> None:
    url = manual.create()["zipUploadUrl"]
    put(url, zipped({"index.html": "first"}))
    manual.deployed(jobId="1")
    assert put(url, zipped({"index.html": "second"})) == (
        409,
        "the deployment takes no files any more: it is SUCCEED\n",
    )
    manual.client.delete_job(**manual.where, jobId="1")
    assert put(url, b"x") == (404, "the deployment is deleted\n")
    assert not any((manual.world.state_dir / "uploads").iterdir())
    assert not any((manual.world.state_dir / "jobs").iterdir())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "nothing was uploaded to the zipUploadUrl that CreateDeployment answered"),
        (b"", "the zip can't be read: File is not a zip file"),
        (b"no zip", "the zip can't be read: File is not a zip file"),
        (zipped({}), "the zip holds no files"),
        (zipped({"../evil": "x"}), "the zip holds an entry outside of its own directory: ../evil"),
        (zipped({"x": "x" * 20_000}), "the zip has 20000 bytes, packed or unpacked, and a site may have 10000"),
    ],
)
def test_a_bad_zip_fails_with_its_reason_and_leaves_the_site_that_was_there(
    make_world: Callable[..., World], content: bytes | None, reason: str
) -> None:
    manual = Manual(make_world(site_bytes=10_000))
    manual.uploaded(zipped({"index.html": "the first"}))
    created = manual.create()
    if content is not None:
        put(created["zipUploadUrl"], content)
    job = manual.deployed(jobId="2")
    assert job["summary"]["status"] == "FAILED"
    assert [(step["stepName"], step["status"]) for step in job["steps"]] == [
        ("DEPLOY", "FAILED"),
        ("VERIFY", "CANCELLED"),
    ]
    assert job["steps"][0]["statusReason"] == reason
    assert manual.world.told(manual.app_id, 4)[2:] == ["STARTED", "FAILED"]
    assert manual.site() == (200, "the first")


@pytest.mark.parametrize(
    ("file_map", "sent", "reason"),
    [
        (
            {f"{number}.html": "" for number in range(9)},
            {"0.html": b"x"},
            "not all files of the fileMap were uploaded: 1.html, 2.html, 3.html, 4.html, 5.html and 3 more",
        ),
        ({"a": "0" * 32}, {"a": b"x"}, "the uploaded a is not the file whose MD5 the fileMap has"),
        ({"a": "", "a/b": ""}, {"a": b"x", "a/b": b"x"}, "the zip's entry a/b can't be unpacked: "),
        (
            {"a": "", "b": ""},
            {"a": b"x" * 6000, "b": b"x" * 6000},
            "a deployment may have 10000 bytes, and this one has 12000",
        ),
    ],
)
def test_bad_files_fail_with_their_reason(
    make_world: Callable[..., World], file_map: dict[str, str], sent: dict[str, bytes], reason: str
) -> None:
    manual = Manual(make_world(site_bytes=10_000))
    created = manual.create(fileMap=file_map)
    for name, content in sent.items():
        put(created["fileUploadUrls"][name], content)
    job = manual.deployed(jobId="1")
    assert job["summary"]["status"] == "FAILED"
    assert job["steps"][0]["statusReason"].startswith(reason)


# --- What is refused, and when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "params", "code", "message"),
    [
        ("create_deployment", {"appId": "d0"}, "BadRequestException", "App d0 not found."),
        ("create_deployment", {"branchName": "b"}, "BadRequestException", "Branch b not found."),
        ("start_deployment", {"branchName": "b", "jobId": "1"}, "NotFoundException", "Branch b not found."),
        ("start_deployment", {"jobId": "7"}, "NotFoundException", "Job 7 not found."),
        (
            "start_deployment",
            {},
            "BadRequestException",
            "Must specify jobId or sourceUrl for StartDeploymentRequest.",
        ),
        (
            "start_deployment",
            {"jobId": "1", "sourceUrl": "s3://b/k"},
            "BadRequestException",
            "Must specify either jobId or sourceUrl for StartDeploymentRequest, not both.",
        ),
        (
            "start_deployment",
            {"sourceUrl": "https://a/b", "sourceUrlType": "BUCKET_PREFIX"},
            "BadRequestException",
            "With sourceUrlType BUCKET_PREFIX, sourceUrl must begin with s3://",
        ),
        (
            "start_deployment",
            {"sourceUrl": "http://[x"},
            "BadRequestException",
            "sourceUrl is no address: Invalid IPv6 URL",
        ),
        (
            "start_deployment",
            {"sourceUrl": "ftp://a/b"},
            "BadRequestException",
            "1 validation error detected: Value 'ftp://a/b' at 'sourceUrl' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^(s3|https|http)://.*",
        ),
    ],
)
def test_what_is_refused(manual: Manual, operation: str, params: dict[str, str], code: str, message: str) -> None:
    assert refusal(getattr(manual.client, operation), **{**manual.where, **params}) == (code, message)
    assert manual.client.list_jobs(**manual.where)["jobSummaries"] == []


@pytest.mark.parametrize(
    ("operation", "params"),
    [("create_deployment", {}), ("start_deployment", {"jobId": "1"}), ("start_deployment", {"sourceUrl": "s3://b/k"})],
)
def test_a_connected_app_is_not_deployed_by_hand(world: World, operation: str, params: dict[str, str]) -> None:
    app_id = world.branch()
    assert refusal(getattr(world.client, operation), appId=app_id, branchName="main", **params) == (
        "BadRequestException",
        "Operation not supported. App is already connected a repository.",
    )


def test_a_branch_has_one_unfinished_deployment(manual: Manual, web: Web) -> None:
    manual.create()
    for call, params in ((manual.create, {}), (manual.start, {"sourceUrl": f"{web.url}/x"})):
        assert refusal(call, **params) == ("BadRequestException", UNFINISHED.format(1))
    assert refusal(manual.client.delete_job, **manual.where, jobId="1")[0] == "BadRequestException"
    stopped = manual.client.stop_job(**manual.where, jobId="1")["jobSummary"]
    assert stopped["status"] == "CANCELLED"
    assert refusal(manual.start, jobId="1") == ("BadRequestException", "Job 1 can't be started: it is CANCELLED")
    assert manual.start(sourceUrl=f"{web.url}/hangs")["jobId"] == "2"
    assert refusal(manual.create) == ("BadRequestException", UNFINISHED.format(2))
    other = Manual(manual.world)
    assert other.create()["jobId"] == "1"
    manual.client.stop_job(**manual.where, jobId="2")
    assert manual.world.ended(manual.app_id, "2")["summary"]["status"] == "CANCELLED"
    assert manual.create()["jobId"] == "3"
    manual.client.stop_job(**manual.where, jobId="3")
    assert manual.client.delete_job(**manual.where, jobId="3")["jobSummary"]["jobId"] == "3"
    assert manual.create()["jobId"] == "4"


def test_a_job_is_started_once(manual: Manual) -> None:
    manual.uploaded(zipped({"index.html": "once"}))
    assert refusal(manual.start, jobId="1") == ("BadRequestException", "Job 1 can't be started: it is SUCCEED")


def test_a_deployment_that_waits_for_its_start_for_8_hours_has_failed(manual: Manual) -> None:
    created = manual.create()
    put(created["zipUploadUrl"], zipped({"index.html": "late"}))
    manual.world.passed = timedelta(hours=7, minutes=59)
    assert manual.status("1") == "CREATED"
    manual.world.passed = timedelta(hours=8, minutes=1)
    assert refusal(manual.start, jobId="1") == (
        "BadRequestException",
        "Job 1 can't be started: StartDeployment has to follow CreateDeployment within 8 hours",
    )
    assert manual.status("1") == "FAILED"
    assert manual.uploaded(zipped({"index.html": "anew"}))["summary"]["status"] == "SUCCEED"
    assert manual.site() == (200, "anew")


def test_deployments_wait_for_one_of_five_places(world: World, web: Web) -> None:
    apps = [Manual(world) for _ in range(6)]
    for manual in apps:
        manual.start(sourceUrl=f"{web.url}/hangs")
    world.eventually(lambda: [manual.status("1") for manual in apps] == ["RUNNING"] * 5 + ["PENDING"])
    apps[0].client.stop_job(**apps[0].where, jobId="1")
    world.eventually(lambda: apps[5].status("1") == "RUNNING")


# --- Addresses --------------------------------------------------------------------------------------------------------


def test_a_zip_at_a_signed_address_that_redirects(manual: Manual, web: Web) -> None:
    web.answers["/latest.zip?signature=hush"] = (302, {"Location": "/site.zip?signature=hush"}, b"")
    web.answers["/site.zip?signature=hush"] = (200, {}, zipped({"index.html": "redirected"}))
    url = f"{web.url}/latest.zip?signature=hush"
    summary = manual.start(sourceUrl=url)
    assert (summary["jobId"], summary["status"], summary["sourceUrl"], summary["sourceUrlType"]) == (
        "1",
        "PENDING",
        url,
        "ZIP",
    )
    assert manual.world.ended(manual.app_id, "1")["summary"]["status"] == "SUCCEED"
    assert manual.site() == (200, "redirected")
    [listed] = manual.client.list_jobs(**manual.where)["jobSummaries"]
    assert (listed["sourceUrl"], listed["sourceUrlType"]) == (url, "ZIP")
    assert not {"commitId", "commitTime", "jobType"} & set(listed)
    page = manual.world.get(f"/_local/jobs/{manual.app_id}/main/1")[1]
    assert f"Deployment of {web.url}/latest.zip" in page
    assert "hush" not in page


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((404, {}, b"gone"), "it answered 404 Not Found"),
        ((403, {}, b"expired"), "it answered 403 Forbidden"),
        ((503, {}, b""), "it answered 503 Service Unavailable"),
        ((200, {"Content-Length": "100"}, b"cut"), "the connection ended after 3 of 100 bytes"),
        ((200, {}, b"x" * 10_001), "it has more than 10000 bytes, the most that a deployment may have"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "it answered 302 Found"),
        ((302, {"Location": "ftp://127.0.0.1/x"}, b""), "it did not answer: unknown url type: ftp"),
        ((302, {"Location": "/x?signature=hush"}, b""), "it answered 302 Found"),
    ],
)
def test_an_address_that_cant_be_fetched_fails_the_job(
    make_world: Callable[..., World], web: Web, answer: tuple[int, dict[str, str], bytes], why: str
) -> None:
    manual = Manual(make_world(site_bytes=10_000))
    web.answers["/x?signature=hush"] = answer
    job = manual.deployed(sourceUrl=f"{web.url}/x?signature=hush")
    assert job["summary"]["status"] == "FAILED"
    assert job["steps"][0]["statusReason"] == f"{web.url}/x could not be fetched: {why}"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/x.zip", "http://127.0.0.1:1/x.zip could not be fetched: it did not answer: [Errno "),
        ("https://no.such.host.invalid/x", "https://no.such.host.invalid/x could not be fetched: it did not answer: "),
        (
            "http://robot:t0ken@127.0.0.1:1/x",
            "http://127.0.0.1:1/x could not be fetched: it did not answer: ",
        ),
        ("http:///x", "http:///x could not be fetched: it did not answer: no host given"),
        ("http://127.0.0.1/a b?hush", "http://127.0.0.1/a b could not be fetched: it is no address that can be opened"),
        ("http://127.0.0.1:port/", "http://127.0.0.1:port/ could not be fetched: it is no address that can be opened"),
    ],
)
def test_an_address_that_nobody_answers_fails_the_job(manual: Manual, url: str, reason: str) -> None:
    job = manual.deployed(sourceUrl=url)
    assert job["summary"]["status"] == "FAILED"
    assert job["steps"][0]["statusReason"].startswith(reason)


def test_what_answers_no_zip_fails_the_job(manual: Manual, web: Web) -> None:
    web.answers["/"] = (200, {"Content-Type": "text/html"}, b"<html>sign in</html>")
    job = manual.deployed(sourceUrl=f"{web.url}/")
    assert job["steps"][0]["statusReason"] == "the zip can't be read: File is not a zip file"


def test_a_fetch_is_stopped_at_once(manual: Manual, web: Web) -> None:
    manual.start(sourceUrl=f"{web.url}/hangs")
    web.asked.wait(PATIENCE_SECONDS)
    manual.client.stop_job(**manual.where, jobId="1")
    job = manual.world.ended(manual.app_id, "1")
    assert [step["status"] for step in job["steps"]] == ["CANCELLED"] * 2
    assert not web.over.is_set()
    manual.start(sourceUrl=f"{web.url}/hangs")
    manual.client.delete_app(appId=manual.app_id)
    assert not any((manual.world.state_dir / "jobs").iterdir())


def test_a_fetch_that_takes_too_long_is_ended(make_world: Callable[..., World], web: Web) -> None:
    manual = Manual(make_world(minute=0.05))
    job = manual.deployed(sourceUrl=f"{web.url}/hangs")
    assert job["summary"]["status"] == "FAILED"
    reason = f"{web.url}/hangs: not all of it was here after 30 minutes, the time limit"
    assert job["steps"][0]["statusReason"] == reason


# --- The local S3 -----------------------------------------------------------------------------------------------------


class Bucket:
    """A manual app of a whole local cloud, and a bucket beside it."""

    def __init__(self, cloud: LocalCloud, client: Callable[..., Any]) -> None:
        self.cloud = cloud
        self.amplify = client("amplify")
        self.s3 = client("s3")
        self.s3.create_bucket(Bucket="sites", CreateBucketConfiguration={"LocationConstraint": cloud.region})
        app_id = self.amplify.create_app(name="manual")["app"]["appId"]
        self.where = {"appId": app_id, "branchName": "main"}
        self.amplify.create_branch(**self.where)

    def deployed(self, **parameters: Any) -> dict[str, Any]:
        job_id = self.amplify.start_deployment(**self.where, **parameters)["jobSummary"]["jobId"]

        def job() -> dict[str, Any]:
            result: dict[str, Any] = self.amplify.get_job(**self.where, jobId=job_id)["job"]
            return result

        eventually(lambda: job()["summary"]["status"] in {"SUCCEED", "FAILED", "CANCELLED"})
        return job()

    def site(self, path: str = "") -> str:
        address = f"{self.cloud.endpoint_url}/_local/sites/{self.where['appId']}/main/{path}"
        with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
            text: str = answer.read().decode()
            return text


@pytest.fixture(scope="module")
def bucket(cloud: LocalCloud, client: Callable[..., Any]) -> Bucket:
    return Bucket(cloud, client)


def test_a_zip_in_s3(bucket: Bucket) -> None:
    bucket.s3.put_object(Bucket="sites", Key="releases/site 1+ö.zip", Body=zipped({"index.html": "from S3"}))
    url = "s3://sites/releases/site 1+ö.zip"
    job = bucket.deployed(sourceUrl=url)
    assert job["summary"]["status"] == "SUCCEED", job
    assert (job["summary"]["sourceUrl"], job["summary"]["sourceUrlType"]) == (url, "ZIP")
    assert bucket.site() == "from S3"
    bucket.s3.put_object(Bucket="sites", Key="releases/site 1+ö.zip", Body=zipped({"index.html": "anew"}))
    assert bucket.deployed(sourceUrl=url, sourceUrlType="ZIP")["summary"]["status"] == "SUCCEED"
    assert bucket.site() == "anew"


@pytest.mark.parametrize("host", ["127.0.0.1", "host.docker.internal"])
def test_a_signed_address_of_s3(bucket: Bucket, host: str) -> None:
    bucket.s3.put_object(Bucket="sites", Key="signed.zip", Body=zipped({"index.html": f"signed for {host}"}))
    url = bucket.s3.generate_presigned_url("get_object", Params={"Bucket": "sites", "Key": "signed.zip"})
    job = bucket.deployed(sourceUrl=url.replace("127.0.0.1", host))
    assert job["summary"]["status"] == "SUCCEED", job
    assert bucket.site() == f"signed for {host}"


@pytest.mark.parametrize("url", ["s3://sites/web/v1", "s3://sites/web/v1/"])
def test_all_objects_below_a_prefix(bucket: Bucket, url: str) -> None:
    objects = {"web/v1/": "", "web/v1/index.html": f"below {url}", "web/v1/a/b c.txt": "b", "web/v10/index.html": "no"}
    for key, text in objects.items():
        bucket.s3.put_object(Bucket="sites", Key=key, Body=text.encode())
    job = bucket.deployed(sourceUrl=url, sourceUrlType="BUCKET_PREFIX")
    assert job["summary"]["status"] == "SUCCEED", job
    assert (job["summary"]["sourceUrl"], job["summary"]["sourceUrlType"]) == (url, "BUCKET_PREFIX")
    assert bucket.site() == f"below {url}"
    assert bucket.site("a/b%20c.txt") == "b"
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        bucket.site("0/index.html")
    caught.value.close()


@pytest.mark.parametrize("url", ["s3://whole", "s3://whole/"])
def test_a_whole_bucket(bucket: Bucket, url: str) -> None:
    constraint = {"LocationConstraint": bucket.cloud.region}
    if "whole" not in [one["Name"] for one in bucket.s3.list_buckets()["Buckets"]]:
        bucket.s3.create_bucket(Bucket="whole", CreateBucketConfiguration=constraint)
    bucket.s3.put_object(Bucket="whole", Key="index.html", Body=f"all of {url}".encode())
    assert bucket.deployed(sourceUrl=url, sourceUrlType="BUCKET_PREFIX")["summary"]["status"] == "SUCCEED"
    assert bucket.site() == f"all of {url}"


@pytest.mark.parametrize(
    ("url", "url_type", "reason"),
    [
        ("s3://sites/none.zip", "ZIP", "s3://sites/none.zip could not be read: An error occurred (NoSuchKey)"),
        ("s3://no-bucket/x.zip", "ZIP", "s3://no-bucket/x.zip could not be read: An error occurred (NoSuchBucket)"),
        ("s3://sites", "ZIP", "s3://sites could not be read: Parameter validation failed:"),
        ("s3://", "ZIP", "s3:// could not be read: Parameter validation failed:"),
        ("s3://no-bucket/x", "BUCKET_PREFIX", "s3://no-bucket/x could not be read: An error occurred (NoSuchBucket)"),
        ("s3://sites/empty", "BUCKET_PREFIX", "there is no object below s3://sites/empty/"),
        ("s3://sites/climbing", "BUCKET_PREFIX", "the zip holds an entry outside of its own directory: ../evil"),
    ],
)
def test_what_s3_does_not_have_fails_the_job(bucket: Bucket, url: str, url_type: str, reason: str) -> None:
    bucket.s3.put_object(Bucket="sites", Key="climbing/../evil", Body=b"x")
    job = bucket.deployed(sourceUrl=url, sourceUrlType=url_type)
    assert job["summary"]["status"] == "FAILED"
    assert job["steps"][0]["statusReason"].startswith(reason)


def test_a_lost_answer_leaves_a_job_that_the_list_shows(bucket: Bucket) -> None:
    fault = {"service": "amplify", "operation": "StartDeployment", "fault": "lose-answer"}
    bucket.s3.put_object(Bucket="sites", Key="lost.zip", Body=zipped({"index.html": "not lost"}))
    request = urllib.request.Request(f"{bucket.cloud.endpoint_url}/_local/faults", json.dumps(fault).encode())
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        assert answer.status == 201
    with pytest.raises(Exception, match="Connection was closed"):
        bucket.amplify.start_deployment(**bucket.where, sourceUrl="s3://sites/lost.zip")
    newest = bucket.amplify.list_jobs(**bucket.where)["jobSummaries"][0]
    assert (newest["sourceUrl"], newest["sourceUrlType"]) == ("s3://sites/lost.zip", "ZIP")
    eventually(lambda: bucket.site() == "not lost")
