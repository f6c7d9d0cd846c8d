"""Where a deployment's files come from; each source brings them as one zip into the job's directory."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from local.amplify import fetch
from local.amplify.artifacts import SITE_ZIP, ArtifactsError
from local.processes import Processes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ZIP = "ZIP"
BUCKET_PREFIX = "BUCKET_PREFIX"

# What containers call this machine: functions under `sam local` sign such addresses.
DOCKER_HOST = "host.docker.internal"
CHUNK = 1 << 20
NAMED = 5

OpenS3 = Callable[[], "S3Client"]


class Source(Protocol):
    """One way in. `url` and `url_type` are StartDeployment's own, if it was given them; `name` is fit to be shown."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str | None: ...

    @property
    def url_type(self) -> str | None: ...

    def fetch(self, directory: Path, limit: int, processes: Processes) -> None:
        """Leave the files as SITE_ZIP in the directory; it may have up to `limit` bytes.

        Raises ArtifactsError, StoppedError and TimedOutError.
        """


@dataclass(frozen=True)
class UploadedZip:
    """A zip that was put to CreateDeployment's zipUploadUrl, that is into the directory."""

    name: str = "the uploaded zip"
    url: None = None
    url_type: None = None

    def fetch(self, directory: Path, limit: int, processes: Processes) -> None:  # noqa: ARG002
        if not (directory / SITE_ZIP).is_file():
            raise ArtifactsError("nothing was uploaded to the zipUploadUrl that CreateDeployment answered")


@dataclass(frozen=True)
class UploadedFiles:
    """Files that were put to CreateDeployment's fileUploadUrls; `md5` is its fileMap."""

    md5: Mapping[str, str]
    name: str = "the uploaded files"
    url: None = None
    url_type: None = None

    def places(self) -> dict[str, str]:
        """Where in the directory each file is put. Numbers, since an address has no room for every name."""
        return {name: f"files/{number}" for number, name in enumerate(self.md5)}

    def fetch(self, directory: Path, limit: int, processes: Processes) -> None:
        files = {name: directory / place for name, place in self.places().items()}
        if missing := [name for name, file in files.items() if not file.is_file()]:
            more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
            raise ArtifactsError(f"not all files of the fileMap were uploaded: {', '.join(missing[:NAMED])}{more}")
        _check_size(sum(file.stat().st_size for file in files.values()), limit)
        with zipfile.ZipFile(directory / SITE_ZIP, "w", strict_timestamps=False) as archive:
            for name, file in files.items():
                processes.check()
                # No page says what Amplify does about a wrong hash, nor in which form it takes one: only what is
                # certainly an MD5 is held against the content.
                if re.fullmatch("[0-9a-fA-F]{32}", self.md5[name]) and _md5(file) != self.md5[name].lower():
                    raise ArtifactsError(f"the uploaded {name} is not the file whose MD5 the fileMap has")
                archive.write(file, name)
        shutil.rmtree(directory / "files")


@dataclass(frozen=True)
class WebZip:
    """A zip at an http or https address, which may be signed."""

    url: str
    url_type: str = ZIP

    @property
    def name(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def fetch(self, directory: Path, limit: int, processes: Processes) -> None:
        printed = bytearray()
        code = processes.run(
            [sys.executable, "-I", str(Path(fetch.__file__).absolute()), SITE_ZIP, str(limit)],
            cwd=directory,
            env={**os.environ, "SOURCE_URL": self._reachable()},
            output=printed.extend,
        )
        if code:
            why = printed.decode("utf-8", "replace").strip()
            raise ArtifactsError(f"{self.name} could not be fetched: {why}")

    def _reachable(self) -> str:
        parts = urlsplit(self.url)
        if parts.hostname != DOCKER_HOST:
            return self.url
        return parts._replace(netloc=parts.netloc.replace(DOCKER_HOST, fetch.LOOPBACK[0], 1)).geturl()


@dataclass(frozen=True)
class S3Zip:
    """A zip in the local S3, `s3://bucket/key`; the key is taken as it is."""

    url: str
    s3: OpenS3
    url_type: str = ZIP

    @property
    def name(self) -> str:
        return self.url

    def fetch(self, directory: Path, limit: int, processes: Processes) -> None:
        bucket, key = _bucket_and_key(self.url)
        with _reading(self.url):
            answer = self.s3().get_object(Bucket=bucket, Key=key)
            with closing(answer["Body"]) as body, (directory / SITE_ZIP).open("wb") as file:
                _check_size(answer["ContentLength"], limit)
                for chunk in body.iter_chunks(CHUNK):
                    processes.check()
                    file.write(chunk)


@dataclass(frozen=True)
class S3Prefix:
    """All objects of the local S3 below `s3://bucket/prefix`.

    The prefix is taken for a folder, with or without its last slash: the site's paths are the keys without it.
    """

    url: str
    s3: OpenS3
    url_type: str = BUCKET_PREFIX

    @property
    def name(self) -> str:
        return self.url

    def fetch(self, directory: Path, limit: int, processes: Processes) -> None:
        bucket, prefix = _bucket_and_key(self.url)
        prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        with _reading(self.url):
            s3 = self.s3()
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            # A key that ends with a slash is how consoles show an empty folder.
            items = [item for page in pages for item in page.get("Contents", ()) if not item["Key"].endswith("/")]
            if not items:
                raise ArtifactsError(f"there is no object below s3://{bucket}/{prefix}")
            _check_size(sum(item["Size"] for item in items), limit)
            with zipfile.ZipFile(directory / SITE_ZIP, "w") as archive:
                for item in items:
                    name = item["Key"].removeprefix(prefix)
                    with (
                        closing(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"]) as body,
                        archive.open(name, "w", force_zip64=True) as entry,
                    ):
                        for chunk in body.iter_chunks(CHUNK):
                            processes.check()
                            entry.write(chunk)


def web_or_s3(url: str, url_type: str, s3: OpenS3) -> Source:
    """The source that StartDeployment's sourceUrl and sourceUrlType name."""
    if not url.startswith("s3://"):
        return WebZip(url)
    return S3Prefix(url, s3) if url_type == BUCKET_PREFIX else S3Zip(url, s3)


def _bucket_and_key(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


@contextmanager
def _reading(url: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise ArtifactsError(f"{url} could not be read: {error}") from None


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise ArtifactsError(f"a deployment may have {limit} bytes, and this one has {size}")


def _md5(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, partial(hashlib.md5, usedforsecurity=False)).hexdigest()
